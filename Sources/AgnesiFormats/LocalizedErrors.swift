import Foundation

// What Foundation prints of the errors of this module: the same as their descriptions.

extension FormatProblem: LocalizedError {
  var errorDescription: String? { description }
}
