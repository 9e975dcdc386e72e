import AgnesiArrays

/// Makes arrays of what messages hold: bytes in one piece, or in many.
struct NumberArrays {
  let budget: MemoryBudget

  /// More axes than any tensor has.
  static let rankLimit = 32

  /// The elements of `dtype` in `shape`, whose bytes are `bytes`.
  func array(
    _ dtype: DType, _ shape: [Int], _ bytes: FileBytes, _ name: String
  ) throws(FormatProblem) -> NDArray {
    let size = try byteCount(dtype, shape, name)
    guard bytes.count == size else {
      throw FormatProblem(
        "\(FormatProblem.quoted(name)) is \(dtype)\(shape) of \(size) bytes, but has \(bytes.count)"
      )
    }
    return NDArray(
      dtype: dtype, shape: shape, strides: NDArray.rowMajorStrides(shape), offset: 0,
      storage: try bytes.storage(for: dtype, budget))
  }

  /// The same of several pieces; a single one is not copied.
  func array(
    _ dtype: DType, _ shape: [Int], joining parts: [FileBytes], _ name: String
  ) throws(FormatProblem) -> NDArray {
    if parts.count == 1 { return try array(dtype, shape, parts[0], name) }
    let count = parts.reduce(0) { $0 + $1.count }
    try budget.charge(count, for: "the elements of \(FormatProblem.quoted(name))")
    var joined: [UInt8] = []
    joined.reserveCapacity(count)
    for part in parts { joined.append(contentsOf: part.buffer) }
    return try array(dtype, shape, FileBytes(joined), name)
  }

  /// Whole numbers as elements of `dtype`, each cut to its width; 16-bit floats are their bits.
  func array(
    _ dtype: DType, _ shape: [Int], integers: [Int64], _ name: String
  ) throws(FormatProblem) -> NDArray {
    let size = try byteCount(dtype, shape, name)
    guard integers.count == size / dtype.size else {
      throw FormatProblem(
        "\(FormatProblem.quoted(name)) is \(dtype)\(shape), but has \(integers.count) elements")
    }
    try budget.charge(size, for: "the elements of \(FormatProblem.quoted(name))")
    var bytes: [UInt8] = []
    bytes.reserveCapacity(size)
    for value in integers {
      withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0.prefix(dtype.size)) }
    }
    return try array(dtype, shape, FileBytes(bytes), name)
  }

  private func byteCount(
    _ dtype: DType, _ shape: [Int], _ name: String
  ) throws(FormatProblem) -> Int {
    guard shape.count <= Self.rankLimit, shape.allSatisfy({ $0 >= 0 }),
      let size = ByteOrder.byteCount(shape, elementSize: dtype.size)
    else {
      let shown = shape.prefix(Self.rankLimit).map(String.init).joined(separator: ", ")
      throw FormatProblem("\(FormatProblem.quoted(name)) has the impossible shape [\(shown)]")
    }
    return size
  }
}
