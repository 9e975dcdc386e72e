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
    try AtomicFile.replace(path) { file in
      try header.withUnsafeBytes { try file.write($0) }
      try array.contiguous().withUnsafeBytes { try file.write($0) }
    }
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
