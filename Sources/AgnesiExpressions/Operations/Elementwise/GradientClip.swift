import AgnesiArrays
import AgnesiLoops

/// `x`, whose gradient is limited on its way back: each element to `low...high`.
///
/// - Parameter x: floating.
public func gradientClipped(_ x: Tensor, _ low: Double, _ high: Double) -> Tensor {
  Tensor(GradientClip(low: low, high: high), x)
}

struct GradientClip: UnaryElementwise {
  static let name = "gradientClip"
  var hasBoundedDerivative: Bool { true }
  var elementCost: Int { 0 }
  let low: Double
  let high: Double

  func gradient(
    _ upstream: Tensor, _ x: Tensor, _ y: Tensor
  ) -> Tensor? { clip(upstream, low, high) }
  func value(_ x: Double) -> Double { x }
  func scalar(_ x: Scalar) -> Scalar { x }

  // The gradient is not that of the values, on purpose, so central differences do not apply.
  static let examples = [
    Example("a matrix", [.init([3, 4])], differentiable: false) { gradientClipped($0[0], -1, 1) }
  ]
}
