/// NumPy's `.npy`: one array, with a Python dictionary as its header.
///
/// - Source: NumPy Enhancement Proposal 1, *A Simple File Format for NumPy Arrays*.
public enum NPYFile {
  /// Longer headers than this do not occur with fewer than thousands of axes.
  static let longestHeader = 1 << 16

  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// The array of a file of version 1, 2 or 3, in either byte order and either order of axes.
  ///
  /// Two-byte "void" elements (`V2`), which is how NumPy stores bfloat16, are read as bfloat16.
  ///
  /// - Throws: ``FileError`` where the file cannot be read; ``FormatError`` where it is no `.npy`,
  ///   is cut short, goes on behind its elements, or holds elements without a dtype here (complex
  ///   numbers, strings, Python objects).
  public static func read(_ path: String) throws -> NDArray {
    let file = try InputFile(path, unpacking: false)
    let (text, start) = try headerText(file)
    let header: NPYHeader
    do {
      header = try NPYHeader(text)
    } catch {
      throw FormatError(path: path, format: "npy", reason: "\(error)")
    }
    let left = file.fileSize - start
    guard let needed = ByteOrder.byteCount(header.shape, elementSize: header.dtype.size) else {
      throw error(path, "the product of the sizes \(header.shape) is too large")
    }
    if needed != left {
      let sizes = "the sizes \(header.shape) of \(header.dtype) need \(needed) bytes"
      throw error(path, "\(sizes), \(left) follow the header")
    }
    return try elements(header, file, count: needed)
  }

  /// Writes `array` in row-major order, small byte first; bfloat16 as `V2`, NumPy's way.
  ///
  /// - Throws: ``FileError``.
  public static func write(_ array: NDArray, to path: String) throws {
    try AtomicFile.replace(path) { file in
      try header(of: array).withUnsafeBytes { try file.write($0) }
      try array.contiguous().withUnsafeBytes { try file.write($0) }
    }
  }

  /// What stands before the elements of `array` in row-major order; a multiple of 64 bytes.
  package static func header(of array: NDArray) -> [UInt8] {
    let sizes = array.shape.map { "\($0), " }.joined()
    let shape = array.rank == 1 ? "(\(array.shape[0]),)" : "(\(sizes.dropLast(2)))"
    let descriptor = NPYHeader.descriptor(of: array.dtype)
    let text = "{'descr': '\(descriptor)', 'fortran_order': False, 'shape': \(shape), }"
    let isLong = text.utf8.count > 0xff00
    var header = magic + [isLong ? 2 : 1, 0]
    // Elements start at a multiple of 64 bytes, and a line feed ends the header.
    let fixed = header.count + (isLong ? 4 : 2)
    let length = ((fixed + text.utf8.count + 1 + 63) & ~63) - fixed
    header +=
      isLong ? ByteOrder.littleEndian(UInt32(length)) : ByteOrder.littleEndian(UInt16(length))
    header += Array(text.utf8)
    header += [UInt8](repeating: 0x20, count: length - text.utf8.count - 1) + [0x0a]
    return header
  }

  /// NumPy's name of a type, with or without the byte order: `f4`, `<f4`, `|b1`.
  package static func elementType(_ name: String) -> (dtype: DType, isBigEndian: Bool)? {
    let hasOrder = name.first.map { "<>|=".contains($0) } == true
    let dtype = NPYHeader.dtype(named: hasOrder ? name.dropFirst() : name[...])
    return dtype.map { ($0, hasOrder && name.first == ">") }
  }

  /// The elements of an array in memory, as a header describes them.
  package struct Layout {
    package let dtype: DType
    package let shape: [Int]
    package let isBigEndian: Bool
    /// Whether the first axis varies fastest.
    package let isColumnMajor: Bool
    /// Where the elements begin.
    package let start: Int
  }

  /// What the header of a `.npy` in memory says, which describes exactly the bytes that follow it.
  ///
  /// - Throws: an error whose description says why it is refused.
  package static func layout(of bytes: UnsafeRawBufferPointer) throws -> Layout {
    guard bytes.count >= 10, bytes.starts(with: magic) else {
      throw NPYHeader.Problem(description: "it does not begin with \\x93NUMPY and a version")
    }
    guard 1...3 ~= bytes[6] else {
      throw NPYHeader.Problem(
        description: "its version is \(bytes[6]).\(bytes[7]), known are 1, 2 and 3")
    }
    let width = bytes[6] == 1 ? 2 : 4
    let length = bytes[8..<min(8 + width, bytes.count)].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= bytes.count - 8 - width else {
      throw NPYHeader.Problem(description: "it ends inside its header")
    }
    guard length <= longestHeader else {
      throw NPYHeader.Problem(
        description: "its header is \(length) bytes long, at most \(longestHeader) are read")
    }
    let start = 8 + width + length
    let header = try NPYHeader(Array(bytes[(8 + width)..<start]))
    let needed = ByteOrder.byteCount(header.shape, elementSize: header.dtype.size)
    guard let needed, needed == bytes.count - start else {
      let sizes = "the sizes \(header.shape) of \(header.dtype)"
      let need = needed.map { "need \($0) bytes" } ?? "are too large"
      throw NPYHeader.Problem(
        description: "\(sizes) \(need), \(bytes.count - start) follow the header")
    }
    return Layout(
      dtype: header.dtype, shape: header.shape, isBigEndian: header.isBigEndian,
      isColumnMajor: header.isColumnMajor, start: start)
  }

  private static func headerText(_ file: InputFile) throws -> (text: [UInt8], end: Int) {
    let start = try file.read(upTo: 8)
    guard start.count == 8, Array(start[..<6]) == magic else {
      throw error(file.path, "it does not begin with \\x93NUMPY and a version")
    }
    let version = start[6]
    guard 1...3 ~= version else {
      throw error(file.path, "its version is \(version).\(start[7]), known are 1, 2 and 3")
    }
    let width = version == 1 ? 2 : 4
    let lengthBytes = try file.read(upTo: width)
    let length = lengthBytes.reversed().reduce(0) { $0 << 8 | Int($1) }
    guard lengthBytes.count == width, length <= file.fileSize - 8 - width else {
      throw error(file.path, "it ends inside its header")
    }
    guard length <= longestHeader else {
      throw error(
        file.path, "its header is \(length) bytes long, at most \(longestHeader) are read")
    }
    return (try file.read(upTo: length), 8 + width + length)
  }

  private static func elements(
    _ header: NPYHeader, _ file: InputFile, count: Int
  ) throws -> NDArray {
    // Elements in column-major order are those of the array with reversed axes in row-major order.
    let shape = header.isColumnMajor ? header.shape.reversed() : header.shape
    try Memory.check(Memory.Demand("read \(file.path)", header.dtype, shape))
    var array = NDArray(zeros: shape, header.dtype)
    try array.withUnsafeMutableBytes { bytes in
      let read = try file.read(into: bytes)
      if read < count { throw error(file.path, "it shrank while it was read") }
      if header.isBigEndian { ByteOrder.reverse(bytes, elementSize: header.dtype.size) }
      if header.dtype == .bool { ByteOrder.normaliseBools(bytes) }
    }
    return header.isColumnMajor ? array.transposed().contiguous() : array
  }

  private static func error(_ path: String, _ reason: String) -> FormatError {
    FormatError(path: path, format: "npy", reason: reason)
  }
}
