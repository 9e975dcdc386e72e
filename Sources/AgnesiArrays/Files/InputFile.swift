#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file that is read from front to back; a gzipped one is unpacked on the way.
package final class InputFile {
  package let path: String
  /// Bytes on the disk.
  package let fileSize: Int
  let descriptor: Int32
  private var inflation: GzipReader?

  /// Opens `path`.
  ///
  /// - Parameter unpacking: whether a file that begins as gzip does is unpacked.
  package init(_ path: String, unpacking: Bool = true) throws(FileError) {
    self.path = path
    descriptor = SystemCalls.open(path, O_RDONLY)
    var status = stat()
    guard descriptor >= 0, fstat(descriptor, &status) == 0 else { throw FileError("read", path) }
    fileSize = Int(status.st_size)
    guard status.isRegularFile else {
      if status.isFolder { throw FileError("read", path, code: EISDIR) }
      throw FileError(action: "read", path: path, reason: "it is not a regular file")
    }
    if unpacking { try startUnpacking() }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }

  package var isGzip: Bool { inflation != nil }

  /// No more than this can come out of the file: deflate writes at least two bits for 258 bytes.
  package var mostBytes: Int { isGzip ? fileSize &* 1032 : fileSize }

  /// Fills `buffer` as far as the file goes, and returns how far that is.
  package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    guard let inflation else { return try readStored(into: buffer) }
    do {
      return try inflation.read(into: buffer)
    } catch let error as GzipError {
      throw FormatError(path: path, format: "gzip", reason: error.description)
    }
  }

  /// The next `count` bytes, or as many as there are.
  package func read(upTo count: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let read = try bytes.withUnsafeMutableBytes { try self.read(into: $0) }
    bytes.removeLast(count - read)
    return bytes
  }

  /// Whether nothing follows; looks by reading one byte, which also verifies gzip's checksum.
  package func isAtEnd() throws -> Bool { try read(upTo: 1).isEmpty }

  /// All that is left.
  ///
  /// - Throws: `FormatError` where that is more than `limit` bytes.
  package func readAll(limit: Int) throws -> [UInt8] {
    var result: [UInt8] = []
    let expected = min(isGzip ? 0 : fileSize, limit)
    try Memory.check(Memory.Demand("read \(path)", "its content", bytes: expected))
    result.reserveCapacity(expected)
    while true {
      let part = try read(upTo: 1 << 20)
      if part.isEmpty { return result }
      if part.count > limit - result.count {
        throw FormatError(
          path: path, format: isGzip ? "gzip" : "a file",
          reason: "it holds more than the \(limit) bytes that are allowed here")
      }
      result += part
    }
  }

  /// Continues at byte `offset` of a file that is not gzipped.
  package func seek(to offset: Int) throws(FileError) {
    if lseek(descriptor, off_t(offset), SEEK_SET) < 0 { throw FileError("read", path) }
  }

  private func startUnpacking() throws(FileError) {
    var magic: (UInt8, UInt8) = (0, 0)
    let count = withUnsafeMutableBytes(of: &magic) { SystemCalls.read(descriptor, into: $0) }
    if count < 0 { throw FileError("read", path) }
    try seek(to: 0)
    guard count == 2, magic == (0x1f, 0x8b) else { return }
    inflation = GzipReader { [path, descriptor] buffer in
      let count = SystemCalls.read(descriptor, into: buffer)
      if count < 0 { throw FileError("read", path) }
      return count
    }
  }

  private func readStored(into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
    let count = SystemCalls.read(descriptor, into: buffer)
    if count < 0 { throw FileError("read", path) }
    return count
  }
}
