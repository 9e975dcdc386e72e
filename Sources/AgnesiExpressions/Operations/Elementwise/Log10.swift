import AgnesiLoops
import Foundation

/// The logarithm to base 10 of each element.
///
/// - Parameter x: floating.
/// - Returns: the shape and dtype of `x`; −∞ for 0 and NaN for less.
public func log10(_ x: Tensor) -> Tensor { Tensor(Log10(), x) }

struct Log10: UnaryElementwise {
  static let name = "log10"

  // (log₁₀ x)′ = 1/(x · ln 10)
  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor? {
    upstream / (x * Foundation.log(10.0))
  }
  func value(_ x: Double) -> Double { Foundation.log10(x) }
  func scalar(_ x: Scalar) -> Scalar { x(.log10) }

  static let examples = [
    Example("a matrix", [.init([3, 5], .uniform(0.3...4))]) { log10($0[0]) },
    Example("empty", [.init([2, 0])]) { log10($0[0]) },
    Example(
      "special values", [.init([6], .given([0, -1, 1, 1000, .infinity, .nan]))],
      differentiable: false
    ) { log10($0[0]) },
  ]
}
