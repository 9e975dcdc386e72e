import AgnesiArrays
import AgnesiExpressions
import AgnesiFormats
import AgnesiLoops

/// Why a node of an ONNX graph cannot be said in expressions.
struct ONNXRefusal: Error {
  let reason: String
  let hint: String?

  init(_ reason: String, hint: String? = nil) {
    self.reason = reason
    self.hint = hint
  }
}

/// One node whose inputs are known: what an operator's builder is handed.
struct ONNXCall {
  let node: ONNXNode
  /// The version of the operator set that the model asks for.
  let version: Int
  /// Nil where an optional input is left out.
  let inputs: [ONNXValue?]

  // MARK: Inputs

  func has(_ position: Int) -> Bool { inputs.indices.contains(position) && inputs[position] != nil }

  /// An input that may be left out.
  func optional(_ position: Int) -> ONNXValue? { has(position) ? inputs[position] : nil }

  func value(_ position: Int) throws -> ONNXValue {
    guard let value = optional(position) else {
      throw ONNXRefusal("its input \(position) is missing")
    }
    return value
  }

  func callAsFunction(_ position: Int) throws -> Tensor { try value(position).tensor }

  /// All inputs, of which there is at least one.
  func all() throws -> [Tensor] {
    guard !inputs.isEmpty else { throw ONNXRefusal("it has no inputs") }
    return try inputs.indices.map { try self($0) }
  }

  /// The elements of an input that must not depend on a call.
  func contents(_ position: Int, _ what: String) throws -> NDArray {
    guard let contents = try value(position).contents else {
      throw ONNXRefusal(
        "its \(what) (input \(position), \"\(node.inputs[position])\") is known only when the graph"
          + " runs",
        hint: "export the model with constant sizes, or simplify it (onnx-simplifier)")
    }
    return contents
  }

  /// A whole-numbered vector that may depend on the sizes of the inputs.
  func sizes(_ position: Int, _ what: String) throws -> [Size] {
    if let sizes = try value(position).sizes { return sizes }
    return try integers(in: position, what).map { Size($0) }
  }

  func integers(in position: Int, _ what: String) throws -> [Int] {
    let array = try contents(position, what)
    guard array.rank <= 1, array.dtype.isInteger, array.count <= 4096 else {
      throw ONNXRefusal("its \(what) is \(array.dtype)\(array.shape), not a list of whole numbers")
    }
    return array.boundedIntegers
  }

  /// A whole number among the inputs, at most ±2⁶².
  func integer(in position: Int, _ what: String) throws -> Int {
    let array = try contents(position, what)
    guard array.count == 1 else {
      throw ONNXRefusal("its \(what) has \(array.count) elements, not one")
    }
    if array.dtype.isInteger { return array.boundedIntegers[0] }
    let number = array.contiguous().reshaped([]).scalar
    guard number.rounded() == number else {
      throw ONNXRefusal("its \(what) is \(number), not a whole number")
    }
    return Int(number.clamped(to: -0x1p62...0x1p62))
  }

  /// A number among the inputs.
  func number(in position: Int, _ what: String) throws -> Double {
    let array = try contents(position, what)
    guard array.count == 1 else {
      throw ONNXRefusal("its \(what) has \(array.count) elements, not one")
    }
    return array.contiguous().reshaped([]).scalar
  }

  // MARK: Attributes

  private static let limit = 1 << 30

  func integer(_ name: String) throws -> Int? {
    switch node.attributes[name] {
    case nil: return nil
    case .integer(let value): return try checked(value, name)
    default: throw ONNXRefusal("its attribute \(name) is no whole number")
    }
  }

  func integer(_ name: String, _ fallback: Int) throws -> Int { try integer(name) ?? fallback }

  func flag(_ name: String, _ fallback: Bool = false) throws -> Bool {
    try integer(name, fallback ? 1 : 0) != 0
  }

  func integers(_ name: String) throws -> [Int]? {
    switch node.attributes[name] {
    case nil: return nil
    case .integers(let values): return try values.map { try checked($0, name) }
    default: throw ONNXRefusal("its attribute \(name) is no list of whole numbers")
    }
  }

