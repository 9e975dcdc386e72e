import AgnesiArrays

/// Picture files below folders, in an order that does not depend on the file system.
public enum PhotoFiles {
  /// What a picture file's name ends with.
  public static let endings: Set<String> = [
    "jpg", "jpeg", "jpe", "png", "webp", "gif", "tif", "tiff", "bmp",
  ]

  /// The files that `paths` name, in their order; a folder stands for all picture files below it,
  /// sorted by path. Hidden files and folders are left out, and a folder that links lead to again is
  /// visited once.
  ///
  /// A path that is nowhere, and a folder that cannot be listed, stand for themselves: reading them
  /// says why they cannot be read, and the others go on.
  public static func expanding(_ paths: [String]) -> [String] {
    paths.flatMap { path -> [String] in
      guard isFolder(path) else { return [path] }
      var visited: Set<FolderIdentity> = []
      var failures: [FileError] = []
      let files = below(path, &visited, &failures)
      return files + failures.map(\.path)
    }
  }

  /// The picture files below a folder that were not visited yet, and why parts of it cannot be listed.
  static func below(
    _ folder: String, _ visited: inout Set<FolderIdentity>, _ failures: inout [FileError]
  ) -> [String] {
    guard let identity = FolderIdentity(folder), visited.insert(identity).inserted else {
      return []
    }
    var result: [String] = []
    do {
      for name in try names(in: folder) {
        let path = "\(folder)/\(name)"
        let status = SystemCalls.status(of: path)
        if status?.isFolder == true {
          result += below(path, &visited, &failures)
        } else if isPicture(name), status?.isRegularFile != false {
          result.append(path)
        }
      }
    } catch {
      failures.append(error)
    }
    return result
  }

  /// What stands in a folder, sorted, without what is hidden.
  static func names(in folder: String) throws(FileError) -> [String] {
    try Folders.names(in: folder).filter { !$0.hasPrefix(".") }
  }

  package static func isFolder(_ path: String) -> Bool {
    SystemCalls.status(of: path)?.isFolder ?? false
  }

  static func isPicture(_ name: String) -> Bool {
    let parts = name.split(separator: ".")
    return parts.count > 1 && endings.contains(parts.last?.lowercased() ?? "")
  }
}

/// What tells two folders apart, whatever links lead there.
struct FolderIdentity: Hashable {
  private let device: UInt64
  private let number: UInt64

  /// Nil where there is nothing.
  init?(_ path: String) {
    guard let status = SystemCalls.status(of: path) else { return nil }
    device = UInt64(truncatingIfNeeded: status.st_dev)
    number = UInt64(truncatingIfNeeded: status.st_ino)
  }
}
