import Foundation

/// The user's folder of data.
package enum UserData {
  /// `$AGNESI_DATA`, else `$XDG_DATA_HOME/agnesi`, else `~/.local/share/agnesi`; without a slash at its
  /// end.
  package static func folder(_ environment: [String: String]) -> String {
    if let folder = environment["AGNESI_DATA"], !folder.isEmpty {
      return withoutTrailingSlash(folder)
    }
    // Relative paths are to be ignored, says the XDG Base Directory Specification.
    if let folder = environment["XDG_DATA_HOME"], folder.hasPrefix("/") {
      return "\(withoutTrailingSlash(folder))/agnesi"
    }
    return "\(environment["HOME"] ?? NSHomeDirectory())/.local/share/agnesi"
  }

  /// The path without slashes at its end.
  package static func withoutTrailingSlash(_ path: String) -> String {
    path.count > 1 && path.hasSuffix("/") ? withoutTrailingSlash(String(path.dropLast())) : path
  }
}
