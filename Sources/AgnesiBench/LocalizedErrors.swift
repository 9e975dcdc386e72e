import Foundation

// What Foundation prints of the errors of this module: the same as their descriptions.

extension ChildFailure: LocalizedError {
  var errorDescription: String? { description }
}
