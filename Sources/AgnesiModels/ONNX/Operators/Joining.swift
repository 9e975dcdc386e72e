import AgnesiArrays
import AgnesiExpressions
import AgnesiFormats
import AgnesiLoops

extension ONNXOperators {
  /// Parts of tensors, and tensors of parts.
  static var joining: [ONNXOperator] {
    [
      ONNXOperator("Concat") { call in
        let tensors = try call.all()
        let axis = try call.axis(try call.integer("axis", 1), of: tensors[0].rank)
        return concatenated(tensors, axis: axis)
      },
      ONNXOperator("Split", results: split),
      ONNXOperator("Slice", sliced),
      ONNXOperator("Pad", padded),
      ONNXOperator("Range", range),
      ONNXOperator("Trilu") { call in
        let x = try call(0)
        guard x.rank >= 2 else { throw ONNXRefusal("a triangle of \(x.rank) axes") }
        let offset = call.has(1) ? try call.number(in: 1, "offset k") : 0
        let distance = Tensor.index(x.shape, axis: -1) - Tensor.index(x.shape, axis: -2)
        let bound = Tensor.constant(offset.clamped(to: -0x1p40...0x1p40), .int64)
        let isKept = try call.flag("upper", true) ? distance .>= bound : distance .<= bound
        return select(isKept, x, .zeros(like: x))
      },
      ONNXOperator("EyeLike") { call in
        let x = try call(0)
        guard x.rank == 2 else { throw ONNXRefusal("a diagonal of \(x.rank) axes") }
        let number = try call.integer("dtype")
        guard let dtype = number.map({ ONNXElement.dtype($0) }) ?? x.dtype else {
          throw ONNXRefusal("a diagonal of \(ONNXElement.name(number ?? 0)) is not supported")
        }
        let distance = Tensor.index(x.shape, axis: 1) - Tensor.index(x.shape, axis: 0)
        return (distance .== (try call.integer("k", 0))).cast(to: dtype)
      },
    ]
  }

  private static func split(_ call: ONNXCall) throws -> [Tensor] {
    let x = try call(0)
    let axis = try call.axis(try call.integer("axis", 0), of: x.rank)
    if let sizes = try call.integers("split", orInput: 1) {
      guard sizes.count == call.node.outputs.count else {
        throw ONNXRefusal("its split \(sizes) is for \(call.node.outputs.count) outputs")
      }
      return x.split(sizes: sizes.map { Size($0) }, axis: axis)
    }
    let count = try call.integer("num_outputs", call.node.outputs.count)
    guard (1...max(call.node.outputs.count, 1)).contains(count) else {
      throw ONNXRefusal("\(count) parts for \(call.node.outputs.count) outputs")
    }
    guard let size = x.shape[axis].known else { return x.split(into: count, axis: axis) }
    let part = (size + count - 1) / count
    let sizes = (0..<count).map { Swift.min(part, Swift.max(size - $0 * part, 0)) }
    return x.split(sizes: sizes.map { Size($0) }, axis: axis)
  }

  private static func sliced(_ call: ONNXCall) throws -> Tensor {
    let x = try call(0)
    let isOld = call.version < 10
    func list(_ name: String, _ position: Int) throws -> [Size]? {
      if isOld { return try call.unlimitedIntegers(name)?.map { Size($0) } }
      return call.has(position) ? try call.sizes(position, name) : nil
    }
    let starts = try list("starts", 1) ?? []
    let ends = try list("ends", 2) ?? []
    let axes = try list("axes", 3)?.compactMap(\.known) ?? Array(starts.indices)
    let steps = try list("steps", 4)?.compactMap(\.known) ?? starts.map { _ in 1 }
    guard [ends.count, axes.count, steps.count].allSatisfy({ $0 == starts.count }),
      steps.allSatisfy({ $0 != 0 && abs($0) <= 1 << 30 })
    else { throw ONNXRefusal("\(starts.count) starts, \(ends.count) ends, steps \(steps)") }
    var ranges = SliceRanges(x)
    for (number, axis) in try call.axes(axes, of: x.rank).enumerated() {
      try ranges.set(axis, starts[number], ends[number], step: steps[number])
    }
    return ranges.applied
  }

  private static func padded(_ call: ONNXCall) throws -> Tensor {
    let x = try call(0)
    let mode = try call.text("mode", "constant")
    let given = try call.integers("pads", orInput: call.version < 11 ? 9 : 1) ?? []
    var axes = Array(0..<x.rank)
    if call.has(3) { axes = try call.axes(try call.integers(in: 3, "axes"), of: x.rank) }
    guard given.count == 2 * axes.count, given.allSatisfy({ abs($0) <= 1 << 30 }) else {
      throw ONNXRefusal("its pads are \(given) for \(axes.count) axes")
    }
    var widths = [(before: Int, after: Int)](repeating: (0, 0), count: x.rank)
    for (number, axis) in axes.enumerated() {
      widths[axis] = (given[number], given[number + axes.count])
    }
    if mode == "constant" {
      let value = call.has(2) ? try call.number(in: 2, "value") : try call.float("value", 0)
      return x.padded(widths, value: value)
    }
    return try widths.indices.reduce(x) { padded, axis in
      try mirrored(padded, axis, widths[axis], mode)
    }
  }

