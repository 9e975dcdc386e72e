#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The files that ``AtomicFile`` writes to before they get their names.
///
/// Each lies in the folder of its destination, tells in its name which that is, and is locked by the
/// process that writes it. The system gives up the lock when the process ends, however it ends, so a
/// temporary that can be locked belongs to nobody any more. Where a file system knows no locks,
/// nothing is removed.
package enum Temporary {
  private static let suffix = ".tmp"

  /// Creates one and locks it; nil with `errno` set on failure.
  package static func make(for destination: String) -> (path: String, descriptor: Int32)? {
    let prefix = "\(SystemCalls.folder(of: destination))/\(prefix(of: destination))"
    while true {
      let path = prefix + String(UInt64.random(in: 0 ... .max), radix: 36) + suffix
      let descriptor = SystemCalls.open(path, O_WRONLY | O_CREAT | O_EXCL, 0o666)
      if descriptor < 0 {
        if errno == EEXIST { continue }
        return nil
      }
      if isOwned(descriptor) { return (path, descriptor) }
      close(descriptor)
    }
  }

  /// Locks a file that was just made. False where another process took it for an abandoned one
  /// before the lock.
  private static func isOwned(_ descriptor: Int32) -> Bool {
    if flock(descriptor, LOCK_EX | LOCK_NB) != 0 { return errno != EWOULDBLOCK }
    var status = stat()
    return fstat(descriptor, &status) != 0 || status.st_nlink > 0
  }

  /// Removes what processes that have ended left of `destination`, and nothing else.
  static func removeAbandoned(of destination: String) {
    let (folder, prefix) = (SystemCalls.folder(of: destination), prefix(of: destination))
    for name in names(in: folder) where name.hasPrefix(prefix) && name.hasSuffix(suffix) {
      let descriptor = SystemCalls.open("\(folder)/\(name)", O_RDONLY | O_NOFOLLOW)
      if descriptor < 0 { continue }
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { unlink("\(folder)/\(name)") }
      close(descriptor)
    }
  }

  /// Short, because the longest allowed name must still have a temporary: a hash of the file's name,
  /// FNV-1a of 64 bits.
  private static func prefix(of destination: String) -> String {
    let name = destination.split(separator: "/").last ?? ""
    let hash = name.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { hash, byte in
      (hash ^ UInt64(byte)) &* 0x100_0000_01b3
    }
    return ".agnesi-\(String(hash, radix: 36))-"
  }

  private static func names(in folder: String) -> [String] {
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
        tuple.withMemoryRebound(
          to: CChar.self, capacity: MemoryLayout.size(ofValue: tuple.pointee)
        ) { String(cString: $0) }
      }
      names.append(name)
    }
    return names
  }
}
