import AgnesiArrays
import AgnesiLoops

/// The opposite of each bool, or every bit of each integer turned.
///
/// - Parameter x: bool or integer.
/// - Returns: the shape and dtype of `x`.
public func not(_ x: Tensor) -> Tensor { Tensor(Not(), x) }

struct Not: UnaryElementwise {
  static let name = "not"
  var elementCost: Int { 1 }

  func resultType(_ operand: DType) throws(TypeError) -> DType {
    guard !operand.isFloating else {
      throw TypeError("needs bools or integers, got \(operand)")
    }
    return operand
  }
  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor? { nil }
  func value(_ x: Double) -> Double { -x - 1 }
  func value<Whole: FixedWidthInteger>(_ x: Whole) -> Whole { ~x }
  func scalar(_ x: Scalar) -> Scalar { x(.not) }

  func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    let isLogical = types[0].dtype == .bool
    let values = operands[0].wholes.map { isLogical ? 1 - $0 : value($0) }
    return [NDArray(wrapping: values, shape: operands[0].shape, types[0].dtype)]
  }

  static let examples = [
    Example("bools", [.init([2], .given([0, 1]), .bool)], differentiable: false) { not($0[0]) },
    Example("integers", [.init([5], .whole(-9...9), .int16)], differentiable: false) {
      not($0[0])
    },
    Example("unsigned", [.init([5], .whole(0...255), .uint8)], differentiable: false) {
      not($0[0])
    },
  ]
}
