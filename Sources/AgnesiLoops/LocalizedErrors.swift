import Foundation

// What Foundation prints of the errors of this module: the same as their descriptions.

extension InterpretationFailure: LocalizedError {
  /// ``description``, for Foundation.
  public var errorDescription: String? { description }
}

extension VerificationFailure: LocalizedError {
  /// ``description``, for Foundation.
  public var errorDescription: String? { description }
}
