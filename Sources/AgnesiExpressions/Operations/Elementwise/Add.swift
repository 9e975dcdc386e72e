import AgnesiArrays
import AgnesiLoops

extension Tensor {
  /// The elementwise sum; operands broadcast.
  public static func + (x: Tensor, y: Tensor) -> Tensor { .binary(Add(), x, y) }
  public static func + (x: Tensor, y: some TensorNumber) -> Tensor { x + x.constant(like: y) }
  public static func + (x: some TensorNumber, y: Tensor) -> Tensor { y.constant(like: x) + y }
}

struct Add: BinaryElementwise {
  static let name = "add"
  var hasBoundedDerivative: Bool { true }

  func resultType(_ operands: DType) throws(TypeError) -> DType { try operands.orNumeric() }
  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor, _: Tensor) -> (Tensor?, Tensor?) {
    (upstream, upstream)
  }
  func value(_ x: Double, _ y: Double) -> Double { x + y }
  func value<Whole: FixedWidthInteger>(_ x: Whole, _ y: Whole) -> Whole { x &+ y }
  func scalar(_ x: Scalar, _ y: Scalar) -> Scalar { .binary(.add, x, y) }

  static let examples = [
    Example("same shape", [.init([3, 4]), .init([3, 4])]) { $0[0] + $0[1] },
    Example("a row to all rows", [.init([3, 4]), .init([4])]) { $0[0] + $0[1] },
    Example("outer", [.init([3, 1]), .init([1, 5])]) { $0[0] + $0[1] },
    Example("a number", [.init([7])]) { $0[0] + 1.5 },
    Example("empty", [.init([0, 3]), .init([3])]) { $0[0] + $0[1] },
    Example("no axes", [.init([]), .init([])]) { $0[0] + $0[1] },
    Example(
      "integers", [.init([5], .whole(-9...9), .int32), .init([5], .whole(-9...9), .int32)],
      differentiable: false
    ) { $0[0] + $0[1] },
    Example(
      "mixed dtypes", [.init([5], .whole(-9...9), .int32), .init([5])], differentiable: false
    ) { $0[0] + $0[1] },
  ]
}
