import AgnesiLoops
import Foundation

/// eˣ − 1, exact for small x, where the difference would lose all digits.
///
/// - Parameter x: floating.
/// - Returns: the shape and dtype of `x`.
public func expm1(_ x: Tensor) -> Tensor { Tensor(ExpMinusOne(), x) }

struct ExpMinusOne: UnaryElementwise {
  static let name = "expm1"

  // (eˣ − 1)′ = eˣ; y + 1 would lose the digits of large negative x.
  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor? { upstream * exp(x) }
  func value(_ x: Double) -> Double { Foundation.expm1(x) }
  func scalar(_ x: Scalar) -> Scalar { x(.expm1) }

  static let examples = [
    Example("a matrix", [.init([3, 5])]) { expm1($0[0]) },
    Example("empty", [.init([2, 0])]) { expm1($0[0]) },
    Example(
      "special values", [.init([7], .given([-1e-10, 1e-10, 0, -100, 1000, -.infinity, .nan]))],
      differentiable: false
    ) { expm1($0[0]) },
  ]
}
