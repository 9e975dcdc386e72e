import AgnesiArrays
import AgnesiLoops

extension Tensor {
  /// The `count` largest elements along an axis, the largest first, and their positions.
  ///
  /// Of equal elements the one at the lower position comes first; NaN is larger than any number.
  /// - Parameters:
  ///   - count: at most the size of the axis.
  ///   - axis: negative axes count from the end.
  /// - Returns: values of the dtype of this, and positions as int64, both with `count` elements along
  ///   `axis`. The gradient of a value goes to where it came from.
  /// - Complexity: `count · n` comparisons for each row of n elements.
  public func topK(_ count: Int, axis: Int = -1) -> (values: Tensor, indices: Tensor) {
    let position = type.isKnown ? normalized(axis) : axis
    let results = Tensor.make(TopK(count: count, axis: position), [self])
    return (results[0], results[1])
  }
}

struct TopK: Operation {
  static let name = "topK"
  var leavesElementsOut: Bool { true }
  let count: Int
  let axis: Int

  var resultCount: Int { 2 }

  func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    var shape = operands[0].shape
    guard shape.indices.contains(axis) else {
      throw TypeError("axis \(axis) of a tensor of \(shape.count) axes")
    }
    guard count >= 0, shape[axis].known.map({ count <= $0 }) ?? true else {
      throw TypeError("\(count) elements of axis \(axis), whose size is \(shape[axis])")
    }
    shape[axis] = Size(count)
    return [TensorType(operands[0].dtype, shape), TensorType(.int64, shape)]
  }

  func gradient(_ upstream: [Tensor?], operands: [Tensor], results: [Tensor]) -> [Tensor?] {
    guard let upstream = upstream[0], upstream.dtype.isFloating else { return [nil] }
    let scatter = ScatterAlongAxis(axis: axis, size: operands[0].shape[axis])
    return [Tensor(scatter, results[1], upstream)]
  }

  func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    let rows = operands[0].rows(of: operands[0].orderedKeys, along: axis)
    let orders = rows.map { Array(NDArray.order($0, isDescending: true).prefix(count)) }
    return NDArray.picked(operands[0], orders, along: axis, shape: types[0].knownShape ?? [])
  }

  /// Each place takes the best of the elements behind the place before it, in the order of (value,
  /// position), so that nothing needs to be marked as taken.
  func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering? {
    .loops { context in
      let (x, values, indices) = (context.operands[0], context.results[0], context.results[1])
      var others = x.shape
      others.remove(at: axis)
      return context.nest("row", others, parallel: true) { outer in
        selection(context, x) { position in
          Array(outer[..<axis]) + [position] + outer[axis...]
        } store: { rank, value, position in
          [values.store(value, at: rank), indices.store(position, at: rank)]
        }
      }
    }
  }

  private func selection(
    _ context: LoopContext, _ x: LoopContext.Memory, row: @escaping (Scalar) -> [Scalar],
    store: @escaping ([Scalar], Scalar, Scalar) -> [Statement]
  ) -> [Statement] {
    let dtype = x.dtype.computed
    // The element chosen last, the best so far, and the one at hand; positions are −1 before.
    let (last, lastPlace) = (Scalar.local(0, dtype), Scalar.local(1, .int64))
    let (best, bestPlace) = (Scalar.local(2, dtype), Scalar.local(3, .int64))
    let candidate = Scalar.local(4, dtype)
    let zero = Scalar.constant(0, dtype)
    let ranks = context.nest("rank", [Size(count)]) { rank in
      let scan = context.nest("number", [x.shape[axis]]) { number in
        let isAfterLast =
          candidate.isLess(than: last)
          .| (.unary(.not, last.isLess(than: candidate)) .& (lastPlace .< number[0]))
        let isFree = (lastPlace .< .index(0)) .| isAfterLast
        let isBetter = (bestPlace .< .index(0)) .| best.isLess(than: candidate)
        return [
          .define(4, x(row(number[0]))),
          .when(isFree .& isBetter, [.assign(2, candidate), .assign(3, number[0])]),
        ]
      }
      return [.define(2, zero), .define(3, .index(-1))] + scan
        + [.assign(0, best), .assign(1, bestPlace)]
        + store(row(rank[0]), best, bestPlace)
    }
    return [.define(0, zero), .define(1, .index(-1))] + ranks
  }

  static let examples = [
    Example("values", [.init([3, 8], .distinct)], smooth: false) { $0[0].topK(3).values },
    Example(
      "both", [.init([3, 8], .distinct)], smooth: false,
      results: {
        let top = $0[0].topK(4)
        return [top.values, top.indices]
      }),
    Example(
      "of columns", [.init([5, 3], .distinct)], smooth: false,
      results: {
        let top = $0[0].topK(2, axis: 0)
        return [top.values, top.indices]
      }),
    Example("ties", [.init([3, 9], .whole(0...2), .int32)], differentiable: false) {
      $0[0].topK(5).indices
    },
    Example(
      "NaN", [.init([6], .given([1, .nan, 3, .nan, -.infinity, 3]))],
      differentiable: false,
      results: {
        let top = $0[0].topK(6)
        return [top.values, top.indices]
      }),
    Example("none", [.init([2, 3], .distinct)]) { $0[0].topK(0).values },
  ]
}

extension NDArray {
  /// The positions of a row of keys in order; equal ones by position.
  static func order(_ row: [Int64], isDescending: Bool) -> [Int] {
    row.indices.sorted { a, b in
      if row[a] == row[b] { return a < b }
      return isDescending ? row[a] > row[b] : row[a] < row[b]
    }
  }

  /// The elements at the given positions of each row, and the positions.
  static func picked(
    _ array: NDArray, _ orders: [[Int]], along axis: Int, shape: [Int]
  ) -> [NDArray] {
    let places = joined(orders, along: axis, shape: shape)
    let strides = NDArray.rowMajorStrides(shape)
    let values = NDArray(shape: shape, movedFrom: array) { index in
      index.replacing(axis, with: places[zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 }])
    }
    return [values, NDArray(wrapping: places.map { Int64($0) }, shape: shape, .int64)]
  }
}
