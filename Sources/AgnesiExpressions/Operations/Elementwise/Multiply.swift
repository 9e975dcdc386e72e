import AgnesiArrays
import AgnesiLoops

extension Tensor {
  /// The elementwise product; operands broadcast. That of bools is where both hold.
  public static func * (x: Tensor, y: Tensor) -> Tensor { .binary(Multiply(), x, y) }
  public static func * (x: Tensor, y: some TensorNumber) -> Tensor { x * x.constant(like: y) }
  public static func * (x: some TensorNumber, y: Tensor) -> Tensor { y.constant(like: x) * y }
}

struct Multiply: BinaryElementwise {
  static let name = "multiply"
  var hasBoundedDerivative: Bool { true }

  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor, _: Tensor) -> (Tensor?, Tensor?) {
    (upstream * y, upstream * x)
  }
  func value(_ x: Double, _ y: Double) -> Double { x * y }
  func value<Whole: FixedWidthInteger>(_ x: Whole, _ y: Whole) -> Whole { x &* y }
  func scalar(_ x: Scalar, _ y: Scalar) -> Scalar {
    .binary(x.dtype == .bool ? .and : .multiply, x, y)
  }

  static let examples = [
    Example("same shape", [.init([3, 4]), .init([3, 4])]) { $0[0] * $0[1] },
    Example("a column to all columns", [.init([3, 4]), .init([3, 1])]) { $0[0] * $0[1] },
    Example("a square", [.init([5])]) { $0[0] * $0[0] },
    Example("a number", [.init([2, 3])]) { 2 * $0[0] },
    Example("empty", [.init([0]), .init([1])]) { $0[0] * $0[1] },
  ]
}
