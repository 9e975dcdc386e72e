import AgnesiArrays
import AgnesiLoops

extension Tensor {
  /// The elementwise quotient; operands broadcast. Integers are divided as float32; use
  /// ``floorDivided(by:)`` for whole quotients.
  public static func / (x: Tensor, y: Tensor) -> Tensor {
    let bothWhole = x.type.isKnown && y.type.isKnown && !x.dtype.isFloating && !y.dtype.isFloating
    return .binary(Divide(), bothWhole ? x.cast(to: .float32) : x, y)
  }
  public static func / (x: Tensor, y: some TensorNumber) -> Tensor { x / x.constant(like: y) }
  public static func / (x: some TensorNumber, y: Tensor) -> Tensor { y.constant(like: x) / y }
}

struct Divide: BinaryElementwise {
  static let name = "divide"

  func resultType(_ operands: DType) throws(TypeError) -> DType {
    guard operands.isFloating else { throw TypeError("needs floating operands, got \(operands)") }
    return operands
  }

  // (x/y)′ = dx/y − dy·(x/y)/y
  func gradient(
    _ upstream: Tensor, _ x: Tensor, _ y: Tensor, _ result: Tensor
  ) -> (Tensor?, Tensor?) {
    let share = upstream / y
    return (share, -(share * result))
  }
  func value(_ x: Double, _ y: Double) -> Double { x / y }
  func scalar(_ x: Scalar, _ y: Scalar) -> Scalar { .binary(.divide, x, y) }

  static let examples = [
    Example("same shape", [.init([3, 4]), .init([3, 4], .uniform(0.5...2))]) { $0[0] / $0[1] },
    Example("one over", [.init([5], .uniform(-2 ... -0.5))]) { 1 / $0[0] },
    Example("by zero", [.init([3], .given([1, -1, 0]))], differentiable: false) { $0[0] / 0 },
    Example("whole numbers", [.init([4], .whole(1...9), .int32)], differentiable: false) {
      $0[0] / 2
    },
  ]
}