  /// A list that may hold numbers as large as there are, such as the ends of slices.
  func unlimitedIntegers(_ name: String) throws -> [Int]? {
    guard case .integers(let values)? = node.attributes[name] else { return try integers(name) }
    return values.map { max(min($0, 1 << 62), -(1 << 62)) }
  }

  private func checked(_ value: Int, _ name: String) throws -> Int {
    guard abs(Double(value)) <= Double(Self.limit) else {
      throw ONNXRefusal("its attribute \(name) is \(value), which is beyond ±2³⁰")
    }
    return value
  }

  func float(_ name: String, _ fallback: Double) throws -> Double {
    switch node.attributes[name] {
    case nil: return fallback
    // As a person wrote it: 0.01, not the nearest float to it.
    case .float(let value): return Double("\(value)") ?? Double(value)
    default: throw ONNXRefusal("its attribute \(name) is no number")
    }
  }

  func text(_ name: String, _ fallback: String) throws -> String {
    switch node.attributes[name] {
    case nil: return fallback
    case .text(let value): return value
    default: throw ONNXRefusal("its attribute \(name) is no text")
    }
  }

  /// An integer list that is an attribute in older versions, and an input in newer ones.
  func integers(_ name: String, orInput position: Int) throws -> [Int]? {
    if has(position) { return try integers(in: position, name) }
    return try unlimitedIntegers(name)
  }

  // MARK: Checks

  /// A position among `rank` axes; negative ones count from the end.
  func axis(_ value: Int, of rank: Int) throws -> Int {
    let position = value < 0 ? value + rank : value
    guard position >= 0, position < rank else {
      throw ONNXRefusal("axis \(value) of a tensor of \(rank) axes")
    }
    return position
  }

  /// Checks that `values` are a vector of one value for each place of an axis: one alone would
  /// broadcast.
  func checkEachOf(_ size: Size, _ places: String, _ values: Tensor, _ what: String) throws {
    guard values.failure == nil else { return }
    guard values.rank == 1, values.shape[0].mayEqual(size) else {
      throw ONNXRefusal("its \(what) is \(values.type), there are \(size) \(places)")
    }
  }

  /// Checks that operands which may broadcast to `x` do not make it larger.
  func checkStays(_ result: Tensor, like x: Tensor) throws {
    guard result.failure == nil, x.failure == nil else { return }
    guard result.rank == x.rank, zip(result.shape, x.shape).allSatisfy({ $0.mayEqual($1) }) else {
      throw ONNXRefusal("its operands would make \(result.type) of \(x.type)")
    }
  }

  /// Checks that indices which are known lie inside of an axis whose size is known; negative ones count
  /// from its end.
  func checkIndices(_ position: Int, in size: Size, axis: Int) throws {
    guard let array = optional(position)?.contents, array.dtype.isInteger else { return }
    try check(array.boundedIntegers, in: size, axis: axis)
  }

  func check(_ indices: [Int], in size: Size, axis: Int) throws {
    guard let size = size.known,
      let wrong = indices.first(where: { !(-size..<max(size, 0)).contains($0) })
    else { return }
    throw ONNXRefusal("its index \(wrong) lies outside of axis \(axis), whose size is \(size)")
  }

  /// Axes by position, each once.
  func axes(_ values: [Int], of rank: Int) throws -> [Int] {
    let axes = try values.map { try axis($0, of: rank) }
    if Set(axes).count < axes.count { throw ONNXRefusal("its axes \(values) name one twice") }
    return axes
  }

  /// Refuses a feature that is in use.
  func refuse(_ isUsed: Bool, _ what: String) throws {
    if isUsed { throw ONNXRefusal("\(what) is not supported") }
  }

  /// Whether anybody may read the output of this number.
  func asks(for output: Int) -> Bool {
    node.outputs.indices.contains(output) && !node.outputs[output].isEmpty
  }
}

extension Double {
  func clamped(to range: ClosedRange<Double>) -> Double {
    isNaN ? 0 : Swift.min(Swift.max(self, range.lowerBound), range.upperBound)
  }
}
