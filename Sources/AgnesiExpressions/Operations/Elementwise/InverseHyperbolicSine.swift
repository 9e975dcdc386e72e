import AgnesiLoops
import Foundation

/// The inverse of ``sinh(_:)``.
///
/// - Parameter x: floating.
/// - Returns: the shape and dtype of `x`.
public func asinh(_ x: Tensor) -> Tensor { Tensor(InverseHyperbolicSine(), x) }

struct InverseHyperbolicSine: UnaryElementwise {
  static let name = "asinh"
  var hasBoundedDerivative: Bool { true }

  // asinh′ = 1/√(x² + 1)
  func gradient(
    _ upstream: Tensor, _ x: Tensor, _ y: Tensor
  ) -> Tensor? { upstream / sqrt(x * x + 1) }
  func value(_ x: Double) -> Double { Foundation.asinh(x) }
  func scalar(_ x: Scalar) -> Scalar { x(.asinh) }

  static let examples = [
    Example("a matrix", [.init([3, 5])]) { asinh($0[0]) },
    Example("empty", [.init([2, 0])]) { asinh($0[0]) },
    Example(
      "special values", [.init([6], .given([0, 1e-10, 1e30, -1e30, .infinity, .nan]))],
      differentiable: false
    ) { asinh($0[0]) },
  ]
}
