import Foundation

// What Foundation prints of the errors of this module: the same as their descriptions.

extension ModelFormatError: LocalizedError {
  var errorDescription: String? { message }
}

extension ONNXRefusal: LocalizedError {
  var errorDescription: String? { hint.map { "\(reason); \($0)" } ?? reason }
}
