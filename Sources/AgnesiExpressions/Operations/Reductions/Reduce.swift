import AgnesiArrays
import AgnesiLoops

extension Tensor {
  /// The sum over `axes` (all of them without an argument), which disappear unless `keepingAxes`.
  ///
  /// Integers are summed in their own dtype, where sums wrap around; bools as int64. The sum of nothing is 0.
  public func sum(axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    let summed = dtype == .bool ? cast(to: .int64) : self
    return summed.reduced(.sum, axes, keepingAxes)
  }

  /// The product over `axes`. The product of nothing is 1.
  public func product(axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    reduced(.product, axes, keepingAxes)
  }

  /// The largest value over `axes`; NaN where there is one; −∞ (or the smallest integer) of nothing.
  ///
  /// The gradient goes to the first largest element.
  public func max(axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    reduced(.maximum, axes, keepingAxes)
  }

  /// The smallest value over `axes`, as ``max(axes:keepingAxes:)``.
  public func min(axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    reduced(.minimum, axes, keepingAxes)
  }

  /// Whether all (bool) elements over `axes` are true.
  public func all(axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    cast(to: .bool).reduced(.all, axes, keepingAxes)
  }

  /// Whether any (bool) element over `axes` is true.
  public func any(axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    cast(to: .bool).reduced(.any, axes, keepingAxes)
  }

  private func reduced(_ combiner: Combiner, _ axes: [Int]?, _ keepingAxes: Bool) -> Tensor {
    let normalized = (axes ?? Array(0..<rank)).map { $0 < 0 ? $0 + rank : $0 }
    let unique = Set(normalized).sorted()
    if type.isKnown, unique.isEmpty { return self }
    let result = Tensor(Reduce(combiner: combiner, axes: unique), self)
    guard keepingAxes, result.type.isKnown else { return result }
    return result.reshaped(shape.indices.map { unique.contains($0) ? 1 : shape[$0] })
  }
}

/// Reduces a tensor along axes, which disappear.
struct Reduce: Operation {
  static let name = "reduce"
  let combiner: Combiner
  /// Sorted, each once.
  let axes: [Int]

  var label: String { combiner.rawValue }
  var leavesElementsOut: Bool { combiner == .maximum || combiner == .minimum }

