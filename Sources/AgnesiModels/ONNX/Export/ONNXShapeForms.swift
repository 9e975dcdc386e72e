import AgnesiArrays
import AgnesiExpressions
import AgnesiFormats
import AgnesiLoops

// How shapes, parts, reductions and indices are written.

extension ONNXExport {
  mutating func writeShape(_ node: Node, _ operands: [String]) throws -> [String]? {
    guard let form = node.operation.form else { return nil }
    let types = node.operands.map(\.type)
    switch form {
    case .reshape(let shape):
      // Else a 0 would mean the operand's size.
      let zeros = shape.contains(where: \.isZero) ? 1 : 0
      return [
        builder.add(
          "Reshape", [operands[0], try target(shape)],
          zeros == 0 ? [:] : ["allowzero": .integer(zeros)])
      ]
    case .broadcast(let shape): return [try expanded(operands[0], types[0].shape, to: shape)]
    case .transpose(let axes):
      return [builder.add("Transpose", operands, ["perm": .integers(axes)])]
    case .concatenate(let axis):
      return [builder.add("Concat", operands, ["axis": .integer(axis)])]
    case .slice(let starts, let counts, let steps):
      return [try sliced(operands[0], starts, counts, steps)]
    case .pad(let before, let after, let between, let value):
      guard between.allSatisfy({ $0 == 0 }) else {
        throw ONNXRefusal("elements between others have no form in ONNX")
      }
      let number = builder.number(value, types[0].dtype)
      return [builder.add("Pad", [operands[0], try vector(before + after), number])]
    case .index(let shape, let axis): return [try positions(shape, axis)]
    case .size(let size):
      return [builder.add("Reshape", [try vector([size]), builder.integers([])])]
    case .reduce(let combiner, let axes):
      return [reduced(operands[0], combiner, axes)]
    case .argReduce(let combiner, let axis):
      return [
        builder.add(
          combiner == .maximum ? "ArgMax" : "ArgMin", operands,
          ["axis": .integer(axis), "keepdims": .integer(0)])
      ]
    case .cumulativeSum(let axis, let isReversed):
      return [
        builder.add(
          "CumSum", [operands[0], builder.number(Double(axis), .int64)],
          ["reverse": .integer(isReversed ? 1 : 0)])
      ]
    default: return try writeIndexing(form, node, operands)
    }
  }

  private mutating func writeIndexing(
    _ form: OperationForm, _ node: Node, _ operands: [String]
  ) throws -> [String]? {
    let types = node.operands.map(\.type)
    switch form {
    case .gather(let axis):
      return [builder.add("Gather", try wide(operands, types), ["axis": .integer(axis)])]
    case .takeAlongAxis(let axis):
      return [builder.add("GatherElements", try wide(operands, types), ["axis": .integer(axis)])]
    case .scatterAlongAxis(let axis, let size):
      let (zeros, places) = try scatterTarget(operands[0], node, axis, size)
      let sums = builder.add(
        "ScatterElements", [zeros, places, operands[1]],
        ["axis": .integer(axis), "reduction": .text("add")])
      return [try withoutLast(sums, axis, size)]
    case .scatterAdd(let axis, let size):
      guard axis == 0 else {
        throw ONNXRefusal(
          "sums at indices of axis \(axis) have no form in ONNX", hint: "transpose to axis 0 before"
        )
      }
      let (zeros, places) = try scatterTarget(operands[0], node, axis, size)
      let column = builder.add("Unsqueeze", [places, builder.integers([-1])])
      let sums = builder.add(
        "ScatterND", [zeros, column, operands[1]], ["reduction": .text("add")])
      return [try withoutLast(sums, axis, size)]
    case .topK(let count, let axis):
      return largest(operands[0], builder.integers([count]), axis, isLargest: true)
    case .sort(let axis, let isDescending):
      return largest(
        operands[0], try vector([types[0].shape[axis]]), axis, isLargest: isDescending)
    default: return nil
    }
  }

  /// The second operand as int64, which all of ONNX's operators take.
  private mutating func wide(_ operands: [String], _ types: [TensorType]) throws -> [String] {
    [operands[0], try index(operands[1], types[1])]
  }

  private mutating func index(_ name: String, _ type: TensorType) throws -> String {
    if type.dtype == .int64 || type.dtype == .int32 { return name }
    return builder.add("Cast", [name], ["to": .integer(ONNXElement.number(.int64))])
  }

  private mutating func largest(
    _ operand: String, _ count: String, _ axis: Int, isLargest: Bool
  ) -> [String] {
    let names = [builder.name("values"), builder.name("indices")]
    return builder.add(
      "TopK", [operand, count],
      ["axis": .integer(axis), "largest": .integer(isLargest ? 1 : 0)], outputs: names)
  }

