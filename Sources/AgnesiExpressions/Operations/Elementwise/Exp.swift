import AgnesiArrays
import AgnesiLoops
import Foundation

/// The exponential of each element, eˣ.
///
/// - Parameter x: floating.
/// - Returns: the shape and dtype of `x`; infinity above 88.72 in float32.
public func exp(_ x: Tensor) -> Tensor { Tensor(Exp(), x) }

struct Exp: UnaryElementwise {
  static let name = "exp"

  // (eˣ)′ = eˣ
  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor? { upstream * y }
  func value(_ x: Double) -> Double { Foundation.exp(x) }
  func scalar(_ x: Scalar) -> Scalar { x(.exp) }

  static let examples = [
    Example("a matrix", [.init([3, 5])]) { exp($0[0]) },
    Example("size 1", [.init([1])]) { exp($0[0]) },
    Example("large and small", [.init([4], .given([-80, 80, 0, -0.0]))], differentiable: false) {
      exp($0[0])
    },
    Example("empty", [.init([2, 0])]) { exp($0[0]) },
    Example("not contiguous", [.init([3, 5])]) { exp($0[0].transposed()) },
  ]
}
