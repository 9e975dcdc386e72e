import AgnesiLoops

/// The largest whole number that is not above each element.
///
/// - Parameter x: floating.
/// - Returns: the shape and dtype of `x`. It is flat between the steps, so no gradient passes.
public func floor(_ x: Tensor) -> Tensor { Tensor(Floor(), x) }

struct Floor: UnaryElementwise {
  static let name = "floor"
  var hasBoundedDerivative: Bool { true }
  var elementCost: Int { 1 }

  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor? { nil }
  func value(_ x: Double) -> Double { x.rounded(.down) }
  func scalar(_ x: Scalar) -> Scalar { x(.floor) }

  static let examples = [
    Example("a matrix", [.init([3, 5], .uniform(-9...9))], differentiable: false) { floor($0[0]) },
    Example(
      "halves", [.init([7], .given([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 7]))], differentiable: false
    ) { floor($0[0]) },
    Example(
      "special values", [.init([4], .given([.infinity, .nan, 1e20, -0.0]))], differentiable: false
    ) { floor($0[0]) },
  ]
}
