import AgnesiArrays
import AgnesiLoops

/// The larger of two elements; operands broadcast.
///
/// - Returns: the common shape and dtype; NaN where either is. Where both are equal the whole
///   gradient goes to `x`.
public func maximum(_ x: Tensor, _ y: Tensor) -> Tensor { .binary(Maximum(), x, y) }
public func maximum(_ x: Tensor, _ y: some TensorNumber) -> Tensor {
  maximum(x, x.constant(like: y))
}
public func maximum(_ x: some TensorNumber, _ y: Tensor) -> Tensor {
  maximum(y.constant(like: x), y)
}

struct Maximum: BinaryElementwise {
  static let name = "maximum"
  var hasBoundedDerivative: Bool { true }
  var leavesElementsOut: Bool { true }

  func resultType(_ operands: DType) throws(TypeError) -> DType { try operands.orNumeric() }
  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor, _: Tensor) -> (Tensor?, Tensor?) {
    shares(of: upstream, second: x .< y)
  }
  func value(_ x: Double, _ y: Double) -> Double { y.isNaN || y > x ? y : x }
  func value<Whole: FixedWidthInteger>(_ x: Whole, _ y: Whole) -> Whole { y > x ? y : x }
  func scalar(_ x: Scalar, _ y: Scalar) -> Scalar { .binary(.maximum, x, y) }

  static let examples = [
    Example("same shape", [.init([3, 4]), .init([3, 4], .distinct)], smooth: false) {
      maximum($0[0], $0[1])
    },
    Example("a number", [.init([7], .distinct)], smooth: false) { maximum($0[0], 0) },
    Example("broadcast", [.init([3, 1]), .init([4], .distinct)], smooth: false) {
      maximum($0[0], $0[1])
    },
    Example(
      "NaN", [.init([3], .given([1, .nan, .nan])), .init([3], .given([.nan, 1, .nan]))],
      differentiable: false
    ) { maximum($0[0], $0[1]) },
    Example(
      "integers", [.init([5], .whole(-9...9), .int32), .init([5], .whole(-9...9), .int64)],
      differentiable: false
    ) { maximum($0[0], $0[1]) },
  ]
}

/// The gradient divided between two operands of which one was chosen.
func shares(of upstream: Tensor, second: Tensor) -> (Tensor?, Tensor?) {
  let zero = Tensor.constant(0, upstream.dtype)
  return (select(second, zero, upstream), select(second, upstream, zero))
}
