import AgnesiCompiler
import AgnesiExpressions

/// An operation that the backend writes in C itself.
///
/// Only its layout passes make them, after everything else was rewritten, so they have no gradients
/// and stand in no file.
protocol WrittenOperation: Operation {
  /// The operation in C, on operands and results in memory.
  func kernelText(
    _ operands: [TensorType], _ results: [TensorType], target: LanesTarget
  ) -> KernelText
}

extension WrittenOperation {
  func gradient(_ upstream: [Tensor?], operands: [Tensor], results: [Tensor]) -> [Tensor?] {
    operands.map { _ in nil }
  }

  func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering? { nil }
}
