import AgnesiArrays
import AgnesiLoops

extension Tensor {
  /// The negative of each element.
  public static prefix func - (x: Tensor) -> Tensor { Tensor(Negate(), x) }
}

struct Negate: UnaryElementwise {
  static let name = "negate"
  var hasBoundedDerivative: Bool { true }
  var elementCost: Int { 1 }

  func resultType(_ operand: DType) throws(TypeError) -> DType {
    guard operand != .bool else { throw TypeError("bools have no negative", hint: "use not(x)") }
    return operand
  }
  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor? { -upstream }
  func value(_ x: Double) -> Double { -x }
  func value<Whole: FixedWidthInteger>(_ x: Whole) -> Whole { 0 &- x }
  func scalar(_ x: Scalar) -> Scalar { x(.negate) }

  static let examples = [
    Example("a matrix", [.init([3, 4])]) { -$0[0] },
    Example("integers", [.init([4], .whole(-5...5), .int32)], differentiable: false) { -$0[0] },
    Example("zeros", [.init([2], .given([0, -0.0]))]) { -$0[0] },
  ]
}
