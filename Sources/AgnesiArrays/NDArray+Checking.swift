import Foundation

// What of `NDArray` stops the program where a shape, an index or a dtype does not fit, as errors: for
// values from outside, which nobody can know before.
//
// The others stop the program, as Swift's own arrays do for an index outside of their bounds: they are
// for shapes that stand in the program beside them.

/// An array that cannot be made or read in the way that was asked for.
public struct ArrayError: Error, Sendable, Hashable, CustomStringConvertible, LocalizedError {
  /// What was being done: `reshape`.
  public let action: String
  public let message: String

  init(_ action: String, _ message: String) {
    self.action = action
    self.message = message
  }

  public var description: String { "\(action): \(message)" }
  /// ``description``, for Foundation.
  public var errorDescription: String? { description }
}

extension NDArray {
  /// `scalars` in row-major order.
  ///
  /// - Throws: ``ArrayError`` where their number is not the product of `shape`, or a size is negative.
  public init<Scalar: ArrayScalar>(checking scalars: [Scalar], shape: [Int]) throws {
    try Self.check(scalars.count, fills: shape, "array")
    self.init(scalars, shape: shape)
  }

  /// `values`, rounded to `dtype`, in row-major order.
  ///
  /// - Throws: ``ArrayError`` where their number is not the product of `shape`, or a size is negative.
  public init(checkingRounded values: [Double], shape: [Int], _ dtype: DType) throws {
    try Self.check(values.count, fills: shape, "array")
    self.init(rounding: values, shape: shape, dtype)
  }

  /// The same elements, in row-major order, in another shape.
  ///
  /// - Throws: ``ArrayError`` where it has not as many elements, or a size is negative.
  public func reshaped(checking target: [Int]) throws -> NDArray {
    try Self.check(count, fills: target, "reshape")
    return reshaped(target)
  }

  /// The axes in another order.
  ///
  /// - Throws: ``ArrayError`` where `axes` is no permutation of the axes.
  public func transposed(checking axes: [Int]) throws -> NDArray {
    guard axes.sorted() == Array(shape.indices) else {
      throw ArrayError("transpose", "\(axes) is no permutation of the axes of shape \(shape)")
    }
    return transposed(axes)
  }

  /// Size-1 and missing leading axes repeated, without copying.
  ///
  /// - Throws: ``ArrayError`` where a size is neither 1 nor that of `target`.
  public func broadcast(checking target: [Int]) throws -> NDArray {
    let missing = target.count - rank
    let fits =
      missing >= 0 && target.allSatisfy { $0 >= 0 }
      && shape.indices.allSatisfy { shape[$0] == 1 || shape[$0] == target[$0 + missing] }
    guard fits else {
      throw ArrayError("broadcast", "shape \(shape) does not broadcast to \(target)")
    }
    return broadcast(to: target)
  }

  /// Rows of the first axis; shares memory.
  ///
  /// - Throws: ``ArrayError`` where there are not as many.
  public func rows(checking rows: Range<Int>) throws -> NDArray {
    guard let size = shape.first, rows.lowerBound >= 0, rows.upperBound <= size else {
      throw ArrayError("rows", "\(rows) is outside of an array of shape \(shape)")
    }
    return self[rows: rows]
  }

  /// The rows of the first axis that `indices` names, in that order, copied.
  ///
  /// - Throws: ``ArrayError`` where there is no such row.
  public func gathered(checking indices: some Collection<Int>) throws -> NDArray {
    let size = shape.first ?? 0
    if let other = indices.first(where: { $0 < 0 || $0 >= size }) {
      throw ArrayError("gather", "there is no row \(other) in an array of shape \(shape)")
    }
    guard rank > 0 else { throw ArrayError("gather", "an array of no axes has no rows") }
    return gathered(indices)
  }

  /// The elements in row-major order, as they are stored.
  ///
  /// - Throws: ``ArrayError`` where `Scalar` is not the Swift type of the dtype.
  public func scalars<Scalar: ArrayScalar>(checking type: Scalar.Type) throws -> [Scalar] {
    guard Scalar.dtype == dtype else {
      throw ArrayError("scalars", "\(dtype) elements asked for as \(Scalar.dtype)")
    }
    return scalars(as: type)
  }

  /// The value of an array of one element.
  ///
  /// - Throws: ``ArrayError`` where there are more or none.
  public func singleValue() throws -> Double {
    guard count == 1 else {
      throw ArrayError("scalar", "an array of shape \(shape) has \(count) elements")
    }
    return scalar
  }

  /// The element at `indices`, one for each axis.
  ///
  /// - Throws: ``ArrayError`` where there is no such element.
  public func value(at indices: [Int]) throws -> Double {
    guard indices.count == rank, zip(indices, shape).allSatisfy({ $0 >= 0 && $0 < $1 }) else {
      throw ArrayError("element", "there is no element \(indices) in an array of shape \(shape)")
    }
    var part = self
    for index in indices {
      part = part[rows: index..<(index + 1)]
      part = NDArray(
        dtype: dtype, shape: Array(part.shape.dropFirst()),
        strides: Array(part.strides.dropFirst()), offset: part.offset, storage: storage)
    }
    return part.scalar
  }

  /// An array of zeros.
  ///
  /// - Throws: ``ArrayError`` where a size is negative or there are more elements than can be counted,
  ///   ``MemoryError`` where there is no memory for them.
  public init(checkingZeros shape: [Int], _ dtype: DType = .float32) throws {
    try Self.checkMemory(shape, dtype)
    self.init(zeros: shape, dtype)
  }

  /// An array of one value.
  ///
  /// - Throws: as ``init(checkingZeros:_:)``.
  public init(checkingFilled value: Double, shape: [Int], _ dtype: DType = .float32) throws {
    try Self.checkMemory(shape, dtype)
    self.init(filled: value, shape: shape, dtype)
  }

  private static func checkMemory(_ shape: [Int], _ dtype: DType) throws {
    if let reason = mistake(in: shape) { throw ArrayError("array", reason) }
    try Memory.check(Memory.Demand("array", dtype, shape))
  }

  /// Why no array has such a shape; nil where one may have it.
  static func mistake(in shape: [Int]) -> String? {
    if let size = shape.first(where: { $0 < 0 }) { return "a size of \(size) in shape \(shape)" }
    // Strides are products of the other sizes, so these have to fit even where one size is 0.
    if shape.lazy.map({ max($0, 1) }).product == .max {
      return "shape \(shape) holds more elements than there can be"
    }
    return nil
  }

  private static func check(_ count: Int, fills shape: [Int], _ action: String) throws {
    if let reason = mistake(in: shape) { throw ArrayError(action, reason) }
    let needed = shape.product
    guard count == needed else {
      throw ArrayError(action, "shape \(shape) holds \(needed) elements, got \(count)")
    }
  }
}
