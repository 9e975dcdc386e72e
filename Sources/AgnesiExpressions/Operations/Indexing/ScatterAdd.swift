import AgnesiArrays
import AgnesiLoops

extension Tensor {
  /// This with `updates` added at `indices` of an axis; where indices repeat all of them are added,
  /// in their order, so the sum is the same each time.
  ///
  /// - Parameters:
  ///   - indices: integers of any shape; negative ones count from the end. What lies outside of the
  ///     axis is dropped.
  ///   - updates: of the dtype of this; the axes of `indices` stand in the place of `axis`.
  public func scatterAdded(_ indices: Tensor, _ updates: Tensor, axis: Int = 0) -> Tensor {
    guard type.isKnown else { return self }
    let position = normalized(axis)
    guard shape.indices.contains(position) else {
      return rejected(by: "scatterAdded", "axis \(axis) of a tensor of \(rank) axes")
    }
    return self + ScatterAdd(axis: position, size: shape[position]).sum(indices, updates)
  }
}

/// Zeros with updates added at the indices of an axis: the adjoint of ``Gather``.
struct ScatterAdd: Operation {
  static let name = "scatterAdd"
  /// Updates outside of the axis are dropped.
  var leavesElementsOut: Bool { true }
  let axis: Int
  let size: Size

  var roles: [String] { ["indices", "updates"] }

  func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let (indices, updates) = (operands[0], operands[1])
    guard indices.dtype.isInteger else {
      throw TypeError("needs integer indices, got \(indices.dtype)")
    }
    guard updates.dtype != .bool else { throw TypeError("bools have no sum") }
    guard updates.rank >= axis + indices.rank else {
      throw TypeError(
        "updates of \(updates.rank) axes, of which \(axis + indices.rank) are indexed")
    }
    let indexed = Array(updates.shape[axis..<(axis + indices.rank)])
    _ = try Shape.equal(indices.shape, indexed)
    let trailing = updates.shape[(axis + indices.rank)...]
    return [TensorType(updates.dtype, updates.shape[..<axis] + [size] + trailing)]
  }

  func gradient(_ upstream: [Tensor?], operands: [Tensor], results: [Tensor]) -> [Tensor?] {
    guard let upstream = upstream[0] else { return [nil, nil] }
    // What was dropped has no gradient, where reading outside would give NaN.
    let indices = operands[0]
    let gathered = upstream.gathered(indices, axis: axis)
    let count = Tensor.integer(size)
    let isInside = (indices.cast(to: .int64) .< count) .& (indices.cast(to: .int64) .>= -count)
    let leading = isInside.reshaped(
      indices.shape + Shape(repeating: 1, count: gathered.rank - axis - indices.rank))
    return [nil, select(leading, gathered, .zeros(like: gathered))]
  }

  func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    let (indices, updates) = (operands[0], operands[1])
    let shape = types[0].knownShape ?? []
    let positions = indices.places(in: shape[axis])
    let (inner, outer) = (NDArray.rowMajorStrides(indices.shape), NDArray.rowMajorStrides(shape))
    func sums<Number>(_ values: [Number], _ zero: Number, _ add: (Number, Number) -> Number)
      -> [Number]
    {
      var sums = [Number](repeating: zero, count: shape.product)
      for (index, value) in zip(NDArray.indices(updates.shape), values) {
        let indexed = index[axis..<(axis + indices.rank)]
        let number = zip(indexed, inner).reduce(0) { $0 + $1.0 * $1.1 }
        guard let position = positions[number] else { continue }
        let rest = index[(axis + indices.rank)...]
        let target = zip(index[..<axis] + [position] + rest, outer).reduce(0) { $0 + $1.0 * $1.1 }
        sums[target] = add(sums[target], value)
      }
      return sums
    }
    return updates.dtype.isFloating
      ? [NDArray(rounding: sums(updates.doubles, 0, +), shape: shape, types[0].dtype)]
      : [NDArray(wrapping: sums(updates.wholes, 0, &+), shape: shape, types[0].dtype)]
  }

  /// Zeros, then one update after the other; parallel over the axes in front.
  func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering? {
    let (axis, size) = (axis, size)
    return .loops { context in
      let (indices, updates, result) = (
        context.operands[0], context.operands[1], context.results[0]
      )
      let leading = Array(result.shape[..<axis])
      let trailing = Array(result.shape[(axis + 1)...])
      return context.nest("row", leading, parallel: true) { outer in
        let zeros = context.nest("zero", [size] + trailing) { inner in
          [result.store(.constant(0, result.dtype.computed), at: outer + inner)]
        }
        return zeros
          + context.nest("number", indices.shape) { number in
            let (position, isInside) = resolved(indices(number), size)
            let sums = context.nest("inner", trailing) { inner in
              let target = outer + [position] + inner
              return [result.store(result(target) + updates(outer + number + inner), at: target)]
            }
            return [.when(isInside, sums)]
          }
      }
    }
  }

  /// The operation on 16-bit floats in float32, rounded once: sums grow in memory, where a float16 of
  /// 2048 would stay what it is when 1 is added.
  func sum(_ indices: Tensor, _ updates: Tensor) -> Tensor {
    Tensor(self, indices, updates.widened).narrowed(as: updates)
  }

  func substituting(_ sizes: [String: Size]) -> ScatterAdd {
    ScatterAdd(axis: axis, size: size.substituting(sizes))
  }

  static let examples = [
    Example("rows", [.init([5, 3]), .init([4], .whole(0...4), .int32), .init([4, 3])]) {
      $0[0].scatterAdded($0[1], $0[2])
    },
    Example(
      "columns by a matrix",
      [.init([3, 5]), .init([2, 2], .whole(-5...4), .int64), .init([3, 2, 2])]
    ) { $0[0].scatterAdded($0[1], $0[2], axis: 1) },
    Example("all into one", [.init([2]), .init([3], .given([1, 1, 1]), .int32), .init([3])]) {
      $0[0].scatterAdded($0[1], $0[2])
    },
    Example("one index", [.init([3, 2]), .init([], .given([-1]), .int32), .init([2])]) {
      $0[0].scatterAdded($0[1], $0[2])
    },
    Example("outside", [.init([3]), .init([4], .given([3, -4, 0, 900]), .int32), .init([4])]) {
      $0[0].scatterAdded($0[1], $0[2])
    },
    Example("no updates", [.init([3]), .init([0], .given([]), .int32), .init([0])]) {
      $0[0].scatterAdded($0[1], $0[2])
    },
  ]
}