  func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let operand = operands[0]
    for axis in axes where !operand.shape.indices.contains(axis) {
      throw TypeError("axis \(axis) of a tensor of \(operand.rank) axes")
    }
    let isLogical = combiner == .all || combiner == .any
    guard isLogical == (operand.dtype == .bool) else {
      throw TypeError("does not reduce \(operand.dtype)")
    }
    return [TensorType(operand.dtype, kept(operand.shape))]
  }

  private func kept(_ shape: Shape) -> Shape {
    shape.indices.filter { !axes.contains($0) }.map { shape[$0] }
  }

  func gradient(_ upstream: [Tensor?], operands: [Tensor], results: [Tensor]) -> [Tensor?] {
    guard let upstream = upstream[0], upstream.dtype.isFloating else { return [nil] }
    let x = operands[0]
    let narrow = x.shape.indices.map { axes.contains($0) ? Size(1) : x.shape[$0] }
    let spread = upstream.reshaped(narrow).broadcast(to: x.shape)
    let result = results[0].reshaped(narrow).broadcast(to: x.shape)
    switch combiner {
    case .sum: return [spread]
    case .product: return [spread * productOfOthers(x)]
    case .maximum, .minimum: return [select(first(of: x .== result), spread, .zeros(like: x))]
    case .all, .any: return [nil]
    }
  }

  /// The product of all other elements: right with zeros too, where result / x would be NaN.
  private func productOfOthers(_ x: Tensor) -> Tensor {
    let moved = x.movingLast(axes)
    let count = axes.reduce(Size(1)) { $0 * x.shape[$1] }
    let rows = moved.shape.dropLast(axes.count) + [count]
    let flat = moved.reshaped(Array(rows))
    let wide = rows.dropLast() + [count, count]
    let isOther = Tensor.index(Array(wide), axis: -1) .!= Tensor.index(Array(wide), axis: -2)
    let elements = flat.expanded(axis: -2).broadcast(to: Array(wide))
    let others = select(isOther, elements, .ones(like: elements)).product(axes: [-1])
    return others.reshaped(moved.shape).undoingMoveLast(axes)
  }

  /// Of the elements along `axes` that are true, only the first.
  private func first(of mask: Tensor) -> Tensor {
    let moved = mask.movingLast(axes)
    let count = axes.reduce(Size(1)) { $0 * mask.shape[$1] }
    let flat = moved.reshaped(Array(moved.shape.dropLast(axes.count)) + [count])
    let position = Tensor.index(flat.shape, axis: -1)
    let beyond = Tensor.integer(count).broadcast(to: flat.shape)
    let winner = select(flat, position, beyond).min(axes: [-1], keepingAxes: true)
    let isFirst = position .== winner.broadcast(to: flat.shape)
    return isFirst.reshaped(moved.shape).undoingMoveLast(axes)
  }

  func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    let (x, dtype) = (operands[0], types[0].dtype)
    let keptAxes = x.shape.indices.filter { !axes.contains($0) }
    let (moved, shape) = (x.transposed(keptAxes + axes), keptAxes.map { x.shape[$0] })
    let (rows, length) = (shape.product, axes.reduce(1) { $0 * x.shape[$1] })
    func reduced<Number>(_ all: [Number], _ start: Number, _ fold: (Number, Number) -> Number)
      -> [Number]
    {
      (0..<rows).map { all[($0 * length)..<(($0 + 1) * length)].reduce(start, fold) }
    }
    if dtype.isFloating {
      let values = reduced(moved.doubles, combiner.identity) { combiner.combine($0, $1) }
      return [NDArray(rounding: values, shape: shape, dtype)]
    }
    let start = combiner.wholeIdentity(dtype)
    let values = reduced(moved.wholes, start) { a, b in
      dtype == .uint64
        ? Int64(bitPattern: combiner.combine(UInt64(bitPattern: a), UInt64(bitPattern: b)))
        : combiner.combine(a, b)
    }
    return [NDArray(wrapping: values, shape: shape, dtype)]
  }

  func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering? {
    let (axes, rank) = (axes, operands[0].rank)
    let domain = axes.map { operands[0].shape[$0] }
    return .reduce(combiner, over: domain) { index, domain, operands in
      var (outer, inner) = (index[...], domain[...])
      let full = (0..<rank).map { axis in
        (axes.contains(axis) ? inner.popFirst() : outer.popFirst()) ?? .index(0)
      }
      return operands[0](full)
    }
  }

  static let examples = [
    Example("sum of all", [.init([3, 4])]) { $0[0].sum() },
    Example("sum of rows", [.init([3, 17])]) { $0[0].sum(axes: [1]) },
    Example("sum of columns", [.init([5, 3])]) { $0[0].sum(axes: [0]) },
    Example("sum over two axes", [.init([2, 3, 4])]) {
      $0[0].sum(axes: [0, -1], keepingAxes: true)
    },
    Example("sum over nothing", [.init([3, 0])]) { $0[0].sum(axes: [1]) },
    Example("sum of a long row", [.init([2, 300])], tolerance: 64) { $0[0].sum(axes: [1]) },
    Example("sum of a transposed matrix", [.init([4, 7])]) { $0[0].transposed().sum(axes: [1]) },
    Example("sum of bools", [.init([9])], differentiable: false) { ($0[0] .> 0).sum() },
    Example("product", [.init([2, 3])]) { $0[0].product(axes: [1]) },
    Example("product with a zero", [.init([3], .given([0, 2, 3]))]) { $0[0].product() },
    Example("maximum", [.init([4, 33], .distinct)], smooth: false) { $0[0].max(axes: [1]) },
    Example("minimum of columns", [.init([4, 3], .distinct)], smooth: false) {
      $0[0].min(axes: [0])
    },
    Example("maximum of nothing", [.init([2, 0])], differentiable: false) { $0[0].max(axes: [1]) },
    Example("maximum with NaN", [.init([3], .given([1, .nan, 2]))], differentiable: false) {
      $0[0].max()
    },
    Example("all", [.init([3, 2])], differentiable: false) { ($0[0] .> 0).all(axes: [1]) },
    Example("any", [.init([3, 2])], differentiable: false) { ($0[0] .> 0).any(axes: [0]) },
  ]
}

