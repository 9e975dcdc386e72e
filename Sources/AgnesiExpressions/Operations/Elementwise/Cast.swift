import AgnesiArrays
import AgnesiLoops

extension Tensor {
  /// The elements converted to another dtype.
  ///
  /// Floats to integers: towards zero; NaN is 0, what is outside of int64 (of uint64 for uint64) becomes
  /// its nearest value, and narrower types keep the low bits of that. Integers to narrower or to unsigned
  /// ones: the low bits. Integers to floats: rounded to nearest. To bool: whether the element is not 0.
  public func cast(to dtype: DType) -> Tensor {
    type.isKnown && self.dtype == dtype ? self : Tensor(Cast(target: dtype), self)
  }
}

extension DType {
  /// What to do where `target` is needed, as the hint of an error. A cast keeps the numbers, and those of
  /// pictures' bytes are not the ones that networks learn from.
  package func conversionHint(to target: DType, of what: String = "it") -> String {
    let cast = "convert \(what) with cast(to: .\(target))"
    guard self == .uint8, target.isFloating else { return cast }
    return cast + ", which keeps 0 to 255; times 1.0 / 255 where pictures are 0 to 1"
  }
}

struct Cast: UnaryElementwise {
  static let name = "cast"
  var hasBoundedDerivative: Bool { true }
  var elementCost: Int { 1 }
  let target: DType

  func resultType(_ operand: DType) throws(TypeError) -> DType { target }

  /// The gradient converted back; integers end it.
  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor? {
    x.dtype.isFloating && target.isFloating ? upstream.cast(to: x.dtype) : nil
  }
  func value(_ x: Double) -> Double {
    target.isFloating || target == .bool ? x : x.rounded(.towardZero)
  }

  func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    [operands[0].cast(to: target)]
  }

  /// To a storage float and back is a rounding of its own.
  func scalar(_ x: Scalar) -> Scalar {
    target == .bool && x.dtype != .bool
      ? x .!= x.like(0) : x.cast(to: target).cast(to: target.computed)
  }

  static let examples = [
    Example("float to int", [.init([6])], differentiable: false) { $0[0].cast(to: .int32) },
    Example("float to bool", [.init([3], .given([0, 0.5, -1]))], differentiable: false) {
      $0[0].cast(to: .bool)
    },
    Example("int to float", [.init([4], .whole(-5...5), .int64)], differentiable: false) {
      $0[0].cast(to: .float32)
    },
    Example("to half and back", [.init([9])], differentiable: false) {
      $0[0].cast(to: .float16).cast(to: .float32)
    },
    Example("to bfloat16 and back", [.init([9])], differentiable: false) {
      $0[0].cast(to: .bfloat16).cast(to: .float32)
    },
  ]
}
