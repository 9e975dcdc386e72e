import AgnesiArrays
import AgnesiLoops
import Foundation

/// `x` to the power of `y`; operands broadcast.
///
/// - Parameters:
///   - x: floating, or whole numbers with whole exponents.
///   - y: the exponents.
/// - Returns: the common shape and dtype. 0⁰ is 1; a negative number to a fraction is NaN; whole
///   numbers with negative exponents are rounded towards zero.
///   The gradient of `x` is 0 where `y` is, and that of `y` is 0 where `x` is, for negative `y` too.
public func power(_ x: Tensor, _ y: Tensor) -> Tensor {
  if x.type.isKnown, let exponent = y.constantScalar, y.shape.isEmpty,
    DType.promoted(x.dtype, y.dtype) == x.dtype
  {
    return power(x, exponent: exponent)
  }
  return .binary(Power(), x, y)
}
public func power(_ x: Tensor, _ y: some TensorNumber) -> Tensor { power(x, x.constant(like: y)) }
public func power(_ x: some TensorNumber, _ y: Tensor) -> Tensor { power(y.constant(like: x), y) }

/// Small whole exponents are products, and the square root is cheaper than a logarithm.
private func power(_ x: Tensor, exponent: Double) -> Tensor {
  switch exponent {
  case 0: return .ones(like: x)
  case 1: return x
  case 2: return square(x)
  case 3: return square(x) * x
  case 4: return square(square(x))
  case 0.5: return sqrt(x)
  case -1 where x.dtype.isFloating: return reciprocal(x)
  default: return .binary(Power(), x, .constant(exponent, x.dtype))
  }
}

struct Power: BinaryElementwise {
  static let name = "power"
  var elementCost: Int { 12 }
  var roles: [String] { ["base", "exponent"] }

  func resultType(_ operands: DType) throws(TypeError) -> DType { try operands.orNumeric() }

  // ∂xʸ/∂x = y · xʸ⁻¹,  ∂xʸ/∂y = xʸ · ln x
  func gradient(
    _ upstream: Tensor, _ x: Tensor, _ y: Tensor, _ result: Tensor
  ) -> (Tensor?, Tensor?) {
    if let exponent = y.constantScalar {
      return (upstream * (power(x, exponent - 1) * exponent), nil)
    }
    // At y = 0 the product may be 0 · ∞. At x = 0 the logarithm is −∞, and the power 0 or ∞.
    let isFlat = y .== 0
    let lowered = power(x, select(isFlat, Tensor.ones(like: y), y - 1))
    let isZero = x .== 0
    let logarithm = log(select(isZero, Tensor.ones(like: x), x))
    let growth = select(isZero, Tensor.zeros(like: x), result * logarithm)
    return (upstream * (y * lowered), upstream * growth)
  }

  func value(_ x: Double, _ y: Double) -> Double { Foundation.pow(x, y) }
  func value<Whole: FixedWidthInteger>(_ x: Whole, _ y: Whole) -> Whole { x.wrappingPower(y) }
  func scalar(_ x: Scalar, _ y: Scalar) -> Scalar { .binary(.power, x, y) }

  static let examples = [
    Example("same shape", [.init([3, 4], .uniform(0.3...2)), .init([3, 4])]) {
      power($0[0], $0[1])
    },
    Example("a number to powers", [.init([5])]) { power(2, $0[0]) },
    Example("a square", [.init([5])]) { power($0[0], 2) },
    Example("a cube", [.init([5])]) { power($0[0], 3) },
    Example("the fourth", [.init([5])]) { power($0[0], 4) },
    Example("the seventh", [.init([5])]) { power($0[0], 7) },
    Example("a root", [.init([5], .uniform(0.3...2))]) { power($0[0], 0.5) },
    Example("a fraction", [.init([5], .uniform(0.3...2))]) { power($0[0], -1.7) },
    Example("a reciprocal", [.init([5], .uniform(0.3...2))]) { power($0[0], -1) },
    Example("nothing", [.init([5])], differentiable: false) { power($0[0], 0) },
    Example(
      "at zero",
      [.init([6], .given([0, 0, -1, -2, 2, .nan])), .init([6], .given([0, 2, 0.5, 3, 0, 0]))],
      differentiable: false
    ) { power($0[0], $0[1]) },
    Example(
      "integers", [.init([6], .whole(-4...4), .int32), .init([6], .whole(0...5), .int32)],
      differentiable: false
    ) { power($0[0], $0[1]) },
  ]
}

extension Tensor {
  /// The value of a constant of one element, also where it is repeated; nil where a double does not hold it.
  package var constantScalar: Double? {
    var tensor = self
    while tensor.node.operation is Broadcast { tensor = tensor.node.operands[0] }
    guard let array = tensor.constant, array.count == 1 else { return nil }
    return array.exactScalar
  }
}
