import AgnesiArrays

// How operations write their lowering: ordinary formulas over `Scalar`.

extension Scalar {
  /// A number; for integers and bools one of theirs (others are refused by the verifier).
  public static func constant(_ value: Double, _ dtype: DType) -> Scalar {
    if let whole = dtype.whole(value) { return .whole(whole, dtype) }
    return Scalar(.constant(value), dtype)
  }

  /// An integer, of uint64 by its bits, or a bool as 1 or 0.
  package static func whole(_ value: Int64, _ dtype: DType) -> Scalar {
    Scalar(.whole(value), dtype)
  }

  /// The value of an array of one element, exactly.
  package static func constant(of array: NDArray) -> Scalar {
    array.dtype.isFloating
      ? .constant(array.scalar, array.dtype.computed)
      : .whole(array.wholes.first ?? 0, array.dtype)
  }

  /// A constant of this value's dtype.
  public func like(_ value: Double) -> Scalar { .constant(value, dtype) }

  /// A formula of loop variables and sizes as an int64.
  public static func index(_ size: Size) -> Scalar { Scalar(.index(size), .int64) }

  package static func local(_ id: Int, _ dtype: DType) -> Scalar { Scalar(.local(id), dtype) }

  package static func load(_ buffer: Buffer, _ index: Scalar, _ dtype: DType) -> Scalar {
    Scalar(.load(buffer, index), dtype)
  }

  public func callAsFunction(_ function: UnaryFunction) -> Scalar { .unary(function, self) }

  public static func unary(_ function: UnaryFunction, _ x: Scalar) -> Scalar {
    Scalar(.unary(function, x), function == .isNaN ? .bool : x.dtype)
  }

  public static func binary(_ function: BinaryFunction, _ x: Scalar, _ y: Scalar) -> Scalar {
    if let folded = foldedIndices(function, x, y) { return .index(folded) }
    return Scalar(.binary(function, x, y), function.isComparison ? .bool : x.dtype)
  }

  /// Arithmetic on indices stays a formula, so that strides can be read off.
  private static func foldedIndices(
    _ function: BinaryFunction, _ x: Scalar, _ y: Scalar
  ) -> Size? {
    guard let a = x.asSize, let b = y.asSize else { return nil }
    switch function {
    case .add: return a + b
    case .subtract: return a - b
    case .multiply: return a * b
    case .floorDivide where !b.isZero: return a / b
    case .modulo where !b.isZero: return a % b
    default: return nil
    }
  }

  /// The formula of an index or of an integer constant.
  package var asSize: Size? {
    switch kind {
    case .index(let size): size
    // Formulas of sizes must not overflow.
    case .whole(let value) where dtype == .int64 && value.magnitude < 1 << 31: Size(Int(value))
    default: nil
    }
  }

  /// `x` where `condition` holds, `y` elsewhere; both are of one dtype.
  public static func select(_ condition: Scalar, _ x: Scalar, _ y: Scalar) -> Scalar {
    Scalar(.select(condition, x, y), x.dtype)
  }

  public func cast(to target: DType) -> Scalar {
    target == dtype ? self : Scalar(.cast(self), target)
  }

  package static func random(key: UInt64, low: Scalar, high: Scalar, word: Int) -> Scalar {
    Scalar(.random(key: key, low: low, high: high, word: word), .uint32)
  }

  public static func + (x: Scalar, y: Scalar) -> Scalar { .binary(.add, x, y) }
  public static func - (x: Scalar, y: Scalar) -> Scalar { .binary(.subtract, x, y) }
  public static func * (x: Scalar, y: Scalar) -> Scalar { .binary(.multiply, x, y) }
  public static func / (x: Scalar, y: Scalar) -> Scalar { .binary(.divide, x, y) }
  public static prefix func - (x: Scalar) -> Scalar { .unary(.negate, x) }
  public static func .== (x: Scalar, y: Scalar) -> Scalar { .binary(.equal, x, y) }
  public static func .!= (x: Scalar, y: Scalar) -> Scalar { .binary(.notEqual, x, y) }
  public static func .< (x: Scalar, y: Scalar) -> Scalar { .binary(.less, x, y) }
  public static func .<= (x: Scalar, y: Scalar) -> Scalar { .binary(.lessOrEqual, x, y) }
  public static func .> (x: Scalar, y: Scalar) -> Scalar { .binary(.less, y, x) }
  public static func .>= (x: Scalar, y: Scalar) -> Scalar { .binary(.lessOrEqual, y, x) }
  public static func .& (x: Scalar, y: Scalar) -> Scalar { .binary(.and, x, y) }
  public static func .| (x: Scalar, y: Scalar) -> Scalar { .binary(.or, x, y) }
}
