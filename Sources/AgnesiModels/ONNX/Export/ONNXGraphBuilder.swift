import AgnesiArrays
import AgnesiExpressions
import AgnesiFormats
import AgnesiLoops

/// Collects the nodes and initializers of a graph that is written, and gives them names.
struct ONNXGraphBuilder {
  private struct Line {
    let message: ProtobufWriter
    var inputs: [String] = []
    let outputs: [String]
  }

  private var nodes: [Line] = []
  private var initializers: [Line] = []
  private var used: Set<String> = []
  private var lists: [[Int]: String] = [:]
  private var counts: [String: Int] = [:]

  /// A name that nothing else has, `wanted` where it is free.
  mutating func name(_ wanted: String) -> String {
    if !wanted.isEmpty, used.insert(wanted).inserted { return wanted }
    while true {
      counts[wanted, default: 0] += 1
      let candidate = "\(wanted)_\(counts[wanted, default: 0])"
      if used.insert(candidate).inserted { return candidate }
    }
  }

  /// A node of one result.
  mutating func add(
    _ operation: String, _ inputs: [String], _ attributes: [String: ONNXAttribute] = [:],
    to output: String? = nil
  ) -> String {
    add(operation, inputs, attributes, outputs: [output ?? name(operation.lowercased())])[0]
  }

  mutating func add(
    _ operation: String, _ inputs: [String], _ attributes: [String: ONNXAttribute],
    outputs: [String]
  ) -> [String] {
    var node = ProtobufWriter()
    for input in inputs { node.text(1, input) }
    for output in outputs { node.text(2, output) }
    node.text(3, "node_" + outputs[0])
    node.text(4, operation)
    for (name, value) in attributes.sorted(by: { $0.key < $1.key }) {
      node.message(5, Self.attribute(name, value))
    }
    nodes.append(Line(message: node, inputs: inputs, outputs: outputs))
    return outputs
  }

  private static func attribute(_ name: String, _ value: ONNXAttribute) -> ProtobufWriter {
    var message = ProtobufWriter()
    message.text(1, name)
    func type(_ number: Int) { message.integer(20, number) }
    switch value {
    case .float(let number):
      message.float(2, number)
      type(1)
    case .integer(let number):
      message.integer(3, number)
      type(2)
    case .text(let text):
      message.text(4, text)
      type(3)
    case .tensor(let array):
      message.message(5, tensor("", array))
      type(4)
    case .floats(let numbers):
      for number in numbers { message.float(7, number) }
      type(6)
    case .integers(let numbers):
      for number in numbers { message.integer(8, number) }
      type(7)
    case .texts(let texts):
      for text in texts { message.text(9, text) }
      type(8)
    case .other: break
    }
    return message
  }

  private static func tensor(_ name: String, _ array: NDArray) -> ProtobufWriter {
    var message = ProtobufWriter()
    message.integers(1, array.shape)
    message.integer(2, ONNXElement.number(array.dtype))
    if !name.isEmpty { message.text(8, name) }
    message.elements(9, array)
    return message
  }

  /// A value of the graph.
  mutating func constant(_ array: NDArray, name wanted: String = "constant") -> String {
    let name = name(wanted)
    initializers.append(Line(message: Self.tensor(name, array), outputs: [name]))
    return name
  }

  /// A vector of whole numbers; equal ones are one.
  mutating func integers(_ values: [Int]) -> String {
    if let known = lists[values] { return known }
    let name = constant(NDArray(values.map { Int64($0) }), name: "integers")
    lists[values] = name
    return name
  }

  /// A number of a dtype.
  mutating func number(_ value: Double, _ dtype: DType) -> String {
    constant(NDArray(filled: value, shape: [], dtype), name: "number")
  }

  /// The graph as a message: what its outputs are computed from, and nothing else.
  func graph(
    _ name: String, inputs: [(String, TensorType)], outputs: [(String, TensorType)]
  ) -> ProtobufWriter {
    var message = ProtobufWriter()
    var needed = Set(outputs.map(\.0))
    func isNeeded(_ line: Line) -> Bool { !needed.isDisjoint(with: line.outputs) }
    var kept: [Line] = []
    for node in nodes.reversed() where isNeeded(node) {
      needed.formUnion(node.inputs)
      kept.append(node)
    }
    for node in kept.reversed() { message.message(1, node.message) }
    message.text(2, name)
    for initializer in initializers where isNeeded(initializer) {
      message.message(5, initializer.message)
    }
    for (name, type) in inputs { message.message(11, Self.valueInfo(name, type)) }
    for (name, type) in outputs { message.message(12, Self.valueInfo(name, type)) }
    return message
  }

  private static func valueInfo(_ name: String, _ type: TensorType) -> ProtobufWriter {
    var shape = ProtobufWriter()
    for size in type.shape {
      var dimension = ProtobufWriter()
      if let known = size.known {
        dimension.integer(1, known)
      } else if size == size.symbols.first.map({ Size.symbol($0) }) {
        dimension.text(2, size.description)
      }
      shape.message(1, dimension)
    }
    var tensor = ProtobufWriter()
    tensor.integer(1, ONNXElement.number(type.dtype))
    tensor.message(2, shape)
    var wrapped = ProtobufWriter()
    wrapped.message(1, tensor)
    var info = ProtobufWriter()
    info.text(1, name)
    info.message(2, wrapped)
    return info
  }
}
