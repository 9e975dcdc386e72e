import AgnesiArrays
import AgnesiLoops

/// `x`, whose gradient is multiplied by `factor` on its way back; −1 reverses it.
///
/// - Parameter x: floating.
/// - Source: Ganin & Lempitsky, *Unsupervised Domain Adaptation by Backpropagation*, 2015, §3.2
///   (reversal).
public func gradientScaled(_ x: Tensor, by factor: Double) -> Tensor {
  Tensor(GradientScale(factor: factor), x)
}

struct GradientScale: UnaryElementwise {
  static let name = "gradientScale"
  var hasBoundedDerivative: Bool { true }
  var elementCost: Int { 0 }
  let factor: Double

  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor? { upstream * factor }
  func value(_ x: Double) -> Double { x }
  func scalar(_ x: Scalar) -> Scalar { x }

  // The gradient is not that of the values, on purpose, so central differences do not apply.
  static let examples = [
    Example("a matrix", [.init([3, 4])], differentiable: false) { gradientScaled($0[0], by: -1) }
  ]
}
