import AgnesiArrays
import AgnesiLoops

/// The smaller of two elements; operands broadcast.
///
/// - Returns: the common shape and dtype; NaN where either is. Where both are equal the whole
///   gradient goes to `x`.
public func minimum(_ x: Tensor, _ y: Tensor) -> Tensor { .binary(Minimum(), x, y) }
public func minimum(_ x: Tensor, _ y: some TensorNumber) -> Tensor {
  minimum(x, x.constant(like: y))
}
public func minimum(_ x: some TensorNumber, _ y: Tensor) -> Tensor {
  minimum(y.constant(like: x), y)
}

/// `x`, but not below `low` and not above `high`.
///
/// - Returns: the common shape and dtype; `low` where the bounds cross. The gradient goes to `x`
///   within the bounds, themselves included, and to the bound outside of them.
public func clip(_ x: Tensor, _ low: Tensor, _ high: Tensor) -> Tensor {
  maximum(minimum(x, high), low)
}
public func clip(_ x: Tensor, _ low: some TensorNumber, _ high: some TensorNumber) -> Tensor {
  maximum(minimum(x, high), low)
}

struct Minimum: BinaryElementwise {
  static let name = "minimum"
  var hasBoundedDerivative: Bool { true }
  var leavesElementsOut: Bool { true }

  func resultType(_ operands: DType) throws(TypeError) -> DType { try operands.orNumeric() }
  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor, _: Tensor) -> (Tensor?, Tensor?) {
    shares(of: upstream, second: y .< x)
  }
  func value(_ x: Double, _ y: Double) -> Double { y.isNaN || y < x ? y : x }
  func value<Whole: FixedWidthInteger>(_ x: Whole, _ y: Whole) -> Whole { y < x ? y : x }
  func scalar(_ x: Scalar, _ y: Scalar) -> Scalar { .binary(.minimum, x, y) }

  static let examples = [
    Example("same shape", [.init([3, 4]), .init([3, 4], .distinct)], smooth: false) {
      minimum($0[0], $0[1])
    },
    Example("a number", [.init([7], .distinct)], smooth: false) { minimum(0.1, $0[0]) },
    Example(
      "NaN", [.init([3], .given([1, .nan, .nan])), .init([3], .given([.nan, 1, .nan]))],
      differentiable: false
    ) { minimum($0[0], $0[1]) },
    Example(
      "unsigned", [.init([5], .whole(0...9), .uint8), .init([5], .whole(0...9), .uint8)],
      differentiable: false
    ) { minimum($0[0], $0[1]) },
    Example("clip", [.init([9], .distinct)], smooth: false) { clip($0[0], -0.2, 0.1) },
    Example("clip by tensors", [.init([9]), .init([9], .distinct), .init([])], smooth: false) {
      clip($0[0], $0[1], $0[2])
    },
  ]
}