extension Combiner {
  /// One step of the reduction, on doubles.
  package func combine(_ a: Double, _ b: Double) -> Double {
    switch self {
    case .sum: a + b
    case .product: a * b
    case .maximum: a.isNaN || b.isNaN ? .nan : Swift.max(a, b)
    case .minimum: a.isNaN || b.isNaN ? .nan : Swift.min(a, b)
    case .all: a != 0 && b != 0 ? 1 : 0
    case .any: a != 0 || b != 0 ? 1 : 0
    }
  }

  /// One step of the reduction, on whole numbers, which wrap around.
  package func combine<Whole: FixedWidthInteger>(_ a: Whole, _ b: Whole) -> Whole {
    switch self {
    case .sum: a &+ b
    case .product: a &* b
    case .maximum: Swift.max(a, b)
    case .minimum: Swift.min(a, b)
    case .all: a & b
    case .any: a | b
    }
  }
}

extension Tensor {
  /// `axes` moved behind the others, in order.
  fileprivate func movingLast(_ axes: [Int]) -> Tensor {
    transposed((0..<rank).filter { !axes.contains($0) } + axes)
  }

  fileprivate func undoingMoveLast(_ axes: [Int]) -> Tensor {
    let order = (0..<rank).filter { !axes.contains($0) } + axes
    return transposed(order.indices.sorted { order[$0] < order[$1] })
  }

  /// The mean over `axes`; integers and bools as float32. The mean of nothing is NaN.
  ///
  /// Of 16-bit floats, sum and count are float32 and the quotient is rounded once: a count of 65,520 is
  /// infinite in float16.
  public func mean(axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    let values = dtype.isFloating ? widened : cast(to: .float32)
    let reduced = (axes ?? Array(0..<rank)).map { size($0) }
    let count = Tensor.integer(reduced.reduce(1) { $0 * $1 }).cast(to: values.dtype)
    let mean = values.sum(axes: axes, keepingAxes: keepingAxes) / count
    return dtype.isFloating ? mean.cast(to: dtype) : mean
  }

  /// The variance over `axes`, of deviations from the mean, divided by the count; in float32 as
  /// ``mean(axes:keepingAxes:)``.
  public func variance(axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    let values = dtype.isFloating ? widened : cast(to: .float32)
    let deviations = values - values.mean(axes: axes, keepingAxes: true)
    let variance = (deviations * deviations).mean(axes: axes, keepingAxes: keepingAxes)
    return dtype.isFloating ? variance.cast(to: dtype) : variance
  }
}

extension Reduce: FollowsLayout {
  /// A reduction over the axis in blocks is one over both of its parts. Blocks that are not full hold elements
  /// that are none: who asks sees to it that they do not count.
  func laidOut(_ layout: Layout, _ operands: [TensorType]) -> LaidOutOperation? {
    guard let (axis, width) = layout.block else { return nil }
    let rank = operands[0].rank
    if axes.contains(axis) {
      return LaidOutOperation(
        operation: Reduce(combiner: combiner, axes: axes + [rank]),
        results: [.plain(rank: rank - axes.count)])
    }
    let place = axis - axes.count { $0 < axis }
    return LaidOutOperation(
      operation: self, results: [.blocked(axis: place, by: width, rank: rank - axes.count)])
  }
}
