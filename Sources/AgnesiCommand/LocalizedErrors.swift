import Foundation

// What Foundation prints of the errors of this module: the same as their descriptions.

extension CommandFailure: LocalizedError {
  var errorDescription: String? { description }
}

extension WrongUse: LocalizedError {
  var errorDescription: String? { description }
}
