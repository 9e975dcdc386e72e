import AgnesiArrays
import AgnesiExpressions

extension ONNXOperators {
  /// Reductions along axes.
  static var reductions: [ONNXOperator] {
    [
      reduction("ReduceSum") { $0.sum(axes: $1, keepingAxes: $2) },
      reduction("ReduceProd") { $0.product(axes: $1, keepingAxes: $2) },
      reduction("ReduceMax") { x, axes, isKeeping in
        x.dtype == .bool
          ? x.any(axes: axes, keepingAxes: isKeeping) : x.max(axes: axes, keepingAxes: isKeeping)
      },
      reduction("ReduceMin") { x, axes, isKeeping in
        x.dtype == .bool
          ? x.all(axes: axes, keepingAxes: isKeeping) : x.min(axes: axes, keepingAxes: isKeeping)
      },
      reduction("ReduceMean", isFloating: true) { $0.mean(axes: $1, keepingAxes: $2) },
      reduction("ReduceL1") { abs($0).sum(axes: $1, keepingAxes: $2) },
      reduction("ReduceL2", isFloating: true) { sqrt(square($0).sum(axes: $1, keepingAxes: $2)) },
      reduction("ReduceSumSquare") { square($0).sum(axes: $1, keepingAxes: $2) },
      reduction("ReduceLogSum", isFloating: true) { log($0.sum(axes: $1, keepingAxes: $2)) },
      reduction("ReduceLogSumExp", isFloating: true) {
        logSumExp($0, axes: $1, keepingAxes: $2)
      },
      ONNXOperator("ArgMax") { try position($0, isLargest: true) },
      ONNXOperator("ArgMin") { try position($0, isLargest: false) },
      ONNXOperator("CumSum", cumulated),
      ONNXOperator("TopK", results: largest),
    ]
  }

  private static func reduction(
    _ name: String, isFloating: Bool = false,
    _ function: @escaping @Sendable (_ x: Tensor, _ axes: [Int], _ isKeeping: Bool) -> Tensor
  ) -> ONNXOperator {
    ONNXOperator(name) { call in
      let x = try call(0)
      if isFloating, !x.dtype.isFloating {
        throw ONNXRefusal("\(name) of \(x.dtype) is not supported")
      }
      let given = try call.integers("axes", orInput: 1) ?? []
      if given.isEmpty, try call.flag("noop_with_empty_axes") {
        // Nothing is folded, but the function of each element is taken.
        return function(x.widened.expanded(axis: x.rank), [x.rank], false).narrowed(as: x)
      }
      let axes = try call.axes(given, of: x.rank)
      // 16-bit floats in float32, rounded once: squares and sums inside may be beyond their range.
      return function(
        x.widened, axes.isEmpty ? Array(0..<x.rank) : axes, try call.flag("keepdims", true)
      ).narrowed(as: x)
    }
  }

  private static func position(_ call: ONNXCall, isLargest: Bool) throws -> Tensor {
    let x = try call(0)
    let axis = try call.axis(try call.integer("axis", 0), of: x.rank)
    let isLast = try call.flag("select_last_index")
    let searched = isLast ? x.flipped([axis]) : x
    let isKeeping = try call.flag("keepdims", true)
    let found =
      isLargest
      ? searched.argMax(axis: axis, keepingAxis: isKeeping)
      : searched.argMin(axis: axis, keepingAxis: isKeeping)
    return isLast ? Tensor.integer(x.shape[axis] - 1) - found : found
  }

  private static func cumulated(_ call: ONNXCall) throws -> Tensor {
    let x = try call(0)
    let axis = try call.axis(try call.integer(in: 1, "axis"), of: x.rank)
    let isReversed = try call.flag("reverse")
    let sums = x.cumulativeSum(axis: axis, reversed: isReversed)
    guard try call.flag("exclusive") else { return sums }
    let shift = isReversed ? (before: -1, after: 1) : (before: 1, after: -1)
    return sums.padded(x.shape.indices.map { $0 == axis ? shift : (0, 0) })
  }

  private static func largest(_ call: ONNXCall) throws -> [Tensor] {
    let x = try call(0)
    let axis = try call.axis(try call.integer("axis", -1), of: x.rank)
    let count =
      call.version < 10 ? try call.integer("k", 0) : try call.integer(in: 1, "number k")
    guard count >= 0, x.shape[axis].known.map({ count <= $0 }) ?? (count <= 1 << 31) else {
      throw ONNXRefusal(
        "its k is \(count), the size of axis \(axis) of \(x.type) is \(x.shape[axis])")
    }
    if try call.flag("largest", true) {
      let best = x.topK(count, axis: axis)
      return [best.values, best.indices]
    }
    guard x.dtype.isSigned else {
      throw ONNXRefusal("the smallest elements of \(x.dtype) are not supported")
    }
    let best = (-x).topK(count, axis: axis)
    return [-best.values, best.indices]
  }
}
