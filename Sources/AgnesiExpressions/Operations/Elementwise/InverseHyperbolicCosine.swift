import AgnesiLoops
import Foundation

/// The inverse of ``cosh(_:)`` for positive numbers.
///
/// - Parameter x: at least 1, floating.
/// - Returns: the shape and dtype of `x`; NaN below 1.
public func acosh(_ x: Tensor) -> Tensor { Tensor(InverseHyperbolicCosine(), x) }

struct InverseHyperbolicCosine: UnaryElementwise {
  static let name = "acosh"

  // acosh′ = 1/√(x² − 1)
  func gradient(
    _ upstream: Tensor, _ x: Tensor, _ y: Tensor
  ) -> Tensor? { upstream / sqrt(x * x - 1) }
  func value(_ x: Double) -> Double { Foundation.acosh(x) }
  func scalar(_ x: Scalar) -> Scalar { x(.acosh) }

  static let examples = [
    Example("a matrix", [.init([3, 5], .uniform(1.3...4))]) { acosh($0[0]) },
    Example("empty", [.init([2, 0])]) { acosh($0[0]) },
    Example(
      "special values", [.init([5], .given([1, 0, 1e30, .infinity, .nan]))], differentiable: false
    ) { acosh($0[0]) },
  ]
}
