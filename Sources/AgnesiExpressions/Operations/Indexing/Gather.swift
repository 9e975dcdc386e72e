import AgnesiArrays
import AgnesiLoops

// Indices in general: integers; negative ones count from the end of the axis. What lies outside of
// the axis even then reads as NaN (0 for integers, false for bool), and is written nowhere: a wrong
// label shows in the loss at once, and compiled code never leaves its memory.

extension Tensor {
  /// The elements at `indices` of an axis: rows of a table, in any order and number.
  ///
  /// - Parameters:
  ///   - indices: integers of any shape; negative ones count from the end. One outside of the axis
  ///     gives NaN (0 for integers, false for bool).
  ///   - axis: what is indexed; negative axes count from the end.
  /// - Returns: the dtype of this; the axes of `indices` stand in the place of `axis`.
  public func gathered(_ indices: Tensor, axis: Int = 0) -> Tensor {
    Tensor(Gather(axis: type.isKnown ? normalized(axis) : axis), self, indices)
  }
}

struct Gather: Operation {
  static let name = "gather"
  var leavesElementsOut: Bool { true }
  let axis: Int

  var roles: [String] { ["table", "indices"] }

  func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let (table, indices) = (operands[0], operands[1])
    try table.checkIndexing(axis, by: indices)
    let shape = table.shape.prefix(axis) + indices.shape + table.shape.dropFirst(axis + 1)
    return [TensorType(table.dtype, Array(shape))]
  }

  func gradient(_ upstream: [Tensor?], operands: [Tensor], results: [Tensor]) -> [Tensor?] {
    guard let upstream = upstream[0] else { return [nil, nil] }
    let scatter = ScatterAdd(axis: axis, size: operands[0].shape[axis])
    return [scatter.sum(operands[1], upstream), nil]
  }

  func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    let (table, indices) = (operands[0], operands[1])
    let size = table.shape[axis]
    let positions = indices.places(in: size)
    let strides = NDArray.rowMajorStrides(indices.shape)
    let result = NDArray(
      shape: types[0].knownShape ?? [], movedFrom: table, fill: missingElement(table.dtype)
    ) { index in
      let inner = index[axis..<(axis + indices.rank)]
      let number = zip(inner, strides).reduce(0) { $0 + $1.0 * $1.1 }
      return positions[number].map {
        Array(index[..<axis]) + [$0] + index[(axis + indices.rank)...]
      }
    }
    return [result]
  }

  func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering? {
    let (axis, rank, dtype) = (axis, operands[1].rank, operands[0].dtype)
    let size = operands[0].shape[axis]
    return .pull { index, operands in
      let number = operands[1](Array(index[axis..<(axis + rank)]))
      return guardedRead(number, size, dtype) { position in
        operands[0](Array(index[..<axis]) + [position] + index[(axis + rank)...])
      }
    }
  }

  static let examples = [
    Example("rows", [.init([5, 3]), .init([4], .whole(0...4), .int32)]) {
      $0[0].gathered($0[1])
    },
    Example("columns by a matrix", [.init([3, 5]), .init([2, 3], .whole(-5...4), .int64)]) {
      $0[0].gathered($0[1], axis: -1)
    },
    Example("one index", [.init([3, 4]), .init([], .given([2]), .int32)]) {
      $0[0].gathered($0[1], axis: 1)
    },
    Example("the same again", [.init([3, 2]), .init([4], .given([1, 1, -2, 0]), .int32)]) {
      $0[0].gathered($0[1])
    },
    Example("no indices", [.init([3, 2]), .init([0], .given([]), .int32)]) {
      $0[0].gathered($0[1])
    },
    Example(
      "outside", [.init([3, 2]), .init([4], .given([3, -4, 2, 900]), .int32)],
      differentiable: false
    ) { $0[0].gathered($0[1]) },
    Example(
      "outside of bytes", [.init([3], .whole(1...9), .uint8), .init([2], .given([3, 1]), .int8)],
      differentiable: false
    ) { $0[0].gathered($0[1]) },
    Example(
      "an empty table", [.init([0, 2]), .init([1], .given([0]), .int32)], differentiable: false
    ) { $0[0].gathered($0[1]) },
  ]
}

// MARK: - Indices

extension TensorType {
  /// Whether `axis` exists and `indices` are integers.
  func checkIndexing(_ axis: Int, by indices: TensorType) throws(TypeError) {
    guard shape.indices.contains(axis) else {
      throw TypeError("axis \(axis) of a tensor of \(rank) axes")
    }
    guard indices.dtype.isInteger else {
      throw TypeError("needs integer indices, got \(indices.dtype)")
    }
  }
}

/// What an index outside of an axis reads.
func missingElement(_ dtype: DType) -> Double { dtype.isFloating ? .nan : 0 }

extension NDArray {
  /// The positions of an axis that these integers mean, in row-major order; nil outside of the axis.
  func places(in size: Int) -> [Int?] {
    let isUnsigned = dtype == .uint64
    return wholes.map { index in
      // The bits of an unsigned index beyond int64 are no position from the end.
      if isUnsigned && index < 0 { return nil }
      let position = index < 0 ? index + Int64(size) : index
      return position >= 0 && position < Int64(size) ? Int(position) : nil
    }
  }
}

/// `read` at the position that an index means, what is missing outside of the axis.
func guardedRead(
  _ index: Scalar, _ size: Size, _ dtype: DType, read: (Scalar) -> Scalar
) -> Scalar {
  let missing = Scalar.constant(missingElement(dtype), dtype.computed)
  if size.isZero { return missing }
  let (position, isInside) = resolved(index, size)
  return .select(isInside, read(position), missing)
}

/// The position that an index means, and whether it is inside of the axis.
func resolved(_ index: Scalar, _ size: Size) -> (position: Scalar, isInside: Scalar) {
  // An unsigned index beyond int64 is no position from the end.
  let bounded =
    index.dtype == .uint64 ? Scalar.binary(.minimum, index, .whole(.max, .uint64)) : index
  let whole = bounded.cast(to: .int64)
  let position = Scalar.select(whole .< .index(0), whole + .index(size), whole)
  return (position, (position .>= .index(0)) .& (position .< .index(size)))
}
