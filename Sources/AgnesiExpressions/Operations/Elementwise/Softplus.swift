import AgnesiLoops
import Foundation

/// ln(1 + eˣ) of each element: a smooth ramp, never infinite for finite x.
///
/// - Parameter x: floating.
/// - Returns: the shape and dtype of `x`.
public func softplus(_ x: Tensor) -> Tensor { Tensor(Softplus(), x) }

struct Softplus: UnaryElementwise {
  static let name = "softplus"
  var hasBoundedDerivative: Bool { true }

  // softplus′ = σ
  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor? { upstream * sigmoid(x) }
  func value(_ x: Double) -> Double {
    Swift.max(x, 0) + Foundation.log1p(Foundation.exp(-Swift.abs(x)))
  }
  func scalar(_ x: Scalar) -> Scalar { x(.softplus) }

  static let examples = [
    Example("a matrix", [.init([3, 5])]) { softplus($0[0]) },
    Example("empty", [.init([2, 0])]) { softplus($0[0]) },
    Example(
      "special values", [.init([7], .given([0, -30, 30, -1000, 1000, .infinity, .nan]))],
      differentiable: false
    ) { softplus($0[0]) },
  ]
}
