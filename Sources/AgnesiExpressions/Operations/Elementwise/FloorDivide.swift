import AgnesiArrays
import AgnesiLoops

extension Tensor {
  /// The quotient rounded down; operands broadcast.
  ///
  /// - Returns: the common shape and dtype, whole. A whole number divided by 0 is 0, a float ±∞ or
  ///   NaN. A float's quotient is rounded to its dtype before it is rounded down. No gradient
  ///   passes.
  public func floorDivided(by divisor: Tensor) -> Tensor { .binary(FloorDivide(), self, divisor) }
  public func floorDivided(by divisor: some TensorNumber) -> Tensor {
    floorDivided(by: constant(like: divisor))
  }
}

struct FloorDivide: BinaryElementwise {
  static let name = "floorDivide"

  func resultType(_ operands: DType) throws(TypeError) -> DType { try operands.orNumeric() }
  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor, _: Tensor) -> (Tensor?, Tensor?) {
    (nil, nil)
  }
  func value(_ x: Double, _ y: Double) -> Double { (x / y).rounded(.down) }
  func value<Whole: FixedWidthInteger>(_ x: Whole, _ y: Whole) -> Whole { x.flooredQuotient(by: y) }
  func scalar(_ x: Scalar, _ y: Scalar) -> Scalar { .binary(.floorDivide, x, y) }

  func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    let (x, y, dtype) = (operands[0], operands[1], types[0].dtype)
    guard dtype.isFloating else {
      let values = zip(x.wholes, y.wholes).map { a, b in
        dtype == .uint64
          ? Int64(bitPattern: value(UInt64(bitPattern: a), UInt64(bitPattern: b))) : value(a, b)
      }
      return [NDArray(wrapping: values, shape: x.shape, dtype)]
    }
    let isSingle = dtype.computed == .float32
    let values = zip(x.doubles, y.doubles).map { a, b in
      (isSingle ? Double(Float(a / b)) : a / b).rounded(.down)
    }
    return [NDArray(rounding: values, shape: x.shape, dtype)]
  }

  static let examples = [
    Example("floats", [.init([9], .uniform(-9...9)), .init([9])], differentiable: false) {
      $0[0].floorDivided(by: $0[1])
    },
    Example("a quotient that rounds up", [.init([1], .given([1]))], differentiable: false) {
      $0[0].floorDivided(by: 0.1)
    },
    Example(
      "integers", [.init([20], .whole(-9...9), .int32), .init([20], .whole(-3...3), .int32)],
      differentiable: false
    ) { $0[0].floorDivided(by: $0[1]) },
    Example("unsigned", [.init([5], .whole(0...255), .uint8)], differentiable: false) {
      $0[0].floorDivided(by: 7)
    },
    Example("by zero", [.init([3], .given([1, -1, 0]))], differentiable: false) {
      $0[0].floorDivided(by: 0)
    },
  ]
}
