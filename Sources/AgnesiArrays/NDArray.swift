#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// An n-dimensional array of values on the host: a dtype, a shape, and memory.
///
/// A value type: a copy shares memory until one of the two is changed. Strides may be anything, so
/// ``transposed(_:)``, ``subscript(rows:)`` and ``broadcast(to:)`` cost nothing; ``contiguous()``
/// makes rows adjacent.
public struct NDArray: Sendable {
  public let dtype: DType
  public private(set) var shape: [Int]
  /// Elements (not bytes) between neighbours along each axis.
  public private(set) var strides: [Int]
  /// The element at which the array starts inside its storage.
  package private(set) var offset: Int
  package private(set) var storage: ArrayStorage

  package init(
    dtype: DType, shape: [Int], strides: [Int], offset: Int, storage: ArrayStorage
  ) {
    self.dtype = dtype
    self.shape = shape
    self.strides = strides
    self.offset = offset
    self.storage = storage
  }

  /// Memory for a result that is about to be written in full.
  package init(uninitialized shape: [Int], _ dtype: DType) {
    self.init(
      dtype: dtype, shape: shape, strides: Self.rowMajorStrides(shape), offset: 0,
      storage: ArrayStorage(uninitialized: shape.product.saturatingProduct(dtype.size)))
  }

  /// Zeros (false for bool).
  public init(zeros shape: [Int], _ dtype: DType = .float32) {
    Self.checkPossible(shape, dtype)
    self.init(
      dtype: dtype, shape: shape, strides: Self.rowMajorStrides(shape), offset: 0,
      storage: ArrayStorage(zeroed: shape.product.saturatingProduct(dtype.size)))
  }

  /// `scalars` in row-major order.
  ///
  /// - Precondition: `scalars.count` is the product of `shape`.
  public init<Scalar: ArrayScalar>(_ scalars: [Scalar], shape: [Int]) {
    precondition(
      scalars.count == shape.product,
      "an array of shape \(shape) holds \(shape.product) elements, got \(scalars.count)")
    self.init(zeros: shape, Scalar.dtype)
    scalars.withUnsafeBytes { source in
      if let from = source.baseAddress { memcpy(storage.base, from, source.count) }
    }
  }

  /// A vector.
  public init<Scalar: ArrayScalar>(_ scalars: [Scalar]) {
    self.init(scalars, shape: [scalars.count])
  }

  /// An array of no axes.
  public init<Scalar: ArrayScalar>(scalar: Scalar) { self.init([scalar], shape: []) }

  /// `values`, rounded to `dtype`, in row-major order.
  public init(rounding values: [Double], shape: [Int], _ dtype: DType) {
    precondition(
      values.count == shape.product,
      "an array of shape \(shape) holds \(shape.product) elements, got \(values.count)")
    self.init(zeros: shape, dtype)
    for (index, value) in values.enumerated() { store(value, at: index) }
  }

  /// An array of one value.
  ///
  /// - Precondition: no size is negative, and there is memory for as many elements.
  public init(filled value: Double, shape: [Int], _ dtype: DType = .float32) {
    self.init(zeros: shape, dtype)
    if value == 0, value.sign == .plus { return }
    for index in 0..<count { store(value, at: index) }
  }

  /// Ends the program where no array has such a shape, or there is no memory for one: with words, which
  /// preconditions do not say in release builds.
  static func checkPossible(_ shape: [Int], _ dtype: DType) {
    if let reason = mistake(in: shape) { fatalError("array: \(reason)") }
    if let shortage = Memory.shortage(Memory.Demand("array", dtype, shape)) {
      fatalError(shortage.text)
    }
  }

  public var rank: Int { shape.count }
  public var count: Int { shape.product }
  public var byteCount: Int { count.saturatingProduct(dtype.size) }

  package static func rowMajorStrides(_ shape: [Int]) -> [Int] {
    var strides = [Int](repeating: 1, count: shape.count)
    for axis in stride(from: shape.count - 2, through: 0, by: -1) {
      strides[axis] = strides[axis + 1].saturatingProduct(max(shape[axis + 1], 1))
    }
    return strides
  }

  /// Whether rows lie one after the other without gaps.
  public var isContiguous: Bool {
    var expected = 1
    for axis in shape.indices.reversed() where shape[axis] != 1 {
      if strides[axis] != expected { return false }
      expected = expected.saturatingProduct(max(shape[axis], 1))
    }
    return true
  }

  /// The same values with rows adjacent; itself where they are already.
  public func contiguous() -> NDArray {
    if isContiguous { return self }
    let copy = NDArray(uninitialized: shape, dtype)
    switch dtype.size {
    case 1: gather(into: copy.storage.base, as: UInt8.self)
    case 2: gather(into: copy.storage.base, as: UInt16.self)
    case 4: gather(into: copy.storage.base, as: UInt32.self)
    default: gather(into: copy.storage.base, as: UInt64.self)
    }
    return copy
  }

