import AgnesiArrays
import AgnesiLoops

extension Tensor {
  /// The elementwise difference; operands broadcast.
  public static func - (x: Tensor, y: Tensor) -> Tensor { .binary(Subtract(), x, y) }
  public static func - (x: Tensor, y: some TensorNumber) -> Tensor { x - x.constant(like: y) }
  public static func - (x: some TensorNumber, y: Tensor) -> Tensor { y.constant(like: x) - y }
}

struct Subtract: BinaryElementwise {
  static let name = "subtract"
  var hasBoundedDerivative: Bool { true }

  func resultType(_ operands: DType) throws(TypeError) -> DType { try operands.orNumeric() }
  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor, _: Tensor) -> (Tensor?, Tensor?) {
    (upstream, -upstream)
  }
  func value(_ x: Double, _ y: Double) -> Double { x - y }
  func value<Whole: FixedWidthInteger>(_ x: Whole, _ y: Whole) -> Whole { x &- y }
  func scalar(_ x: Scalar, _ y: Scalar) -> Scalar { .binary(.subtract, x, y) }

  static let examples = [
    Example("same shape", [.init([3, 4]), .init([3, 4])]) { $0[0] - $0[1] },
    Example("from a number", [.init([5])]) { 1 - $0[0] },
    Example("broadcast", [.init([2, 1]), .init([3])]) { $0[0] - $0[1] },
  ]
}
