import AgnesiLoops

/// The square root of each element.
///
/// - Parameter x: floating.
/// - Returns: the shape and dtype of `x`; NaN below 0. The gradient at 0 is infinite.
public func sqrt(_ x: Tensor) -> Tensor { Tensor(SquareRoot(), x) }

struct SquareRoot: UnaryElementwise {
  static let name = "sqrt"
  var elementCost: Int { 2 }

  // (√x)′ = 1/(2√x)
  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor? { upstream * 0.5 / y }
  func value(_ x: Double) -> Double { x.squareRoot() }
  func scalar(_ x: Scalar) -> Scalar { x(.sqrt) }

  static let examples = [
    Example("a matrix", [.init([3, 5], .uniform(0.3...4))]) { sqrt($0[0]) },
    Example("empty", [.init([2, 0])]) { sqrt($0[0]) },
    Example(
      "special values", [.init([6], .given([0, -0.0, -1, 4, .infinity, .nan]))],
      differentiable: false
    ) { sqrt($0[0]) },
  ]
}
