import AgnesiLoops
import Foundation

/// The angle whose tangent each element is.
///
/// - Parameter x: floating.
/// - Returns: radians in `-π/2...π/2`, of the shape and dtype of `x`.
public func atan(_ x: Tensor) -> Tensor { Tensor(ArcTangent(), x) }

struct ArcTangent: UnaryElementwise {
  static let name = "atan"
  var hasBoundedDerivative: Bool { true }

  // atan′ = 1/(1 + x²)
  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor? { upstream / (x * x + 1) }
  func value(_ x: Double) -> Double { Foundation.atan(x) }
  func scalar(_ x: Scalar) -> Scalar { x(.atan) }

  static let examples = [
    Example("a matrix", [.init([3, 5])]) { atan($0[0]) },
    Example("empty", [.init([2, 0])]) { atan($0[0]) },
    Example(
      "special values", [.init([5], .given([0, 1e30, -.infinity, .infinity, .nan]))],
      differentiable: false
    ) { atan($0[0]) },
  ]
}
