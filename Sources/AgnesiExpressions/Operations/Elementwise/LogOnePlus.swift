import AgnesiLoops
import Foundation

/// ln(1 + x), exact for small x, where the sum would lose all digits.
///
/// - Parameter x: floating.
/// - Returns: the shape and dtype of `x`; −∞ for −1 and NaN for less.
public func log1p(_ x: Tensor) -> Tensor { Tensor(LogOnePlus(), x) }

struct LogOnePlus: UnaryElementwise {
  static let name = "log1p"

  // (ln(1 + x))′ = 1/(1 + x)
  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor? { upstream / (x + 1) }
  func value(_ x: Double) -> Double { Foundation.log1p(x) }
  func scalar(_ x: Scalar) -> Scalar { x(.log1p) }

  static let examples = [
    Example("a matrix", [.init([3, 5], .uniform(-0.7...3))]) { log1p($0[0]) },
    Example("empty", [.init([2, 0])]) { log1p($0[0]) },
    Example(
      "special values", [.init([7], .given([-1, -2, 0, 1e-10, -1e-10, .infinity, .nan]))],
      differentiable: false
    ) { log1p($0[0]) },
  ]
}
