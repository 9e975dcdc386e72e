import AgnesiArrays
import AgnesiLoops

extension Tensor {
  /// At each place, the element of the same row that `indices` names: `result[i, j] =
  /// self[i, indices[i, j]]` for the last of two axes.
  ///
  /// - Parameters:
  ///   - indices: integers, of the shape of this but for the size of `axis`; negative ones count from
  ///     the end. One outside of the axis gives NaN (0 for integers, false for bool).
  ///   - axis: what is indexed; negative axes count from the end.
  /// - Returns: the dtype of this, the shape of `indices`.
  public func takenAlong(axis: Int = -1, _ indices: Tensor) -> Tensor {
    Tensor(TakeAlongAxis(axis: type.isKnown ? normalized(axis) : axis), self, indices)
  }

  /// One element of each row: `result[i] = self[i, indices[i]]`, the score of the right class.
  ///
  /// - Parameter indices: integers, of the shape of this without `axis`; as for
  ///   ``takenAlong(axis:_:)``.
  public func picked(_ indices: Tensor, axis: Int = -1) -> Tensor {
    guard type.isKnown, indices.type.isKnown, rank == indices.rank + 1 else {
      return takenAlong(axis: axis, indices)
    }
    let taken = takenAlong(axis: axis, indices.expanded(axis: axis))
    return taken.type.isKnown ? taken.reshaped(indices.shape) : taken
  }
}

struct TakeAlongAxis: Operation {
  static let name = "takeAlongAxis"
  var leavesElementsOut: Bool { true }
  let axis: Int

  var roles: [String] { ["table", "indices"] }

  func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let (table, indices) = (operands[0], operands[1])
    try table.checkIndexing(axis, by: indices)
    var shape = table.shape
    if indices.rank == table.rank { shape[axis] = indices.shape[axis] }
    return [TensorType(table.dtype, try Shape.equal(shape, indices.shape))]
  }

  func gradient(_ upstream: [Tensor?], operands: [Tensor], results: [Tensor]) -> [Tensor?] {
    guard let upstream = upstream[0] else { return [nil, nil] }
    let scatter = ScatterAlongAxis(axis: axis, size: operands[0].shape[axis])
    return [scatter.sum(operands[1], upstream), nil]
  }

  func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    let (table, indices) = (operands[0], operands[1])
    let places = indices.places(in: table.shape[axis])
    let strides = NDArray.rowMajorStrides(indices.shape)
    let result = NDArray(
      shape: indices.shape, movedFrom: table, fill: missingElement(table.dtype)
    ) { index in
      let place = places[zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 }]
      return place.map { index.replacing(axis, with: $0) }
    }
    return [result]
  }

  func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering? {
    let (axis, size, dtype) = (axis, operands[0].shape[axis], operands[0].dtype)
    return .pull { index, operands in
      guardedRead(operands[1](index), size, dtype) { position in
        var place = index
        place[axis] = position
        return operands[0](place)
      }
    }
  }

  static let examples = [
    Example("the last axis", [.init([4, 5]), .init([4, 2], .whole(-5...4), .int32)]) {
      $0[0].takenAlong($0[1])
    },
    Example("the first axis", [.init([4, 3]), .init([2, 3], .whole(0...3), .int64)]) {
      $0[0].takenAlong(axis: 0, $0[1])
    },
    Example("scores of labels", [.init([6, 3]), .init([6], .whole(0...2), .int32)]) {
      $0[0].picked($0[1])
    },
    Example(
      "outside", [.init([3, 2]), .init([3], .given([2, -3, 1]), .int32)], differentiable: false
    ) { $0[0].picked($0[1]) },
    Example("many", [.init([2, 3]), .init([2, 11], .whole(0...2), .int32)]) {
      $0[0].takenAlong($0[1])
    },
    Example("none", [.init([2, 3]), .init([2, 0], .given([]), .int32)]) {
      $0[0].takenAlong($0[1])
    },
  ]
}

/// Zeros with each update added in its row where `indices` says: the adjoint of ``TakeAlongAxis``.
struct ScatterAlongAxis: Operation {
  static let name = "scatterAlongAxis"
  /// Updates outside of the axis are dropped.
  var leavesElementsOut: Bool { true }
  let axis: Int
  let size: Size

  var roles: [String] { ["indices", "updates"] }

  /// So few updates a row are compared with each place, which needs no memory and fuses.
  private static let few = 4

