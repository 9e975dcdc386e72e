import AgnesiLoops
import Foundation

/// The tangent of each element.
///
/// - Parameter x: radians, floating.
/// - Returns: the shape and dtype of `x`.
public func tan(_ x: Tensor) -> Tensor { Tensor(Tangent(), x) }

struct Tangent: UnaryElementwise {
  static let name = "tan"

  // tan′ = 1 + tan²
  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor? { upstream * (y * y + 1) }
  func value(_ x: Double) -> Double { Foundation.tan(x) }
  func scalar(_ x: Scalar) -> Scalar { x(.tan) }

  static let examples = [
    Example("a matrix", [.init([3, 5], .uniform(-1.2...1.2))]) { tan($0[0]) },
    Example("empty", [.init([2, 0])]) { tan($0[0]) },
    Example(
      "special values", [.init([4], .given([0, 3, .infinity, .nan]))], differentiable: false
    ) { tan($0[0]) },
  ]
}
