import Foundation

/// An explanation that cannot be given.
public struct ExplanationError: Error, Sendable, Hashable, CustomStringConvertible, LocalizedError {
  /// What was being done.
  public let subject: String
  /// What is wrong, with the values.
  public let message: String
  /// What to do about it, where that is sure.
  public let hint: String?

  init(_ subject: String, _ message: String, hint: String? = nil) {
    self.subject = subject
    self.message = message
    self.hint = hint
  }

  public var description: String {
    let first = "\(subject): \(message)"
    return hint.map { "\(first)\n  hint: \($0)" } ?? first
  }

  public var errorDescription: String? { description }
}
