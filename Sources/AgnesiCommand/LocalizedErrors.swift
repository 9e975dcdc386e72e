import Foundation

// What Foundation prints of the errors of this module: the same as their descriptions.

extension CommandFailure: LocalizedError {
  var errorDescription: String? { description }
}
