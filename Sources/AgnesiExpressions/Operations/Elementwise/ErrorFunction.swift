import AgnesiLoops
import Foundation

/// The error function, `2/√π · ∫₀ˣ exp(−t²) dt`, in `-1...1`.
///
/// - Parameter x: floating.
/// - Returns: the shape and dtype of `x`.
/// - Source: Abramowitz & Stegun, *Handbook of Mathematical Functions*, 7.1.1.
public func erf(_ x: Tensor) -> Tensor { Tensor(ErrorFunction(), x) }

struct ErrorFunction: UnaryElementwise {
  static let name = "erf"
  var hasBoundedDerivative: Bool { true }

  // erf′ = 2/√π · exp(−x²)
  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor? {
    upstream * exp(-(x * x)) * (2 / Double.pi.squareRoot())
  }
  func value(_ x: Double) -> Double { Foundation.erf(x) }
  func scalar(_ x: Scalar) -> Scalar { x(.erf) }

  static let examples = [
    Example("a matrix", [.init([3, 5])]) { erf($0[0]) },
    Example("empty", [.init([2, 0])]) { erf($0[0]) },
    Example(
      "special values", [.init([6], .given([0, 1e-10, 3.5, -10, .infinity, .nan]))],
      differentiable: false
    ) { erf($0[0]) },
  ]
}
