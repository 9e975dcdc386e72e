import AgnesiLoops
import Foundation

/// The natural logarithm of each element.
///
/// - Parameter x: floating.
/// - Returns: the shape and dtype of `x`; −∞ for 0 and NaN for less.
public func log(_ x: Tensor) -> Tensor { Tensor(Log(), x) }

struct Log: UnaryElementwise {
  static let name = "log"

  // (ln x)′ = 1/x
  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor? { upstream / x }
  func value(_ x: Double) -> Double { Foundation.log(x) }
  func scalar(_ x: Scalar) -> Scalar { x(.log) }

  static let examples = [
    Example("a matrix", [.init([3, 5], .uniform(0.3...4))]) { log($0[0]) },
    Example("empty", [.init([2, 0])]) { log($0[0]) },
    Example(
      "special values", [.init([7], .given([0, -0.0, -1, 1, .infinity, 1e-40, .nan]))],
      differentiable: false
    ) { log($0[0]) },
  ]
}
