import AgnesiLoops
import Foundation

/// The hyperbolic tangent of each element, in `-1...1`.
///
/// - Parameter x: floating.
/// - Returns: the shape and dtype of `x`.
public func tanh(_ x: Tensor) -> Tensor { Tensor(HyperbolicTangent(), x) }

struct HyperbolicTangent: UnaryElementwise {
  static let name = "tanh"
  var hasBoundedDerivative: Bool { true }

  // tanh′ = 1 − tanh²
  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor? { upstream * (1 - y * y) }
  func value(_ x: Double) -> Double { Foundation.tanh(x) }
  func scalar(_ x: Scalar) -> Scalar { x(.tanh) }

  static let examples = [
    Example("a matrix", [.init([3, 5])]) { tanh($0[0]) },
    Example("empty", [.init([2, 0])]) { tanh($0[0]) },
    Example(
      "special values",
      [.init([8], .given([0, 1e-10, 0.5, -20, 100, -.infinity, .infinity, .nan]))],
      differentiable: false
    ) { tanh($0[0]) },
  ]
}
