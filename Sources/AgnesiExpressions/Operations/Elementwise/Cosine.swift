import AgnesiLoops
import Foundation

/// The cosine of each element.
///
/// - Parameter x: radians, floating.
/// - Returns: the shape and dtype of `x`.
public func cos(_ x: Tensor) -> Tensor { Tensor(Cosine(), x) }

struct Cosine: UnaryElementwise {
  static let name = "cos"
  var hasBoundedDerivative: Bool { true }

  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor? { -(upstream * sin(x)) }
  func value(_ x: Double) -> Double { Foundation.cos(x) }
  func scalar(_ x: Scalar) -> Scalar { x(.cos) }

  static let examples = [
    Example("a matrix", [.init([3, 5])]) { cos($0[0]) },
    Example("empty", [.init([2, 0])]) { cos($0[0]) },
    Example(
      "special values", [.init([5], .given([0, 100, -1000, .infinity, .nan]))],
      differentiable: false
    ) { cos($0[0]) },
  ]
}
