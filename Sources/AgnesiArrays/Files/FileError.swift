#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif
#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What the system refused to do with a file or folder.
public struct FileError: Error, Hashable, Sendable {
  /// What was being done, as in "cannot *write* …": "read", "write", "create the folder".
  public let action: String
  /// The file or folder, as the caller named it.
  public let path: String
  /// The reason in the system's words, such as "No space left on device".
  public let reason: String
  /// The system's error number; nil where the reason is not the system's.
  public let code: Int32?
  /// What the reader can rely on or should look at, where that is certain.
  public let hint: String?

  /// An error of these parts.
  public init(
    action: String, path: String, reason: String, code: Int32? = nil, hint: String? = nil
  ) {
    self.action = action
    self.path = path
    self.reason = reason
    self.code = code
    self.hint = hint
  }

  /// The error that the system call just made left in `errno`, or that `code` names.
  ///
  /// Where no file of that name was found and none is about to be made, the hint is the names in the
  /// folder that may have been meant.
  package init(_ action: String, _ path: String, code: Int32 = errno, hint: String? = nil) {
    let isLookedFor = action.hasPrefix("read") || action == "list"
    let near = isLookedFor ? NearestNames.hint(missing: path, code: code) : nil
    self.init(
      action: action, path: path, reason: String(cString: strerror(code)), code: code,
      hint: hint ?? near)
  }
}

extension FileError: CustomStringConvertible, LocalizedError {
  /// The error as one sentence.
  public var description: String {
    let place = path.isEmpty ? "a file without a name" : FileName.printable(path)
    return "cannot \(action) \(place): \(reason)" + (hint.map { "; \($0)" } ?? "")
  }

  /// The same, for Foundation.
  public var errorDescription: String? { description }
}

/// A file whose content is not what its format demands, or a value that a format cannot hold.
public struct FormatError: Error, Hashable, Sendable {
  /// What was being done.
  public enum Action: String, Sendable { case read, write }

  /// What was being done.
  public let action: Action
  /// The file, as the caller named it.
  public let path: String
  /// The format's name: "IDX", "npy", "safetensors", "gzip" ….
  public let format: String
  /// What disagrees, with the values.
  public let reason: String

  /// An error of these parts.
  public init(_ action: Action = .read, path: String, format: String, reason: String) {
    self.action = action
    self.path = path
    self.format = format
    self.reason = reason
  }
}

extension FormatError: CustomStringConvertible, LocalizedError {
  /// The error as one sentence.
  public var description: String {
    "cannot \(action.rawValue) \(FileName.printable(path)) as \(format): \(reason)"
  }

  /// The same, for Foundation.
  public var errorDescription: String? { description }
}
