import AgnesiLoops
import Foundation

/// The angle whose sine each element is.
///
/// - Parameter x: in `-1...1`, floating.
/// - Returns: radians in `-π/2...π/2`, of the shape and dtype of `x`; NaN outside of the domain.
public func asin(_ x: Tensor) -> Tensor { Tensor(ArcSine(), x) }

struct ArcSine: UnaryElementwise {
  static let name = "asin"

  // asin′ = 1/√(1 − x²)
  func gradient(
    _ upstream: Tensor, _ x: Tensor, _ y: Tensor
  ) -> Tensor? { upstream / sqrt(1 - x * x) }
  func value(_ x: Double) -> Double { Foundation.asin(x) }
  func scalar(_ x: Scalar) -> Scalar { x(.asin) }

  static let examples = [
    Example("a matrix", [.init([3, 5], .uniform(-0.8...0.8))]) { asin($0[0]) },
    Example("empty", [.init([2, 0])]) { asin($0[0]) },
    Example("special values", [.init([5], .given([-1, 1, 0, 2, .nan]))], differentiable: false) {
      asin($0[0])
    },
  ]
}