  /// Writes the elements, which are as large as `Word`, one after the other in row-major order.
  private func gather<Word: FixedWidthInteger>(
    into target: UnsafeMutableRawPointer, as type: Word.Type
  ) {
    guard count > 0, let length = shape.last, let step = strides.last else { return }
    let source = storage.base.assumingMemoryBound(to: type)
    var output = target.assumingMemoryBound(to: type)
    var index = [Int](repeating: 0, count: rank - 1)
    var start = offset
    while true {
      for place in 0..<length { output[place] = source[start + place * step] }
      output += length
      // The next row: the last axis but one moves on, and one that is through begins again.
      var axis = rank - 2
      while axis >= 0 {
        index[axis] += 1
        start += strides[axis]
        if index[axis] < shape[axis] { break }
        start -= index[axis] * strides[axis]
        index[axis] = 0
        axis -= 1
      }
      if axis < 0 { return }
    }
  }

  /// The storage position of each element, in row-major order.
  package func positions() -> [Int] {
    var result = [offset]
    for axis in shape.indices {
      var next: [Int] = []
      next.reserveCapacity(result.count * shape[axis])
      for start in result {
        for index in 0..<shape[axis] { next.append(start + index * strides[axis]) }
      }
      result = next
    }
    return result
  }
}

// MARK: - Views

extension NDArray {
  /// The axes in another order; without an argument, reversed.
  public func transposed(_ axes: [Int]? = nil) -> NDArray {
    let axes = axes ?? shape.indices.reversed()
    precondition(axes.sorted() == Array(shape.indices), "\(axes) is no permutation of the axes")
    return NDArray(
      dtype: dtype, shape: axes.map { shape[$0] }, strides: axes.map { strides[$0] },
      offset: offset, storage: storage)
  }

  /// Rows `rows` of the first axis; shares memory.
  public subscript(rows rows: Range<Int>) -> NDArray {
    precondition(
      rank > 0 && rows.lowerBound >= 0 && rows.upperBound <= shape[0],
      "rows \(rows) are outside of an array of shape \(shape)")
    var result = self
    result.shape[0] = rows.count
    result.offset += rows.lowerBound * strides[0]
    return result
  }

  /// Size-1 and missing leading axes repeated, without copying.
  public func broadcast(to target: [Int]) -> NDArray {
    let missing = target.count - rank
    precondition(missing >= 0, "shape \(shape) does not broadcast to \(target)")
    var newStrides = [Int](repeating: 0, count: target.count)
    for axis in shape.indices where shape[axis] != 1 {
      precondition(
        shape[axis] == target[axis + missing], "shape \(shape) does not broadcast to \(target)")
      newStrides[axis + missing] = strides[axis]
    }
    return NDArray(
      dtype: dtype, shape: target, strides: newStrides, offset: offset, storage: storage)
  }

  /// The same elements, in row-major order, in another shape.
  public func reshaped(_ target: [Int]) -> NDArray {
    precondition(
      target.product == count, "shape \(shape) has not as many elements as \(target)")
    let source = contiguous()
    return NDArray(
      dtype: dtype, shape: target, strides: Self.rowMajorStrides(target), offset: source.offset,
      storage: source.storage)
  }

  /// The rows of the first axis that `indices` names, in that order, copied.
  public func gathered(_ indices: some Collection<Int>) -> NDArray {
    let source = contiguous()
    let rowBytes = shape.dropFirst().product * dtype.size
    let result = NDArray(zeros: [indices.count] + shape.dropFirst(), dtype)
    source.withUnsafeBytes { from in
      guard let base = from.baseAddress else { return }
      let target = result.storage.base
      for (row, index) in indices.enumerated() {
        precondition(index >= 0 && index < shape[0], "row \(index) of \(shape[0])")
        memcpy(target + row * rowBytes, base + index * rowBytes, rowBytes)
      }
    }
    return result
  }
}

// MARK: - Memory

extension NDArray {
  /// The bytes of a contiguous array, in row-major order.
  ///
  /// - Precondition: the array is contiguous.
  public func withUnsafeBytes<Result>(
    _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    precondition(isContiguous, "bytes of an array that is not contiguous: call contiguous() first")
    let start = offset * dtype.size
    return try body(
      UnsafeRawBufferPointer(rebasing: storage.bytes[start..<(start + byteCount)]))
  }

  /// The bytes for writing; the memory is the caller's alone and contiguous.
  public mutating func withUnsafeMutableBytes<Result>(
    _ body: (UnsafeMutableRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    makeUnique()
    let start = offset * dtype.size
    return try body(
      UnsafeMutableRawBufferPointer(rebasing: storage.bytes[start..<(start + byteCount)]))
  }

  /// The storage of an array that owns it alone and starts at its beginning; for memory that compiled
  /// code writes to.
  package mutating func uniqueStorage() -> ArrayStorage {
    if offset != 0 || storage.byteCount != byteCount || !isContiguous {
      self = copied()
    } else {
      makeUnique()
    }
    return storage
  }

  /// Whether the first element is the storage's first and rows are adjacent.
  package var startsItsStorage: Bool { offset == 0 && isContiguous }

  private func copied() -> NDArray {
    let copy = NDArray(zeros: shape, dtype)
    contiguous().withUnsafeBytes { from in
      if let base = from.baseAddress { memcpy(copy.storage.base, base, from.count) }
    }
    return copy
  }

  private mutating func makeUnique() {
    if isContiguous, isKnownUniquelyReferenced(&storage) { return }
    self = copied()
  }
}
