import AgnesiLoops
import Foundation

/// The sine of each element.
///
/// - Parameter x: radians, floating.
/// - Returns: the shape and dtype of `x`.
public func sin(_ x: Tensor) -> Tensor { Tensor(Sine(), x) }

struct Sine: UnaryElementwise {
  static let name = "sin"
  var hasBoundedDerivative: Bool { true }

  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor? { upstream * cos(x) }
  func value(_ x: Double) -> Double { Foundation.sin(x) }
  func scalar(_ x: Scalar) -> Scalar { x(.sin) }

  static let examples = [
    Example("a matrix", [.init([3, 5])]) { sin($0[0]) },
    Example("empty", [.init([2, 0])]) { sin($0[0]) },
    Example(
      "special values", [.init([6], .given([0, -0.0, 100, -1000, .infinity, .nan]))],
      differentiable: false
    ) { sin($0[0]) },
  ]
}