  /// Elements beyond an end are those of places inside.
  private static func mirrored(
    _ x: Tensor, _ axis: Int, _ width: (before: Int, after: Int), _ mode: String
  ) throws -> Tensor {
    guard width != (0, 0) else { return x }
    guard let size = x.shape[axis].known, size > 0, size <= 1 << 20,
      max(abs(width.before), abs(width.after)) <= 1 << 20
    else { throw ONNXRefusal("padding by \(width) of axis \(axis) of \(x.type)") }
    guard size + width.before + width.after >= 0 else {
      throw ONNXRefusal("padding by \(width) of axis \(axis), whose size is \(size)")
    }
    func floorModulo(_ a: Int, _ b: Int) -> Int { (a % b + b) % b }
    let places = (-width.before..<(size + width.after)).map { place -> Int64 in
      switch mode {
      case "reflect":
        let period = Swift.max(2 * size - 2, 1)
        let wrapped = floorModulo(place, period)
        return Int64(wrapped < size ? wrapped : period - wrapped)
      case "wrap": return Int64(floorModulo(place, size))
      default: return Int64(Swift.min(Swift.max(place, 0), size - 1))
      }
    }
    guard ["reflect", "wrap", "edge"].contains(mode) else {
      throw ONNXRefusal("the mode \"\(mode)\" is not supported")
    }
    return x.gathered(.constant(NDArray(places)), axis: axis)
  }

  private static func range(_ call: ONNXCall) throws -> Tensor {
    let dtype = try call(0).dtype
    let limit = try call.value(1)
    let isPlain =
      try call.value(0).contents?.doubles == [0] && call.value(2).contents?.doubles == [1]
    if isPlain, dtype == .int64, limit.contents == nil, let size = limit.sizes?.first {
      return .range(size)
    }
    if dtype.isInteger { return try wholeRange(call, dtype) }
    let start = try call.number(in: 0, "start")
    let step = try call.number(in: 2, "delta")
    let count = ((try call.number(in: 1, "limit") - start) / step).rounded(.up)
    guard step != 0, count.isFinite, count <= 0x1p30 else {
      throw ONNXRefusal("a range of \(count) elements")
    }
    let numbers = Tensor.range(Size(Swift.max(0, Int(count)))).cast(to: dtype)
    return numbers * .constant(step, dtype) + .constant(start, dtype)
  }

  /// With all digits of the numbers.
  private static func wholeRange(_ call: ONNXCall, _ dtype: DType) throws -> Tensor {
    let numbers = try zip(0..<3, ["start", "limit", "delta"]).map { position, what in
      let array = try call.contents(position, what)
      guard array.count == 1, array.dtype.isInteger else {
        throw ONNXRefusal("its \(what) is \(array.dtype)\(array.shape), not a whole number")
      }
      return Int(array.wholes[0])
    }
    let (start, limit, step) = (numbers[0], numbers[1], numbers[2])
    let (span, isOverflow) = limit.subtractingReportingOverflow(start)
    guard step != 0, !isOverflow else {
      throw ONNXRefusal("a range from \(start) to \(limit) in steps of \(step)")
    }
    let count = Swift.max(0, 0 &- (0 &- span).flooredQuotient(by: step))
    guard count <= 1 << 30 else { throw ONNXRefusal("a range of \(count) elements") }
    let places = Tensor.range(Size(count)).cast(to: dtype)
    return places * .constant(step, dtype) + .constant(start, dtype)
  }
}

/// The part of each axis that a slice keeps.
private struct SliceRanges {
  private let x: Tensor
  private var starts: [Size]
  private var ends: [Size?]
  private var steps: [Int]

  init(_ x: Tensor) {
    self.x = x
    starts = x.shape.map { _ in 0 }
    ends = x.shape.map { _ in nil }
    steps = x.shape.map { _ in 1 }
  }

  /// Positions beyond an end of the axis mean that end.
  mutating func set(_ axis: Int, _ start: Size, _ end: Size, step: Int) throws {
    steps[axis] = step
    if let size = x.shape[axis].known, let first = start.known, let last = end.known {
      setKnown(axis, size, first, last, step)
      return
    }
    // Numbers this large mean "all of it", whatever the size will be.
    func isBeyond(_ position: Size) -> Bool { abs(position.known ?? 0) >= 1 << 31 - 1 }
    guard step > 0, !isBeyond(start) else {
      throw ONNXRefusal("a slice from \(start) by \(step) of an axis of size \(x.shape[axis])")
    }
    starts[axis] = start
    ends[axis] = isBeyond(end) || end == x.shape[axis] ? nil : end
  }

  private mutating func setKnown(_ axis: Int, _ size: Int, _ start: Int, _ end: Int, _ step: Int) {
    func place(_ position: Int, _ range: ClosedRange<Int>) -> Int {
      let counted = position < 0 ? position + size : position
      return Swift.min(Swift.max(counted, range.lowerBound), range.upperBound)
    }
    if step > 0 {
      let first = place(start, 0...size)
      starts[axis] = Size(first)
      ends[axis] = Size(Swift.max(place(end, 0...size), first))
      return
    }
    let first = place(start, -1...(size - 1))
    let last = Swift.min(place(end, -1...(size - 1)), first)
    if first < 0 || first == last {
      // Nothing is left.
      (starts[axis], ends[axis], steps[axis]) = (0, 0, 1)
    } else {
      starts[axis] = Size(first)
      ends[axis] = last < 0 ? nil : Size(last)
    }
  }

  var applied: Tensor { x.sliced(starts, ends, steps) }
}
