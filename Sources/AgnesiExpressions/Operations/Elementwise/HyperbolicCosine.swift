import AgnesiLoops
import Foundation

/// The hyperbolic cosine of each element.
///
/// - Parameter x: floating.
/// - Returns: the shape and dtype of `x`.
public func cosh(_ x: Tensor) -> Tensor { Tensor(HyperbolicCosine(), x) }

struct HyperbolicCosine: UnaryElementwise {
  static let name = "cosh"

  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor? { upstream * sinh(x) }
  func value(_ x: Double) -> Double { Foundation.cosh(x) }
  func scalar(_ x: Scalar) -> Scalar { x(.cosh) }

  static let examples = [
    Example("a matrix", [.init([3, 5])]) { cosh($0[0]) },
    Example("empty", [.init([2, 0])]) { cosh($0[0]) },
    Example(
      "special values", [.init([5], .given([0, 1e-10, 1000, -.infinity, .nan]))],
      differentiable: false
    ) { cosh($0[0]) },
  ]
}
