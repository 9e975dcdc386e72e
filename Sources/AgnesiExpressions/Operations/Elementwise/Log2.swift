import AgnesiLoops
import Foundation

/// The logarithm to base 2 of each element.
///
/// - Parameter x: floating.
/// - Returns: the shape and dtype of `x`; −∞ for 0 and NaN for less.
public func log2(_ x: Tensor) -> Tensor { Tensor(Log2(), x) }

struct Log2: UnaryElementwise {
  static let name = "log2"

  // (log₂ x)′ = 1/(x · ln 2)
  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor? {
    upstream / (x * Foundation.log(2.0))
  }
  func value(_ x: Double) -> Double { Foundation.log2(x) }
  func scalar(_ x: Scalar) -> Scalar { x(.log2) }

  static let examples = [
    Example("a matrix", [.init([3, 5], .uniform(0.3...4))]) { log2($0[0]) },
    Example("empty", [.init([2, 0])]) { log2($0[0]) },
    Example(
      "special values", [.init([6], .given([0, -1, 1, 8, .infinity, .nan]))], differentiable: false
    ) { log2($0[0]) },
  ]
}