  func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let (indices, updates) = (operands[0], operands[1])
    try updates.checkIndexing(axis, by: indices)
    guard updates.dtype != .bool else { throw TypeError("bools have no sum") }
    var shape = try Shape.equal(indices.shape, updates.shape)
    shape[axis] = size
    return [TensorType(updates.dtype, shape)]
  }

  func gradient(_ upstream: [Tensor?], operands: [Tensor], results: [Tensor]) -> [Tensor?] {
    guard let upstream = upstream[0] else { return [nil, nil] }
    // What was dropped has no gradient, where reading outside would give NaN.
    let (indices, count) = (operands[0].cast(to: .int64), Tensor.integer(size))
    let taken = upstream.takenAlong(axis: axis, indices)
    let isInside = (indices .< count) .& (indices .>= -count)
    return [nil, select(isInside, taken, .zeros(like: taken))]
  }

  func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    let (indices, updates) = (operands[0], operands[1])
    let shape = types[0].knownShape ?? []
    let places = indices.places(in: shape[axis])
    let strides = NDArray.rowMajorStrides(shape)
    func sums<Number>(_ values: [Number], _ zero: Number, _ add: (Number, Number) -> Number)
      -> [Number]
    {
      var sums = [Number](repeating: zero, count: shape.product)
      for (position, index) in NDArray.indices(indices.shape).enumerated() {
        guard let place = places[position] else { continue }
        let target = zip(index.replacing(axis, with: place), strides).reduce(0) { $0 + $1.0 * $1.1 }
        sums[target] = add(sums[target], values[position])
      }
      return sums
    }
    return updates.dtype.isFloating
      ? [NDArray(rounding: sums(updates.doubles, 0, +), shape: shape, types[0].dtype)]
      : [NDArray(wrapping: sums(updates.wholes, 0, &+), shape: shape, types[0].dtype)]
  }

  func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering? {
    let count = operands[0].shape[axis]
    if let known = count.known, known <= Self.few { return comparing(known, results[0].dtype) }
    return .loops { context in
      let (indices, updates, result) = (
        context.operands[0], context.operands[1], context.results[0]
      )
      func row(_ outer: [Scalar], _ position: Scalar) -> [Scalar] {
        Array(outer[..<axis]) + [position] + outer[axis...]
      }
      var others = result.shape
      others.remove(at: axis)
      return context.nest("row", others, parallel: true) { outer in
        let zeros = context.nest("zero", [size]) { inner in
          [result.store(.constant(0, result.dtype.computed), at: row(outer, inner[0]))]
        }
        return zeros
          + context.nest("number", [count]) { number in
            let place = row(outer, number[0])
            let (position, isInside) = resolved(indices(place), size)
            let target = row(outer, position)
            return [
              .when(isInside, [result.store(result(target) + updates(place), at: target)])
            ]
          }
      }
    }
  }

  private func comparing(_ count: Int, _ dtype: DType) -> Lowering {
    .pull { index, operands in
      let zero = Scalar.constant(0, dtype.computed)
      return (0..<count).reduce(zero) { sum, number in
        var place = index
        place[axis] = .index(Size(number))
        let (position, _) = resolved(operands[0](place), size)
        let share = Scalar.select(position .== index[axis], operands[1](place), zero)
        return number == 0 ? share : sum + share
      }
    }
  }

  /// The operation on 16-bit floats in float32, as ``ScatterAdd/sum(_:_:)``.
  func sum(_ indices: Tensor, _ updates: Tensor) -> Tensor {
    Tensor(self, indices, updates.widened).narrowed(as: updates)
  }

  func substituting(_ sizes: [String: Size]) -> ScatterAlongAxis {
    ScatterAlongAxis(axis: axis, size: size.substituting(sizes))
  }

  static let examples = [
    Example("one a row", [.init([4, 1], .whole(-3...3), .int32), .init([4, 1])]) {
      Tensor(ScatterAlongAxis(axis: 1, size: 3), $0[0], $0[1])
    },
    Example("a few", [.init([3, 5], .whole(0...2), .int32), .init([3, 5])]) {
      Tensor(ScatterAlongAxis(axis: 0, size: 4), $0[0], $0[1])
    },
    Example("many", [.init([2, 9], .whole(-4...4), .int32), .init([2, 9])]) {
      Tensor(ScatterAlongAxis(axis: 1, size: 3), $0[0], $0[1])
    },
    Example("none", [.init([2, 0], .given([]), .int32), .init([2, 0])]) {
      Tensor(ScatterAlongAxis(axis: 1, size: 3), $0[0], $0[1])
    },
  ]
}
