import AgnesiArrays
import Foundation

/// The growing file of a download, with the checksum of what is in it.
///
/// It lies beside its target as `….part` and survives a broken connection, so that the next call
/// goes on where this one ended. A lock keeps two processes from writing it at once.
///
/// Unchecked because the downloader uses it from one queue at a time.
final class PartialFile: @unchecked Sendable {
  private let target: String
  private let path: String
  private var descriptor: Int32
  private(set) var count = 0
  private let algorithm: MessageDigest.Algorithm
  private var hash: MessageDigest

  init(for target: String, _ algorithm: MessageDigest.Algorithm) throws(FileError) {
    self.target = target
    self.algorithm = algorithm
    hash = MessageDigest(algorithm)
    path = target + ".part"
    descriptor = SystemCalls.open(path, O_RDWR | O_CREAT, 0o666)
    if descriptor < 0 { throw FileError("write", path) }
    if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      throw FileError(
        action: "write", path: path, reason: "another process is downloading it", code: errno)
    }
    try hashWhatIsThere()
  }

  deinit { close() }

  /// Ends the lock; the file can no longer be used.
  func close() {
    if descriptor >= 0 { Foundation.close(descriptor) }
    descriptor = -1
  }

  func append(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    if let code = SystemCalls.write(bytes, to: descriptor) {
      // A part of the bytes may be in the file; the checksum must be of what is there.
      ftruncate(descriptor, off_t(count))
      lseek(descriptor, off_t(count), SEEK_SET)
      throw FileError("write", path, code: code)
    }
    hash.update(bytes)
    count += bytes.count
  }

  /// Begins anew.
  func clear() throws(FileError) {
    if ftruncate(descriptor, 0) != 0 { throw FileError("write", path) }
    lseek(descriptor, 0, SEEK_SET)
    count = 0
    hash = MessageDigest(algorithm)
  }

  /// The checksum of all; nothing may be appended afterwards, but ``clear()`` begins anew.
  func finishedDigest() -> String { hash.finish() }

  /// Brings the file to the disk and gives it its name.
  func commit() throws(FileError) {
    if fsync(descriptor) != 0 { throw FileError("write", path) }
    if rename(path, target) != 0 { throw FileError("write", target) }
  }

  func remove() { unlink(path) }

  private func hashWhatIsThere() throws(FileError) {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
    defer { buffer.deallocate() }
    while true {
      let read = SystemCalls.read(descriptor, into: buffer)
      if read < 0 { throw FileError("read", path) }
      if read == 0 { return }
      hash.update(UnsafeRawBufferPointer(rebasing: buffer[..<read]))
      count += read
    }
  }
}
