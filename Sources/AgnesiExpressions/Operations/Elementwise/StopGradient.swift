import AgnesiArrays
import AgnesiLoops

/// `x`, of which nothing is learned: no gradient passes.
public func stopGradient(_ x: Tensor) -> Tensor { Tensor(StopGradient(), x) }

struct StopGradient: UnaryElementwise {
  static let name = "stopGradient"
  var hasBoundedDerivative: Bool { true }
  var elementCost: Int { 0 }

  func resultType(_ operand: DType) throws(TypeError) -> DType { operand }
  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor? { nil }
  func value(_ x: Double) -> Double { x }
  func value<Whole: FixedWidthInteger>(_ x: Whole) -> Whole { x }
  func scalar(_ x: Scalar) -> Scalar { x }

  static let examples = [
    Example("floats", [.init([3, 4])], differentiable: false) { stopGradient($0[0]) },
    Example("integers", [.init([3], .whole(0...9), .int32)], differentiable: false) {
      stopGradient($0[0])
    },
  ]
}
