import AgnesiArrays
import AgnesiLoops
import Foundation

extension Tensor {
  /// What the quotient rounded down leaves: of the sign of the divisor; operands broadcast.
  ///
  /// - Returns: the common shape and dtype. Modulo 0 a whole number is 0 and a float NaN.
  public func modulo(_ divisor: Tensor) -> Tensor { .binary(Modulo(), self, divisor) }
  public func modulo(_ divisor: some TensorNumber) -> Tensor { modulo(constant(like: divisor)) }
}

struct Modulo: BinaryElementwise {
  static let name = "modulo"
  var elementCost: Int { 6 }

  func resultType(_ operands: DType) throws(TypeError) -> DType { try operands.orNumeric() }

  // x mod y = x − y · ⌊x/y⌋, and ⌊x/y⌋ is flat.
  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor, _: Tensor) -> (Tensor?, Tensor?) {
    (upstream, -(upstream * x.floorDivided(by: y)))
  }
  func value(_ x: Double, _ y: Double) -> Double {
    let remainder = Foundation.fmod(x, y)
    if remainder == 0 { return Double(signOf: y, magnitudeOf: 0) }
    return (remainder < 0) != (y < 0) ? remainder + y : remainder
  }
  func value<Whole: FixedWidthInteger>(_ x: Whole, _ y: Whole) -> Whole {
    x.flooredRemainder(by: y)
  }
  func scalar(_ x: Scalar, _ y: Scalar) -> Scalar { .binary(.modulo, x, y) }

  static let examples = [
    Example("floats", [.init([9], .distinct), .init([9], .uniform(0.6...0.61))], smooth: false) {
      $0[0].modulo($0[1])
    },
    Example("a negative divisor", [.init([9], .uniform(-9...9))], differentiable: false) {
      $0[0].modulo(-2.5)
    },
    Example(
      "integers", [.init([20], .whole(-9...9), .int32), .init([20], .whole(-3...3), .int32)],
      differentiable: false
    ) { $0[0].modulo($0[1]) },
    Example("by zero", [.init([3], .given([1, -1, 0]))], differentiable: false) {
      $0[0].modulo(0)
    },
  ]
}
