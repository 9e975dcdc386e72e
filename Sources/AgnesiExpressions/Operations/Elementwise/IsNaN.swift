import AgnesiArrays
import AgnesiLoops

/// Whether each element is NaN: bool, of the shape of `x`.
///
/// - Parameter x: floating.
public func isNaN(_ x: Tensor) -> Tensor { Tensor(IsNaN(), x) }

/// Whether each element is ∞ or −∞: bool, of the shape of `x`.
///
/// - Parameter x: floating.
public func isInfinite(_ x: Tensor) -> Tensor { abs(x) .== Double.infinity }

/// Whether each element is neither infinite nor NaN: bool, of the shape of `x`.
///
/// - Parameter x: floating.
public func isFinite(_ x: Tensor) -> Tensor { abs(x) .< Double.infinity }

/// Whether elements are equal but for rounding: `|x − y| ≤ absolute + relative · |y|`. Equal
/// infinities are close.
///
/// - Parameters:
///   - x: floating; broadcasts with `y`.
///   - y: floating, what the relative tolerance refers to.
///   - relative: at least 0.
///   - absolute: at least 0.
///   - equalNaN: whether NaN is close to NaN.
/// - Returns: bool, of the common shape; reduce it with ``Tensor/all(axes:keepingAxes:)``.
public func isClose(
  _ x: Tensor, _ y: Tensor, relative: Double = 1e-5, absolute: Double = 1e-8,
  equalNaN: Bool = false
) -> Tensor {
  let isNear = abs(x - y) .<= abs(y) * relative + absolute
  // An infinite y would make everything near.
  let result = (x .== y) .| (isNear .& isFinite(y))
  return equalNaN ? result .| (isNaN(x) .& isNaN(y)) : result
}

struct IsNaN: UnaryElementwise {
  static let name = "isNaN"
  var elementCost: Int { 1 }

  func resultType(_ operand: DType) throws(TypeError) -> DType {
    _ = try operand.orFloating()
    return .bool
  }
  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor? { nil }
  func value(_ x: Double) -> Double { x.isNaN ? 1 : 0 }
  func scalar(_ x: Scalar) -> Scalar { x(.isNaN) }

  private static let special = Example.Input([5], .given([0, .nan, .infinity, -.infinity, 1e38]))

  static let examples = [
    Example("isNaN", [special], differentiable: false) { isNaN($0[0]) },
    Example("isInfinite", [special], differentiable: false) { isInfinite($0[0]) },
    Example("isFinite", [special], differentiable: false) { isFinite($0[0]) },
    Example("isClose", [special, special], differentiable: false) { isClose($0[0], $0[1]) },
    Example("isClose with NaN", [special, special], differentiable: false) {
      isClose($0[0], $0[1], equalNaN: true)
    },
    Example(
      "isClose nearby",
      [.init([4], .given([1, 1, 0, 5])), .init([4], .given([1.000001, 1.1, 1e-9, .infinity]))],
      differentiable: false
    ) { isClose($0[0], $0[1]) },
  ]
}

extension DType {
  /// This dtype where it is floating.
  func orFloating() throws(TypeError) -> DType {
    guard isFloating else { throw TypeError("needs floating operands, got \(self)") }
    return self
  }
}
