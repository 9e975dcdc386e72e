import AgnesiArrays
import AgnesiLoops

// Logical for bools, bitwise for integers; operands broadcast.

extension Tensor {
  /// Both (bools), or the bits that both have (integers).
  public static func .& (x: Tensor, y: Tensor) -> Tensor { .binary(Bitwise(.and), x, y) }
  public static func .& (x: Tensor, y: Int) -> Tensor { x .& x.constant(like: y) }
  /// Either or both (bools), or the bits that either has (integers).
  public static func .| (x: Tensor, y: Tensor) -> Tensor { .binary(Bitwise(.or), x, y) }
  public static func .| (x: Tensor, y: Int) -> Tensor { x .| x.constant(like: y) }
  /// Exactly one (bools), or the bits that exactly one has (integers).
  public static func .^ (x: Tensor, y: Tensor) -> Tensor { .binary(Bitwise(.xor), x, y) }
  public static func .^ (x: Tensor, y: Int) -> Tensor { x .^ x.constant(like: y) }
}

struct Bitwise: BinaryElementwise {
  static let name = "bitwise"
  let function: BinaryFunction

  /// - Parameter function: `and`, `or` or `xor`.
  init(_ function: BinaryFunction) { self.function = function }

  var label: String { function.rawValue }

  func resultType(_ operands: DType) throws(TypeError) -> DType {
    guard !operands.isFloating else {
      throw TypeError("needs bools or integers, got \(operands)")
    }
    return operands
  }
  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor, _: Tensor) -> (Tensor?, Tensor?) {
    (nil, nil)
  }
  func value(_ x: Double, _ y: Double) -> Double { internalError("bits of floats") }
  func value<Whole: FixedWidthInteger>(_ x: Whole, _ y: Whole) -> Whole {
    switch function {
    case .and: x & y
    case .or: x | y
    default: x ^ y
    }
  }
  func scalar(_ x: Scalar, _ y: Scalar) -> Scalar { .binary(function, x, y) }

  private static let truth = [
    Example.Input([4], .given([0, 0, 1, 1]), .bool), .init([4], .given([0, 1, 0, 1]), .bool),
  ]
  private static let numbers = [
    Example.Input([9], .whole(-9...9), .int32), .init([9], .whole(-9...9), .int32),
  ]

  static let examples = [
    Example("and", truth, differentiable: false) { $0[0] .& $0[1] },
    Example("or", truth, differentiable: false) { $0[0] .| $0[1] },
    Example("xor", truth, differentiable: false) { $0[0] .^ $0[1] },
    Example("and of integers", numbers, differentiable: false) { $0[0] .& $0[1] },
    Example("or of integers", numbers, differentiable: false) { $0[0] .| $0[1] },
    Example("xor of integers", numbers, differentiable: false) { $0[0] .^ $0[1] },
    Example("bits of a byte", [.init([5], .whole(0...255), .uint8)], differentiable: false) {
      $0[0] .& 0x0f
    },
  ]
}
