import CZlib

/// Why gzipped bytes could not be unpacked.
public enum GzipError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The bytes end before the compressed data does.
  case truncated(after: Int)
  /// The bytes are no gzip, or a checksum is wrong; zlib's words.
  case corrupt(String, after: Int)
  /// Bytes follow that are not gzip.
  case trailing
  /// The data unpacks to more than the caller allows.
  case tooLarge(limit: Int)
  /// zlib got no memory.
  case noMemory

  /// The reason as a part of a sentence.
  public var description: String {
    switch self {
    case .truncated(let count): "the compressed data is cut short; \(count) bytes came out of it"
    case .corrupt(let words, let count):
      "the compressed data is damaged (\(words)); \(count) bytes came out of it"
    case .trailing: "other bytes follow the compressed data"
    case .tooLarge(let limit): "it unpacks to more than the \(limit) bytes that are allowed here"
    case .noMemory: "there is not enough memory to unpack it"
    }
  }
}

/// Gzip, as RFC 1952 describes it, by zlib.
public enum Gzip {
  /// `bytes` unpacked; several members in a row are joined.
  ///
  /// - Parameter limit: the most bytes that may come out, so that a small hostile file cannot fill
  ///   the memory.
  /// - Throws: ``GzipError``.
  public static func unpacked(_ bytes: [UInt8], limit: Int) throws -> [UInt8] {
    var position = 0
    let reader = GzipReader { buffer in
      let count = min(buffer.count, bytes.count - position)
      buffer.copyBytes(from: bytes[position..<(position + count)])
      position += count
      return count
    }
    var result: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = try part.withUnsafeMutableBytes { try reader.read(into: $0) }
      if count == 0 { return result }
      if count > limit - result.count { throw GzipError.tooLarge(limit: limit) }
      result += part[..<count]
    }
  }

  /// `bytes` packed; the same bytes give the same result, since no time or name is stored.
  ///
  /// - Parameter level: 1 (fast) to 9 (small).
  public static func packed(_ bytes: UnsafeRawBufferPointer, level: Int = 6) -> [UInt8] {
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    stream.initialize(to: z_stream())
    defer { stream.deallocate() }
    let size = Int32(MemoryLayout<z_stream>.size)
    let status = deflateInit2_(
      stream, Int32(min(max(level, 1), 9)), Z_DEFLATED, gzipWindow, 8, Z_DEFAULT_STRATEGY,
      ZLIB_VERSION, size)
    precondition(status == Z_OK, "zlib refused to start: \(status)")
    defer { deflateEnd(stream) }
    return deflated(bytes, by: stream)
  }

  private static func deflated(
    _ bytes: UnsafeRawBufferPointer, by stream: UnsafeMutablePointer<z_stream>
  ) -> [UInt8] {
    var result: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 1 << 16)
    var position = 0
    var status = Z_OK
    repeat {
      let size = min(bytes.count - position, 1 << 30)
      stream.pointee.next_in = input(bytes, from: position)
      stream.pointee.avail_in = UInt32(size)
      let flush = position + size == bytes.count ? Z_FINISH : Z_NO_FLUSH
      repeat {
        let count = part.withUnsafeMutableBufferPointer { buffer in
          stream.pointee.next_out = buffer.baseAddress
          stream.pointee.avail_out = UInt32(buffer.count)
          status = deflate(stream, flush)
          return buffer.count - Int(stream.pointee.avail_out)
        }
        result += part[..<count]
      } while stream.pointee.avail_out == 0
      position += size
    } while status != Z_STREAM_END
    return result
  }

  private static func input(
    _ bytes: UnsafeRawBufferPointer, from position: Int
  ) -> UnsafeMutablePointer<UInt8>? {
    guard let base = bytes.bindMemory(to: UInt8.self).baseAddress else { return nil }
    return UnsafeMutablePointer(mutating: base + position)
  }
}

/// zlib's number for gzip's header with the largest window.
private let gzipWindow: Int32 = 15 + 16

/// Unpacks gzip piece by piece from whatever `source` supplies.
package final class GzipReader {
  private let source: (UnsafeMutableRawBufferPointer) throws -> Int
  private let stream: UnsafeMutablePointer<z_stream>
  private let input = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
  private var total = 0
  private var isFinished = false

  /// - Parameter source: fills the buffer and says how far; 0 at the end.
  package init(source: @escaping (UnsafeMutableRawBufferPointer) throws -> Int) {
    self.source = source
    // zlib keeps a pointer back to the stream, so its address must not change.
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    let size = Int32(MemoryLayout<z_stream>.size)
    let status = inflateInit2_(stream, gzipWindow, ZLIB_VERSION, size)
    precondition(status == Z_OK, "zlib refused to start: \(status)")
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
    input.deallocate()
  }

  /// Fills `buffer` as far as the data goes, and returns how far that is.
  package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    var done = 0
    while done < buffer.count, !isFinished {
      if stream.pointee.avail_in == 0, try !refill() { throw GzipError.truncated(after: total) }
      let room = min(buffer.count - done, 1 << 30)
      let target = UnsafeMutableRawBufferPointer(rebasing: buffer[done..<(done + room)])
      stream.pointee.next_out = target.bindMemory(to: UInt8.self).baseAddress
      stream.pointee.avail_out = UInt32(room)
      let status = inflate(stream, Z_NO_FLUSH)
      let count = room - Int(stream.pointee.avail_out)
      done += count
      total += count
      try check(status)
    }
    return done
  }

  private func check(_ status: Int32) throws {
    switch status {
    case Z_OK, Z_BUF_ERROR: return
    case Z_STREAM_END: try startNextMember()
    case Z_MEM_ERROR: throw GzipError.noMemory
    default:
      let words = stream.pointee.msg.map { String(cString: $0) } ?? "zlib error \(status)"
      throw GzipError.corrupt(words, after: total)
    }
  }

  private func startNextMember() throws {
    if stream.pointee.avail_in == 0, try !refill() {
      isFinished = true
      return
    }
    guard stream.pointee.next_in.pointee == 0x1f else { throw GzipError.trailing }
    inflateReset(stream)
  }

  private func refill() throws -> Bool {
    let count = try source(input)
    stream.pointee.next_in = input.bindMemory(to: UInt8.self).baseAddress
    stream.pointee.avail_in = UInt32(count)
    return count > 0
  }
}
