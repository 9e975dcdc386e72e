import Foundation

/// Why data cannot be used as asked.
public struct DataError: Error, Hashable, Sendable {
  /// What was being done, as in "cannot *open the data set mnist*".
  public let action: String
  /// What disagrees, with the values.
  public let problem: String
  /// What to do about it, where that is certain.
  public let hint: String?

  /// An error of these parts.
  public init(_ action: String, _ problem: String, hint: String? = nil) {
    self.action = action
    self.problem = problem
    self.hint = hint
  }
}

extension DataError: CustomStringConvertible, LocalizedError {
  /// The error as one sentence.
  public var description: String {
    "cannot \(action): \(problem)" + (hint.map { "; \($0)" } ?? "")
  }

  /// The same, for Foundation.
  public var errorDescription: String? { description }
}
