import AgnesiLoops
import Foundation

/// Two to the power of each element, 2ˣ.
///
/// - Parameter x: floating.
/// - Returns: the shape and dtype of `x`; infinity from 128 on in float32.
public func exp2(_ x: Tensor) -> Tensor { Tensor(Exp2(), x) }

struct Exp2: UnaryElementwise {
  static let name = "exp2"

  // (2ˣ)′ = ln 2 · 2ˣ
  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor? {
    upstream * y * Foundation.log(2.0)
  }
  func value(_ x: Double) -> Double { Foundation.exp2(x) }
  func scalar(_ x: Scalar) -> Scalar { x(.exp2) }

  static let examples = [
    Example("a matrix", [.init([3, 5])]) { exp2($0[0]) },
    Example("empty", [.init([2, 0])]) { exp2($0[0]) },
    Example(
      "special values", [.init([7], .given([-200, 0, 10, 200, .infinity, -.infinity, .nan]))],
      differentiable: false
    ) { exp2($0[0]) },
  ]
}
