import Foundation

// What Foundation prints of the errors of this module: the same as their descriptions.

extension NotationError: LocalizedError {
  /// ``description``, for Foundation.
  public var errorDescription: String? { description }
}

extension UnknownName: LocalizedError {
  /// ``description``, for Foundation.
  public var errorDescription: String? { description }
}
