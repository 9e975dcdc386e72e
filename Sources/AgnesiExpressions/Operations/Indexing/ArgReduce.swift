import AgnesiArrays
import AgnesiLoops

extension Tensor {
  /// The position of the largest element along an axis, the first of equal ones; NaN is larger than
  /// any number.
  ///
  /// - Parameter axis: negative axes count from the end; nil: of all elements in row-major order.
  /// - Returns: int64, without the axis.
  public func argMax(axis: Int? = nil, keepingAxis: Bool = false) -> Tensor {
    argReduced(.maximum, axis, keepingAxis)
  }

  /// The position of the smallest element along an axis, the first of equal ones; NaN is larger than
  /// any number.
  public func argMin(axis: Int? = nil, keepingAxis: Bool = false) -> Tensor {
    argReduced(.minimum, axis, keepingAxis)
  }

  private func argReduced(_ combiner: Combiner, _ axis: Int?, _ keepingAxis: Bool) -> Tensor {
    guard let axis else { return flattened().argReduced(combiner, 0, keepingAxis) }
    let position = type.isKnown ? normalized(axis) : axis
    let result = Tensor(ArgReduce(combiner: combiner, axis: position), self)
    return keepingAxis && result.type.isKnown ? result.expanded(axis: position) : result
  }
}

/// The place of the largest or smallest element along an axis.
struct ArgReduce: Operation {
  static let name = "argReduce"
  /// `maximum` or `minimum`.
  let combiner: Combiner
  let axis: Int

  var label: String { combiner == .maximum ? "argMax" : "argMin" }

  func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    var shape = operands[0].shape
    guard shape.indices.contains(axis) else {
      throw TypeError("axis \(axis) of a tensor of \(shape.count) axes")
    }
    guard !shape[axis].isZero else { throw TypeError("axis \(axis) is empty") }
    shape.remove(at: axis)
    return [TensorType(.int64, shape)]
  }

  func gradient(_ slopes: [Tensor?], operands: [Tensor], results: [Tensor]) -> [Tensor?] { [nil] }

  func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    let rows = operands[0].rows(along: axis)
    let winners = rows.map { row -> Double in
      let order = row.indices.sorted {
        row[$0] == row[$1] || (row[$0].isNaN && row[$1].isNaN)
          ? $0 < $1 : precedes(row[$0], row[$1])
      }
      return Double(order.first ?? 0)
    }
    return [NDArray(rounding: winners, shape: types[0].knownShape ?? [], .int64)]
  }

  private func precedes(_ x: Double, _ y: Double) -> Bool {
    combiner == .maximum ? NDArray.isLess(y, x) : NDArray.isLess(x, y)
  }

  func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering? {
    let (axis, isMaximum) = (axis, combiner == .maximum)
    return .loops { context in
      let (x, result) = (context.operands[0], context.results[0])
      return context.nest("row", result.shape, parallel: true) { outer in
        func element(_ position: Scalar) -> Scalar {
          x(Array(outer[..<axis]) + [position] + outer[axis...])
        }
        let best = Scalar.local(0, x.dtype.computed)
        let place = Scalar.local(1, .int64)
        let scan = context.nest("number", [x.shape[axis]]) { number in
          let candidate = Scalar.local(2, x.dtype.computed)
          let isBetter = isMaximum ? best.isLess(than: candidate) : candidate.isLess(than: best)
          return [
            .define(2, element(number[0])),
            .when(isBetter, [.assign(0, candidate), .assign(1, number[0])]),
          ]
        }
        return [.define(0, element(.index(0))), .define(1, .index(0))] + scan
          + [result.store(place, at: outer)]
      }
    }
  }

  static let examples = [
    Example("of rows", [.init([4, 9], .distinct)], differentiable: false) {
      $0[0].argMax(axis: 1)
    },
    Example("of columns", [.init([4, 3], .distinct)], differentiable: false) {
      $0[0].argMin(axis: 0)
    },
    Example("of all", [.init([4, 3], .distinct)], differentiable: false) { $0[0].argMax() },
    Example("ties", [.init([3, 9], .whole(0...2))], differentiable: false) {
      $0[0].argMax(axis: -1)
    },
    Example("least ties", [.init([3, 9], .whole(0...2), .int32)], differentiable: false) {
      $0[0].argMin(axis: -1, keepingAxis: true)
    },
    Example(
      "NaN is the largest", [.init([5], .given([1, .nan, .infinity, .nan, -2]))],
      differentiable: false
    ) { $0[0].argMax() },
    Example(
      "NaN is not the smallest", [.init([4], .given([.nan, 1, -2, .nan]))],
      differentiable: false
    ) { $0[0].argMin() },
    Example("nothing but NaN", [.init([2], .given([.nan, .nan]))], differentiable: false) {
      $0[0].argMin()
    },
    Example("no rows", [.init([0, 3])], differentiable: false) { $0[0].argMax(axis: 1) },
    Example("middle axis", [.init([2, 5, 3], .distinct)], differentiable: false) {
      $0[0].argMax(axis: 1)
    },
  ]
}

// MARK: - Order

extension NDArray {
  /// The order of all elements: NaN is larger than any number.
  static func isLess(_ x: Double, _ y: Double) -> Bool { x < y || (!x.isNaN && y.isNaN) }

  /// The elements along an axis, for each index of the other axes in row-major order.
  func rows(along axis: Int) -> [[Double]] {
    let others = shape.indices.filter { $0 != axis }
    let (values, length) = (transposed(others + [axis]).doubles, shape[axis])
    let count = others.reduce(1) { $0 * shape[$1] }
    return (0..<count).map { Array(values[($0 * length)..<(($0 + 1) * length)]) }
  }

  /// The array whose rows along an axis are given.
  init(rows: [[Double]], along axis: Int, shape: [Int], _ dtype: DType) {
    let others = shape.indices.filter { $0 != axis }
    let moved = NDArray(
      rounding: rows.flatMap { $0 }, shape: (others + [axis]).map { shape[$0] }, dtype)
    let order = others + [axis]
    self = moved.transposed(order.indices.sorted { order[$0] < order[$1] }).contiguous()
  }
}

extension Scalar {
  /// In the order of all elements: NaN is larger than any number.
  func isLess(than other: Scalar) -> Scalar {
    guard dtype.isFloating else { return self .< other }
    return (self .< other) .| (other(.isNaN) .& .unary(.not, self(.isNaN)))
  }
}