  /// Zeros with one place more along an axis, and indices that point there where they lie outside of
  /// it: ONNX adds nothing outside.
  private mutating func scatterTarget(
    _ indices: String, _ node: Node, _ axis: Int, _ size: Size
  ) throws -> (zeros: String, places: String) {
    let type = node.types[0]
    var shape = type.shape
    shape[axis] = size + 1
    let zeros = try filled(TensorType(type.dtype, shape))
    let wide = builder.add("Cast", [indices], ["to": .integer(ONNXElement.number(.int64))])
    let (zero, count) = (builder.integers([0]), try vector([size]))
    let fromEnd = builder.add("Less", [wide, zero])
    let shifted = builder.add("Where", [fromEnd, builder.add("Add", [wide, count]), wide])
    let isInside = builder.add(
      "And",
      [builder.add("GreaterOrEqual", [shifted, zero]), builder.add("Less", [shifted, count])])
    let places = builder.add("Where", [isInside, shifted, count])
    guard node.operands[0].rank == 0 else { return (zeros, places) }
    // Numbers of no axis became vectors beside the others.
    return (zeros, builder.add("Reshape", [places, builder.integers([])]))
  }

  private mutating func withoutLast(_ sums: String, _ axis: Int, _ size: Size) throws -> String {
    builder.add(
      "Slice", [sums, builder.integers([0]), try vector([size]), builder.integers([axis])])
  }

  private mutating func filled(_ type: TensorType) throws -> String {
    builder.add(
      "ConstantOfShape", [try vector(type.shape)],
      ["value": .tensor(NDArray(zeros: [1], type.dtype))])
  }

  /// A shape to be reshaped to: a single size that has a name is what is left.
  private mutating func target(_ shape: Shape) throws -> String {
    let open = shape.indices.filter { shape[$0].known == nil }
    guard open.count == 1, !shape.contains(where: \.isZero) else { return try vector(shape) }
    return builder.integers(shape.map { $0.known ?? -1 })
  }

  private mutating func expanded(
    _ operand: String, _ source: Shape, to shape: Shape
  ) throws -> String {
    let missing = shape.count - source.count
    // What has its size already is asked for as 1.
    let wanted = shape.indices.map { axis in
      axis >= missing && source[axis - missing] == shape[axis] ? Size(1) : shape[axis]
    }
    return builder.add("Expand", [operand, try vector(wanted)])
  }

  private mutating func sliced(
    _ operand: String, _ starts: Shape, _ counts: Shape, _ steps: [Int]
  ) throws -> String {
    let ends = starts.indices.map { axis -> Size in
      let end = starts[axis] + counts[axis] * Size(steps[axis])
      // Before the first element there is no position: -1 is the last.
      return steps[axis] < 0 && (end.known ?? -1) < 0 ? Size(-(1 << 31)) : end
    }
    let axes = builder.integers(Array(starts.indices))
    return builder.add(
      "Slice", [operand, try vector(starts), try vector(ends), axes, builder.integers(steps)])
  }

  private mutating func positions(_ shape: Shape, _ axis: Int) throws -> String {
    let scalar = builder.integers([])
    let count = builder.add("Reshape", [try vector([shape[axis]]), scalar])
    let line = builder.add(
      "Range", [builder.number(0, .int64), count, builder.number(1, .int64)])
    let narrow = shape.indices.map { $0 == axis ? -1 : 1 }
    let placed = builder.add("Reshape", [line, builder.integers(narrow)])
    return try expanded(
      placed, shape.indices.map { $0 == axis ? shape[axis] : 1 }, to: shape)
  }

  private mutating func reduced(
    _ operand: String, _ combiner: Combiner, _ axes: [Int]
  ) -> String {
    func reduce(_ operation: String, _ operand: String) -> String {
      builder.add(
        operation, [operand, builder.integers(axes)], ["keepdims": .integer(0)])
    }
    switch combiner {
    case .sum: return reduce("ReduceSum", operand)
    case .product: return reduce("ReduceProd", operand)
    case .maximum: return reduce("ReduceMax", operand)
    case .minimum: return reduce("ReduceMin", operand)
    case .all, .any:
      let numbers = builder.add("Cast", [operand], ["to": .integer(ONNXElement.number(.int32))])
      let reduced = reduce(combiner == .all ? "ReduceMin" : "ReduceMax", numbers)
      return builder.add("Cast", [reduced], ["to": .integer(ONNXElement.number(.bool))])
    }
  }
}
