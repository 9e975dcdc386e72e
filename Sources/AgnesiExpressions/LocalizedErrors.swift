import Foundation

// What Foundation prints of the errors of this module: the same as their descriptions.

extension GraphError: LocalizedError {
  /// ``description``, for Foundation.
  public var errorDescription: String? { description }
}

extension ParameterError: LocalizedError {
  /// ``description``, for Foundation.
  public var errorDescription: String? { description }
}

extension TypeError: LocalizedError {
  /// ``description``, for Foundation.
  public var errorDescription: String? { description }
}
