import AgnesiLoops
import Foundation

/// The hyperbolic sine of each element.
///
/// - Parameter x: floating.
/// - Returns: the shape and dtype of `x`.
public func sinh(_ x: Tensor) -> Tensor { Tensor(HyperbolicSine(), x) }

struct HyperbolicSine: UnaryElementwise {
  static let name = "sinh"

  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor? { upstream * cosh(x) }
  func value(_ x: Double) -> Double { Foundation.sinh(x) }
  func scalar(_ x: Scalar) -> Scalar { x(.sinh) }

  static let examples = [
    Example("a matrix", [.init([3, 5])]) { sinh($0[0]) },
    Example("empty", [.init([2, 0])]) { sinh($0[0]) },
    Example(
      "special values", [.init([7], .given([0, 1e-10, 88, -88, 1000, -.infinity, .nan]))],
      differentiable: false
    ) { sinh($0[0]) },
  ]
}
