import AgnesiArrays

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A file that is no picture, or none that is read.
public struct ImageFileError: Error, Hashable, Sendable {
  /// The file, as the caller named it.
  public let path: String
  /// What is wrong with it, with the values.
  public let reason: String
  /// What may help, where that is certain.
  public let hint: String?

  /// An error of these parts.
  public init(path: String, reason: String, hint: String? = nil) {
    self.path = path
    self.reason = reason
    self.hint = hint
  }
}

extension ImageFileError: CustomStringConvertible, LocalizedError {
  /// The error as one sentence.
  public var description: String {
    let place = path.isEmpty ? "a file without a name" : FileName.printable(path)
    return "cannot read the picture \(place): \(reason)" + (hint.map { "; \($0)" } ?? "")
  }

  /// The same, for Foundation.
  public var errorDescription: String? { description }
}
