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
    if mkdir(path, 0o777) == 0 { return }
    let code = errno
    let parent = SystemCalls.folder(of: path)
    if code == ENOENT, parent != path, SystemCalls.status(of: parent) == nil {
      try make(parent)
      if mkdir(path, 0o777) == 0 { return }
    }
    // Somebody else may have created it meanwhile.
    if SystemCalls.status(of: path)?.isFolder == true { return }
    throw FileError("create the folder", path, code: code)
  }
}
