import Foundation

// What Foundation prints of the errors of this module: the same as their descriptions.

extension CompilerProcess.Failure: LocalizedError {
  var errorDescription: String? { reason }
}

extension ConvolutionTable.Problem: LocalizedError {
  package var errorDescription: String? { description }
}

extension FileBytes.Failure: LocalizedError {
  var errorDescription: String? { text }
}

extension KernelCompilationError: LocalizedError {
  /// ``description``, for Foundation.
  public var errorDescription: String? { description }
}
