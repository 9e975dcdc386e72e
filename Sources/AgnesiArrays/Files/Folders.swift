#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Folders, with the system's own words where something fails.
package enum Folders {
  /// Creates a folder and those above it, where they are missing.
  package static func make(_ path: String) throws(FileError) {
    if SystemCalls.status(of: path)?.isFolder == true { return }
    if path.isEmpty { throw FileError("create the folder", path, code: ENOENT) }
    if path.utf8.contains(0) { throw FileError("create the folder", path, code: EINVAL) }
    if FileName.withCString(path, { mkdir($0, 0o777) }) == 0 { return }
    let code = errno
    let parent = SystemCalls.folder(of: path)
    if code == ENOENT, parent != path, SystemCalls.status(of: parent) == nil {
      try make(parent)
      if FileName.withCString(path, { mkdir($0, 0o777) }) == 0 { return }
    }
    // Somebody else may have created it meanwhile.
    if SystemCalls.status(of: path)?.isFolder == true { return }
    throw FileError("create the folder", path, code: code)
  }

  /// What stands in a folder but for itself and the one above, sorted; see ``FileName`` for names that
  /// are no UTF-8.
  package static func names(in folder: String) throws(FileError) -> [String] {
    if folder.utf8.contains(0) { throw FileError("list", folder, code: EINVAL) }
    guard let stream = FileName.withCString(folder, { opendir($0) }) else {
      throw FileError("list", folder)
    }
    defer { closedir(stream) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = readdir(stream) else {
        if errno != 0 { throw FileError("list", folder) }
        break
      }
      // The name is read where it lies: an entry is often shorter than its type.
      let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
      let start = UnsafeRawPointer(entry).advanced(by: offset).assumingMemoryBound(to: UInt8.self)
      var length = 0
      while start[length] != 0 { length += 1 }
      names.append(FileName.decoded(UnsafeBufferPointer(start: start, count: length)))
    }
    return names.filter { $0 != "." && $0 != ".." }.sorted()
  }
}
