import AgnesiLoops
import Foundation

/// The logarithm of |Γ| at each element.
///
/// - Parameter x: floating.
/// - Returns: the shape and dtype of `x`; infinity at 0 and the negative whole numbers.
/// - Source: Abramowitz & Stegun, *Handbook of Mathematical Functions*, 6.1.
public func lgamma(_ x: Tensor) -> Tensor { Tensor(LogGamma(), x) }

struct LogGamma: UnaryElementwise {
  static let name = "lgamma"
  var elementCost: Int { 16 }

  // ψ is defined as this derivative.
  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor? { upstream * digamma(x) }
  func value(_ x: Double) -> Double { Foundation.lgamma(x) }
  func scalar(_ x: Scalar) -> Scalar { x(.lgamma) }

  static let examples = [
    Example("a matrix", [.init([3, 5], .uniform(0.3...6))]) { lgamma($0[0]) },
    Example("negative", [.init([4], .given([-0.5, -1.3, -2.7, -4.4]))]) { lgamma($0[0]) },
    Example("around the zeros", [.init([4], .given([0.999, 1, 2, 2.001]))]) { lgamma($0[0]) },
    Example(
      "special values", [.init([5], .given([0, -1, .infinity, .nan, 100]))], differentiable: false
    ) { lgamma($0[0]) },
  ]
}
