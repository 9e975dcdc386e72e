import AgnesiLoops
import Foundation

/// The logistic function of each element, 1/(1 + e⁻ˣ), in `0...1`.
///
/// - Parameter x: floating.
/// - Returns: the shape and dtype of `x`.
public func sigmoid(_ x: Tensor) -> Tensor { Tensor(Sigmoid(), x) }

struct Sigmoid: UnaryElementwise {
  static let name = "sigmoid"
  var hasBoundedDerivative: Bool { true }

  // σ′ = σ · (1 − σ)
  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor? { upstream * y * (1 - y) }
  func value(_ x: Double) -> Double { 1 / (1 + Foundation.exp(-x)) }
  func scalar(_ x: Scalar) -> Scalar { x(.sigmoid) }

  static let examples = [
    Example("a matrix", [.init([3, 5])]) { sigmoid($0[0]) },
    Example("empty", [.init([2, 0])]) { sigmoid($0[0]) },
    Example(
      "special values",
      [.init([8], .given([0, -30, 30, -1000, 1000, -.infinity, .infinity, .nan]))],
      differentiable: false
    ) { sigmoid($0[0]) },
  ]
}
