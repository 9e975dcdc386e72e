import AgnesiArrays
import AgnesiLoops

// Diagonals and triangles of the last two axes. `offset` counts diagonals above the main one.

extension Tensor {
  /// 1 on a diagonal and 0 elsewhere: `[rows, columns]`.
  public static func identity(
    _ rows: Size, _ columns: Size? = nil, offset: Int = 0, _ dtype: DType = .float32
  ) -> Tensor {
    diagonalDistance([rows, columns ?? rows], offset).map { ($0 .== 0).cast(to: dtype) }
      ?? .failed(GraphError("identity", "no matrix"))
  }

  /// The elements on and below a diagonal; the others are 0.
  public func lowerTriangle(offset: Int = 0) -> Tensor {
    guard type.isKnown else { return self }
    guard let distance = Self.diagonalDistance(shape, offset) else {
      return rejected(by: "lowerTriangle", "needs at least 2 axes, got \(rank)")
    }
    return select(distance .<= 0, self, .zeros(like: self))
  }

  /// The elements on and above a diagonal; the others are 0.
  public func upperTriangle(offset: Int = 0) -> Tensor {
    guard type.isKnown else { return self }
    guard let distance = Self.diagonalDistance(shape, offset) else {
      return rejected(by: "upperTriangle", "needs at least 2 axes, got \(rank)")
    }
    return select(distance .>= 0, self, .zeros(like: self))
  }

  /// A matrix with this vector (or, of more axes, each vector of the last one) on its diagonal.
  public func diagonalMatrix() -> Tensor {
    guard type.isKnown else { return self }
    guard let size = shape.last else {
      return rejected(by: "diagonalMatrix", "needs at least 1 axis, got 0")
    }
    let rows = expanded(axis: -1).broadcast(to: shape + [size])
    return select(Tensor.identity(size, size, offset: 0, .bool), rows, .zeros(like: rows))
  }

  /// The elements of a diagonal of the last two axes, which have known sizes.
  public func diagonal(offset: Int = 0) -> Tensor {
    guard type.isKnown else { return self }
    guard rank >= 2, let rows = size(-2).known, let columns = size(-1).known else {
      return rejected(by: "diagonal", "needs a matrix of known sizes, got \(type)")
    }
    let first = offset >= 0 ? offset : -offset * columns
    let count = offset >= 0 ? Swift.min(rows, columns - offset) : Swift.min(rows + offset, columns)
    let leading = Array(shape.dropLast(2))
    let line = reshaped(leading + [Size(rows * columns)])
    let slice = Slice(
      starts: leading.map { _ in 0 } + [Size(count > 0 ? first : 0)],
      counts: leading + [Size(Swift.max(count, 0))],
      steps: leading.map { _ in 1 } + [columns + 1])
    return Tensor(slice, line)
  }

  /// Column − row − offset of the last two axes; nil for fewer axes.
  private static func diagonalDistance(_ shape: Shape, _ offset: Int) -> Tensor? {
    guard shape.count >= 2 else { return nil }
    return Tensor.index(shape, axis: -1) - Tensor.index(shape, axis: -2) - offset
  }
}
