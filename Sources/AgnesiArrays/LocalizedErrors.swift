import Foundation

// What Foundation prints of the errors of this module: the same as their descriptions.

extension GzipError: LocalizedError {
  /// ``description``, for Foundation.
  public var errorDescription: String? { description }
}

extension NPYHeader.Problem: LocalizedError {
  var errorDescription: String? { description }
}

extension StrictJSON.Problem: LocalizedError {
  package var errorDescription: String? { description }
}
