import Foundation

// What Foundation prints of the errors of this module: the same as their descriptions.

extension TrainingError: LocalizedError {
  /// ``description``, for Foundation.
  public var errorDescription: String? { description }
}
