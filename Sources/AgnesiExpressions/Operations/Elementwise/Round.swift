import AgnesiLoops

/// The nearest whole number; halves go to the even one: 0.5 to 0, 1.5 to 2.
///
/// - Parameter x: floating.
/// - Returns: the shape and dtype of `x`. It is flat between the steps, so no gradient passes.
public func round(_ x: Tensor) -> Tensor { Tensor(Round(), x) }

struct Round: UnaryElementwise {
  static let name = "round"
  var hasBoundedDerivative: Bool { true }
  var elementCost: Int { 1 }

  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor? { nil }
  func value(_ x: Double) -> Double { x.rounded(.toNearestOrEven) }
  func scalar(_ x: Scalar) -> Scalar { x(.round) }

  static let examples = [
    Example("a matrix", [.init([3, 5], .uniform(-9...9))], differentiable: false) { round($0[0]) },
    Example(
      "halves", [.init([7], .given([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 7]))], differentiable: false
    ) { round($0[0]) },
    Example(
      "special values", [.init([4], .given([.infinity, .nan, 1e20, -0.0]))], differentiable: false
    ) { round($0[0]) },
  ]
}
