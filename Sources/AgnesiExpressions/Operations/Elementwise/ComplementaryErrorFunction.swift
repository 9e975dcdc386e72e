import AgnesiLoops
import Foundation

/// 1 − ``erf(_:)``, exact where that is nearly 1.
///
/// - Parameter x: floating.
/// - Returns: the shape and dtype of `x`.
/// - Source: Abramowitz & Stegun, *Handbook of Mathematical Functions*, 7.1.2.
public func erfc(_ x: Tensor) -> Tensor { Tensor(ComplementaryErrorFunction(), x) }

struct ComplementaryErrorFunction: UnaryElementwise {
  static let name = "erfc"
  var hasBoundedDerivative: Bool { true }

  // erfc′ = −2/√π · exp(−x²)
  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor? {
    upstream * exp(-(x * x)) * (-2 / Double.pi.squareRoot())
  }
  func value(_ x: Double) -> Double { Foundation.erfc(x) }
  func scalar(_ x: Scalar) -> Scalar { x(.erfc) }

  static let examples = [
    Example("a matrix", [.init([3, 5])]) { erfc($0[0]) },
    Example("empty", [.init([2, 0])]) { erfc($0[0]) },
    Example(
      "special values", [.init([4], .given([0, -10, .infinity, .nan]))], differentiable: false
    ) { erfc($0[0]) },
    Example("far out", [.init([3], .given([4, 6, 8]))], differentiable: false, tolerance: 64) {
      erfc($0[0])
    },
  ]
}
