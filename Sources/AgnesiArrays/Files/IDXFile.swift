/// IDX, the format of MNIST: two zero bytes, a type code, the number of axes, the sizes as 32-bit
/// numbers, then the elements in row-major order; all numbers with the large byte first.
///
/// - Source: LeCun, Cortes, Burges, *The MNIST database of handwritten digits*, "File formats".
public enum IDXFile {
  static let codes: [(code: UInt8, dtype: DType)] = [
    (0x08, .uint8), (0x09, .int8), (0x0b, .int16), (0x0c, .int32), (0x0d, .float32),
    (0x0e, .float64),
  ]

  /// The array of a file, gzipped or not.
  ///
  /// - Parameters:
  ///   - path: the file; it is unpacked where it begins as gzip does, whatever its name.
  ///   - limit: the most bytes that the elements may take, 4 GiB by default, which bounds what a
  ///     small gzipped file can ask for.
  /// - Throws: ``FileError`` where the file cannot be read; ``FormatError`` where it is not IDX, is
  ///   cut short, or holds more than its header says.
  public static func read(_ path: String, limit: Int = 4 << 30) throws -> NDArray {
    let file = try InputFile(path)
    let (dtype, shape) = try readHeader(file)
    let needed = try byteCount(dtype, shape, in: file, limit: limit)
    try Memory.check(Memory.Demand("read \(path)", dtype, shape))
    var array = NDArray(zeros: shape, dtype)
    let sizes = "the sizes \(shape) of \(dtype) need \(needed) bytes"
    let count = try array.withUnsafeMutableBytes { bytes in
      let count = try file.read(into: bytes)
      ByteOrder.reverse(bytes, elementSize: dtype.size)
      return count
    }
    if count < needed { throw error(path, "\(sizes), \(count) follow the header") }
    if try !file.isAtEnd() { throw error(path, "\(sizes), more follow the header") }
    return array
  }

  /// Writes `array`, gzipped where `path` ends in ".gz".
  ///
  /// - Throws: ``FormatError`` where IDX has no code for the dtype; ``FileError``.
  public static func write(_ array: NDArray, to path: String) throws {
    guard let code = codes.first(where: { $0.dtype == array.dtype })?.code else {
      let known = codes.map { $0.dtype.rawValue }.joined(separator: ", ")
      throw refusal(path, "it has no code for \(array.dtype), only for \(known)")
    }
    guard array.rank < 256, array.shape.allSatisfy({ $0 <= UInt32.max }) else {
      throw refusal(path, "the sizes \(array.shape) do not fit its header")
    }
    var bytes: [UInt8] = [0, 0, code, UInt8(array.rank)]
    for size in array.shape { bytes += ByteOrder.bigEndian(UInt32(size)) }
    let start = bytes.count
    array.contiguous().withUnsafeBytes { bytes += $0 }
    bytes.withUnsafeMutableBytes { all in
      let elements = UnsafeMutableRawBufferPointer(rebasing: all[start...])
      ByteOrder.reverse(elements, elementSize: array.dtype.size)
    }
    if path.hasSuffix(".gz") { bytes = bytes.withUnsafeBytes { Gzip.packed($0) } }
    try AtomicFile.write(bytes, to: path)
  }

  private static func readHeader(_ file: InputFile) throws -> (DType, [Int]) {
    let magic = try file.read(upTo: 4)
    if magic.count < 4 {
      throw error(file.path, "it ends after \(magic.count) of the 4 bytes that tell the type")
    }
    guard magic[0] == 0, magic[1] == 0 else {
      let start = magic.map { hexadecimal($0) }.joined(separator: " ")
      throw error(file.path, "it begins with the bytes \(start) instead of 00 00")
    }
    guard let dtype = codes.first(where: { $0.code == magic[2] })?.dtype else {
      let known = codes.map { "\(hexadecimal($0.code)) (\($0.dtype))" }.joined(separator: ", ")
      throw error(
        file.path, "its type code is \(hexadecimal(magic[2])), the format has \(known)")
    }
    let rank = Int(magic[3])
    let sizes = try file.read(upTo: 4 * rank)
    if sizes.count < 4 * rank {
      throw error(file.path, "\(rank) sizes take \(4 * rank) bytes, \(sizes.count) follow")
    }
    return (dtype, (0..<rank).map { axis in bigEndian(sizes[(4 * axis)..<(4 * axis + 4)]) })
  }

  private static func byteCount(
    _ dtype: DType, _ shape: [Int], in file: InputFile, limit: Int
  ) throws -> Int {
    let left = file.mostBytes - 4 - 4 * shape.count
    guard let needed = ByteOrder.byteCount(shape, elementSize: dtype.size) else {
      throw error(file.path, "the product of the sizes \(shape) is too large")
    }
    let sizes = "the sizes \(shape) of \(dtype) need \(needed) bytes"
    if !file.isGzip, needed > left { throw error(file.path, "\(sizes), \(left) follow the header") }
    if needed > limit { throw error(file.path, "\(sizes), \(limit) are allowed here") }
    if needed > left {
      throw error(file.path, "\(sizes), its \(file.fileSize) gzipped bytes cannot hold as many")
    }
    return needed
  }

  private static func bigEndian(_ bytes: ArraySlice<UInt8>) -> Int {
    bytes.reduce(0) { $0 << 8 | Int($1) }
  }

  private static func hexadecimal(_ byte: UInt8) -> String {
    (byte < 16 ? "0" : "") + String(byte, radix: 16)
  }

  private static func error(_ path: String, _ reason: String) -> FormatError {
    FormatError(path: path, format: "IDX", reason: reason)
  }

  private static func refusal(_ path: String, _ reason: String) -> FormatError {
    FormatError(.write, path: path, format: "IDX", reason: reason)
  }
}
