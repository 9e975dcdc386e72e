import AgnesiLoops
import Foundation

/// The inverse of ``tanh(_:)``.
///
/// - Parameter x: in `-1...1`, floating.
/// - Returns: the shape and dtype of `x`; ±∞ at ±1 and NaN outside of the domain.
public func atanh(_ x: Tensor) -> Tensor { Tensor(InverseHyperbolicTangent(), x) }

struct InverseHyperbolicTangent: UnaryElementwise {
  static let name = "atanh"

  // atanh′ = 1/(1 − x²)
  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor? { upstream / (1 - x * x) }
  func value(_ x: Double) -> Double { Foundation.atanh(x) }
  func scalar(_ x: Scalar) -> Scalar { x(.atanh) }

  static let examples = [
    Example("a matrix", [.init([3, 5], .uniform(-0.8...0.8))]) { atanh($0[0]) },
    Example("empty", [.init([2, 0])]) { atanh($0[0]) },
    Example(
      "special values", [.init([6], .given([0, 1e-10, 1, -1, 2, .nan]))], differentiable: false
    ) { atanh($0[0]) },
  ]
}
