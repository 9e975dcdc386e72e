import AgnesiArrays
import AgnesiLoops

/// The magnitude of each element.
///
/// - Parameter x: any dtype but bool. The smallest signed integer has no positive partner and stays.
/// - Returns: the shape and dtype of `x`. The gradient at 0 is 0.
public func abs(_ x: Tensor) -> Tensor { Tensor(Absolute(), x) }

struct Absolute: UnaryElementwise {
  static let name = "abs"
  var hasBoundedDerivative: Bool { true }
  var elementCost: Int { 1 }

  func resultType(_ operand: DType) throws(TypeError) -> DType { try operand.orNumeric() }

  // |x|′ = sign x
  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor? { upstream * sign(x) }
  func value(_ x: Double) -> Double { Swift.abs(x) }
  func value<Whole: FixedWidthInteger>(_ x: Whole) -> Whole { x < 0 ? 0 &- x : x }
  func scalar(_ x: Scalar) -> Scalar { x(.abs) }

  static let examples = [
    Example("a matrix", [.init([3, 5], .distinct)], smooth: false) { abs($0[0]) },
    Example(
      "special values", [.init([5], .given([0, -0.0, -.infinity, .nan, -3]))], differentiable: false
    ) {
      abs($0[0])
    },
    Example("integers", [.init([7], .whole(-5...5), .int16)], differentiable: false) { abs($0[0]) },
    Example("unsigned", [.init([3], .whole(0...9), .uint8)], differentiable: false) { abs($0[0]) },
  ]
}

extension DType {
  /// This dtype where it is one of numbers.
  func orNumeric() throws(TypeError) -> DType {
    guard self != .bool else {
      throw TypeError("needs numbers, got bool", hint: "convert them with cast(to: .int32)")
    }
    return self
  }
}
