import AgnesiExpressions
import AgnesiLoops

/// What happens to sizes that are values: `Shape → Gather → Mul → Concat → Reshape` stays a formula of
/// the inputs' sizes, which a reshape needs at import.
enum ShapeRules {
  /// Lists of more sizes are no shapes: they are computed when the graph runs.
  private static let countLimit = 64
  /// Longer formulas are no sizes that a network has.
  static let mostTerms = 512

  /// The results of a node over sizes; nil where it is none, or does what no rule here says.
  static func results(of call: ONNXCall) throws -> [ONNXValue]? {
    switch call.node.operation {
    case "Shape": return [ONNXValue(try ONNXOperators.shapeSizes(call))]
    case "Size": return [ONNXValue([try call(0).type.count], isNumber: true)]
    default: break
    }
    // What is known is folded, and what no size is known of is computed.
    guard let first = call.optional(0), call.inputs.contains(where: { $0?.isFormula ?? false })
    else { return nil }
    switch call.node.operation {
    case "Identity", "Cast", "Squeeze", "Unsqueeze", "Reshape":
      return try reshaped(first, call)
    case "Gather":
      guard let sizes = first.sizes, first.tensor.rank == 1,
        let places = call.optional(1)?.contents, places.rank <= 1, places.count <= countLimit
      else { return nil }
      let numbers = places.boundedIntegers.map { $0 < 0 ? $0 + sizes.count : $0 }
      guard numbers.allSatisfy(sizes.indices.contains) else { return nil }
      return [ONNXValue(numbers.map { sizes[$0] }, isNumber: places.rank == 0)]
    case "Slice": return try sliced(first, call)
    case "Concat":
      let parts = call.inputs.compactMap { $0?.sizes }
      guard parts.count == call.inputs.count, first.tensor.rank == 1,
        parts.reduce(0, { $0 + $1.count }) <= countLimit
      else { return nil }
      return [ONNXValue(parts.flatMap { $0 })]
    case "ReduceProd":
      guard let sizes = first.sizes else { return nil }
      let isKept = try call.flag("keepdims", true)
      guard sizes.map(\.weight).product <= mostTerms else { return nil }
      return [ONNXValue([sizes.reduce(1) { $0 * $1 }], isNumber: !isKept)]
    default: return arithmetic(call)
    }
  }

  /// The same numbers as a vector or as a single one.
  private static func reshaped(_ value: ONNXValue, _ call: ONNXCall) throws -> [ONNXValue]? {
    guard let sizes = value.sizes, let build = ONNXOperators.byName[call.node.operation] else {
      return nil
    }
    let type = try build.build(call)[0].type
    guard type.isKnown, type.rank <= 1, type.dtype.isInteger else { return nil }
    return [ONNXValue(sizes, isNumber: type.rank == 0)]
  }

  private static func sliced(_ value: ONNXValue, _ call: ONNXCall) throws -> [ONNXValue]? {
    guard let sizes = value.sizes, value.tensor.rank == 1 else { return nil }
    func list(_ name: String, _ position: Int) throws -> [Int]? {
      try call.integers(name, orInput: call.version < 10 ? 99 : position)
    }
    guard let start = try list("starts", 1)?.first, let end = try list("ends", 2)?.first,
      try list("steps", 4)?.first ?? 1 == 1
    else { return nil }
    func place(_ position: Int) -> Int {
      Swift.min(Swift.max(position < 0 ? position + sizes.count : position, 0), sizes.count)
    }
    let (first, last) = (place(start), place(end))
    return [ONNXValue(first < last ? Array(sizes[first..<last]) : [])]
  }

  private static func arithmetic(_ call: ONNXCall) -> [ONNXValue]? {
    guard call.inputs.count == 2, let x = call.optional(0)?.sizes, let y = call.optional(1)?.sizes,
      x.count == y.count || x.count == 1 || y.count == 1
    else { return nil }
    let function: (Size, Size) -> Size
    switch call.node.operation {
    case "Add": function = { $0 + $1 }
    case "Sub": function = { $0 - $1 }
    case "Mul": function = { $0 * $1 }
    // Sizes are not negative: rounding down is rounding towards zero.
    case "Div": function = { $0 / $1 }
    default: return nil
    }
    // Products of sums of names have as many terms as both multiplied: files could ask for any number.
    let weights = [x, y].map { $0.map(\.weight).max() ?? 1 }
    guard weights.product <= mostTerms else { return nil }
    let count = max(x.count, y.count)
    let results = (0..<count).map { function(x[x.count == 1 ? 0 : $0], y[y.count == 1 ? 0 : $0]) }
    let isNumber = call.inputs.allSatisfy { $0?.tensor.rank == 0 }
    return [ONNXValue(results, isNumber: isNumber)]
  }
}

extension ONNXValue {
  /// Whether it is sizes of which some have names.
  fileprivate var isFormula: Bool { contents == nil && sizes != nil }
}
