#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file that appears under its name only when it is complete.
///
/// What is written goes to a temporary file in the same folder; ``commit()`` brings it to the disk
/// and renames it. Until then, and after any failure, a file of that name is as it was before and
/// the temporary is gone. A process that is killed leaves its temporary, which the next one that
/// writes the same file removes (``Temporary``). A new file has the permissions that the process's umask leaves; one that
/// replaces another takes over its permissions. Links are followed. Devices and pipes, such as
/// /dev/stdout, are written directly.
package final class AtomicFile {
  private let path: String
  private let destination: String
  /// The temporary's path; nil once it is renamed or removed, and for devices.
  private var temporary: String?
  /// Keeps the temporary's lock until it has its name.
  private var lock: Int32 = -1
  private var descriptor: Int32
  private let previous: stat?

  /// Starts to write `path`.
  package init(_ path: String) throws(FileError) {
    self.path = path
    if path.isEmpty { throw FileError("write", path, code: ENOENT) }
    if path.utf8.contains(0) { throw FileError("write", path, code: EINVAL) }
    previous = SystemCalls.status(of: path)
    destination = Self.withoutLinks(path)
    if let previous, !previous.isRegularFile {
      descriptor = SystemCalls.open(path, O_WRONLY)
      if descriptor < 0 { throw FileError("write", path) }
      return
    }
    Temporary.removeAbandoned(of: destination)
    guard let made = Temporary.make(for: destination) else {
      let code = errno
      throw Self.openingError(path, folder: SystemCalls.folder(of: destination), code: code)
    }
    (temporary, descriptor) = made
  }

  deinit { discard() }

  /// Writes a file as a whole.
  package static func write(_ bytes: [UInt8], to path: String) throws {
    try replace(path) { file in try bytes.withUnsafeBytes { try file.write($0) } }
  }

  /// Writes a file by `body` and commits it; where `body` throws, nothing is changed.
  package static func replace(_ path: String, by body: (AtomicFile) throws -> Void) throws {
    let file = try AtomicFile(path)
    do {
      try body(file)
      try file.commit()
    } catch {
      file.discard()
      throw error
    }
  }

  /// Appends `bytes`.
  package func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    if let code = SystemCalls.write(bytes, to: descriptor) { throw failure(code) }
  }

  /// Brings the file to the disk and gives it its name.
  package func commit() throws(FileError) {
    guard let temporary else { return try closeDevice() }
    takeOverPermissions()
    if fsync(descriptor) != 0 { throw failure(errno) }
    // Closing may fail, which has to be known before the renaming; the lock must last until after it.
    lock = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
    let closed = close(descriptor)
    descriptor = -1
    if closed != 0 { throw failure(errno) }
    let renamed = FileName.withCString(temporary) { old in
      FileName.withCString(destination) { rename(old, $0) }
    }
    if renamed != 0 { throw failure(errno) }
    self.temporary = nil
    unlock()
    // The name itself is on the disk once the folder is; not every file system can do this.
    let folder = SystemCalls.open(SystemCalls.folder(of: destination), O_RDONLY)
    if folder >= 0 {
      fsync(folder)
      close(folder)
    }
  }

  /// Gives up: removes the temporary.
  package func discard() {
    if descriptor >= 0 { close(descriptor) }
    descriptor = -1
    if let temporary { FileName.withCString(temporary) { _ = unlink($0) } }
    temporary = nil
    unlock()
  }

  private func unlock() {
    if lock >= 0 { close(lock) }
    lock = -1
  }

  private func closeDevice() throws(FileError) {
    if descriptor < 0 { return }
    let closed = close(descriptor)
    descriptor = -1
    if closed != 0 { throw FileError("write", path) }
  }

  /// The owner is taken over where that is allowed; nothing depends on it.
  private func takeOverPermissions() {
    guard let previous else { return }
    if previous.st_uid != geteuid() || previous.st_gid != getegid() {
      _ = fchown(descriptor, previous.st_uid, previous.st_gid)
    }
    _ = fchmod(descriptor, previous.st_mode & 0o7777)
  }

  private func failure(_ code: Int32) -> FileError {
    let isReplacing = previous != nil && temporary != nil
    discard()
    return FileError(
      "write", path, code: code,
      hint: isReplacing ? "the file that was there before is unchanged" : nil)
  }
}

extension AtomicFile {
  private static func withoutLinks(_ path: String) -> String {
    guard let resolved = FileName.withCString(path, { realpath($0, nil) }) else { return path }
    defer { free(resolved) }
    let length = strlen(resolved)
    return resolved.withMemoryRebound(to: UInt8.self, capacity: length) {
      FileName.decoded(UnsafeBufferPointer(start: $0, count: length))
    }
  }

  private static func openingError(_ path: String, folder: String, code: Int32) -> FileError {
    var hint: String?
    if code == ENOENT, SystemCalls.status(of: folder) == nil {
      hint = "the folder \(folder) does not exist"
    } else if code == EACCES {
      hint = "no file may be created in the folder \(folder)"
    }
    return FileError("write", path, code: code, hint: hint)
  }
}
