import AgnesiArrays

/// Bytes of an ONNX file with the few things that tests of whole graphs need, as protocol buffers.
struct TestGraph {
  private var graph: [UInt8] = []

  /// The version of the operator set.
  private let version: Int

  /// - Parameters:
  ///   - input: the name and the sizes of the one input, float32; names are sizes that calls tell.
  ///   - output: the name of the one output.
  init(input: (name: String, sizes: [String]), output: String, version: Int = 17) {
    self.version = version
    graph += Self.field(11, Self.info(input.name, input.sizes))
    graph += Self.field(12, Self.info(output, []))
  }

  mutating func add(
    _ operation: String, _ inputs: [String], _ outputs: [String], name: String? = nil,
    _ attributes: KeyValuePairs<String, [Int]> = [:], numbers: KeyValuePairs<String, Int> = [:]
  ) {
    var node: [UInt8] = []
    for name in inputs { node += Self.field(1, Array(name.utf8)) }
    for name in outputs { node += Self.field(2, Array(name.utf8)) }
    if let name { node += Self.field(3, Array(name.utf8)) }
    node += Self.field(4, Array(operation.utf8))
    for (name, values) in attributes {
      let list = values.flatMap { Self.number(8, $0) }
      node += Self.field(5, Self.field(1, Array(name.utf8)) + list + Self.number(20, 7))
    }
    for (name, value) in numbers {
      let content = Self.number(3, value) + Self.number(20, 2)
      node += Self.field(5, Self.field(1, Array(name.utf8)) + content)
    }
    graph += Self.field(1, node)
  }

  /// Weights that are all 0.1.
  mutating func addWeights(_ name: String, _ shape: [Int]) {
    let data = (0..<shape.reduce(1, *)).flatMap { _ in
      ByteOrder.littleEndian((0.1 as Float).bitPattern)
    }
    let sizes = shape.flatMap { Self.number(1, $0) }
    graph += Self.field(
      5, sizes + Self.number(2, 1) + Self.field(8, Array(name.utf8)) + Self.field(9, data))
  }

  /// Whole numbers that the file states.
  ///
  /// - Parameter shape: a vector of all of them where nil.
  mutating func add(_ name: String, _ values: [Int], shape: [Int]? = nil) {
    let data = values.flatMap { ByteOrder.littleEndian(Int64($0)) }
    graph += Self.field(
      5,
      (shape ?? [values.count]).flatMap { Self.number(1, $0) } + Self.number(2, 7)
        + Self.field(8, Array(name.utf8))
        + Self.field(9, data))
  }

  var bytes: [UInt8] {
    Self.number(1, 8) + Self.field(7, graph) + Self.field(8, Self.number(2, version))
  }

  private static func info(_ name: String, _ sizes: [String]) -> [UInt8] {
    let dimensions = sizes.flatMap { size in
      field(1, Int(size).map { number(1, $0) } ?? field(2, Array(size.utf8)))
    }
    let tensor = number(1, 1) + field(2, dimensions)
    return field(1, Array(name.utf8)) + field(2, field(1, tensor))
  }

  private static func number(_ field: Int, _ value: Int) -> [UInt8] {
    variable(field << 3) + variable(value)
  }

  private static func field(_ number: Int, _ content: [UInt8]) -> [UInt8] {
    variable(number << 3 | 2) + variable(content.count) + content
  }

  private static func variable(_ value: Int) -> [UInt8] {
    var (rest, result) = (UInt64(bitPattern: Int64(value)), [UInt8]())
    while rest > 127 {
      result.append(UInt8(rest & 127) | 128)
      rest >>= 7
    }
    return result + [UInt8(rest)]
  }
}
