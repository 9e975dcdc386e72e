import AgnesiLoops
import Foundation

/// The angle whose cosine each element is.
///
/// - Parameter x: in `-1...1`, floating.
/// - Returns: radians in `0...π`, of the shape and dtype of `x`; NaN outside of the domain.
public func acos(_ x: Tensor) -> Tensor { Tensor(ArcCosine(), x) }

struct ArcCosine: UnaryElementwise {
  static let name = "acos"

  // acos′ = −1/√(1 − x²)
  func gradient(
    _ upstream: Tensor, _ x: Tensor, _ y: Tensor
  ) -> Tensor? { -(upstream / sqrt(1 - x * x)) }
  func value(_ x: Double) -> Double { Foundation.acos(x) }
  func scalar(_ x: Scalar) -> Scalar { x(.acos) }

  static let examples = [
    Example("a matrix", [.init([3, 5], .uniform(-0.8...0.8))]) { acos($0[0]) },
    Example("empty", [.init([2, 0])]) { acos($0[0]) },
    Example("special values", [.init([5], .given([-1, 1, 0, 2, .nan]))], differentiable: false) {
      acos($0[0])
    },
  ]
}
