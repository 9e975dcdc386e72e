import AgnesiArrays
import AgnesiLoops

/// −1, 0 or 1, as each element is; zeros and NaN are themselves.
///
/// - Parameter x: any dtype but bool.
/// - Returns: the shape and dtype of `x`. It is flat but for a jump, so no gradient passes.
public func sign(_ x: Tensor) -> Tensor { Tensor(Sign(), x) }

struct Sign: UnaryElementwise {
  static let name = "sign"
  var hasBoundedDerivative: Bool { true }
  var elementCost: Int { 1 }

  func resultType(_ operand: DType) throws(TypeError) -> DType { try operand.orNumeric() }
  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor? { nil }
  func value(_ x: Double) -> Double { x > 0 ? 1 : x < 0 ? -1 : x }
  func value<Whole: FixedWidthInteger>(_ x: Whole) -> Whole { x.signum() }
  func scalar(_ x: Scalar) -> Scalar { x(.sign) }

  static let examples = [
    Example("a matrix", [.init([3, 5])], differentiable: false) { sign($0[0]) },
    Example(
      "special values", [.init([5], .given([0, -0.0, -.infinity, .nan, 1e-40]))],
      differentiable: false
    ) { sign($0[0]) },
    Example("integers", [.init([7], .whole(-2...2), .int8)], differentiable: false) {
      sign($0[0])
    },
    Example("unsigned", [.init([4], .whole(0...2), .uint8)], differentiable: false) {
      sign($0[0])
    },
  ]
}
