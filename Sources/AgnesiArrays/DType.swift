/// The type of an element: what is stored, and how arithmetic on it behaves.
///
/// `float16` and `bfloat16` are storage types: arithmetic on them happens in float32 and is
/// rounded when stored.
///
/// Integers are exact to the last digit and wrap around, as two's complement does, in every executor:
/// sums, differences, products, negatives, magnitudes and powers keep the low bits of the true result (of
/// int8, 100 + 100 is −56, and the negative and the magnitude of −128 are −128). A quotient by 0 is 0, and so
/// is the rest; the smallest number by −1 is itself. A power with a negative exponent is rounded towards
/// zero; that of 0 is 0. ``NDArray/cast(to:)`` says what conversions do.
public enum DType: String, Codable, Sendable, CaseIterable, CustomStringConvertible {
  case bool
  case int8, int16, int32, int64
  case uint8, uint16, uint32, uint64
  case float16, bfloat16, float32, float64

  public var description: String { rawValue }

  /// Bytes of one element.
  public var size: Int {
    switch self {
    case .bool, .int8, .uint8: 1
    case .int16, .uint16, .float16, .bfloat16: 2
    case .int32, .uint32, .float32: 4
    case .int64, .uint64, .float64: 8
    }
  }

  public var isFloating: Bool {
    switch self {
    case .float16, .bfloat16, .float32, .float64: true
    default: false
    }
  }

  public var isInteger: Bool { !isFloating && self != .bool }

  public var isSigned: Bool {
    switch self {
    case .bool, .uint8, .uint16, .uint32, .uint64: false
    default: true
    }
  }

  /// The type in which arithmetic on this type happens: float32 for the 16-bit floats.
  public var computed: DType {
    self == .float16 || self == .bfloat16 ? .float32 : self
  }

  /// The type of `a ⊕ b`.
  ///
  /// A float meets an integer or bool: the float's type (an int32 index never turns float32
  /// arithmetic into float64, which Theano's users complained of most). Two floats: the wider;
  /// float16 meets bfloat16: float32. Two integers: the wider; signed and unsigned of equal width,
  /// or a wider unsigned: the next wider signed type, at most int64.
  public static func promoted(_ a: DType, _ b: DType) -> DType {
    if a == b { return a }
    if a == .bool { return b }
    if b == .bool { return a }
    switch (a.isFloating, b.isFloating) {
    case (true, false): return a
    case (false, true): return b
    case (true, true): return a.size == b.size ? .float32 : (a.size > b.size ? a : b)
    case (false, false): return promotedIntegers(a, b)
    }
  }

  private static func promotedIntegers(_ a: DType, _ b: DType) -> DType {
    if a.isSigned == b.isSigned { return a.size > b.size ? a : b }
    let (signed, unsigned) = a.isSigned ? (a, b) : (b, a)
    if signed.size > unsigned.size { return signed }
    switch unsigned.size {
    case 1: return .int16
    case 2: return .int32
    default: return .int64
    }
  }
}

/// A Swift type whose values an ``NDArray`` can hold.
public protocol ArrayScalar: Sendable {
  static var dtype: DType { get }
}

extension Bool: ArrayScalar { public static var dtype: DType { .bool } }
extension Int8: ArrayScalar { public static var dtype: DType { .int8 } }
extension Int16: ArrayScalar { public static var dtype: DType { .int16 } }
extension Int32: ArrayScalar { public static var dtype: DType { .int32 } }
extension Int64: ArrayScalar { public static var dtype: DType { .int64 } }
extension Int: ArrayScalar { public static var dtype: DType { .int64 } }
extension UInt8: ArrayScalar { public static var dtype: DType { .uint8 } }
extension UInt16: ArrayScalar { public static var dtype: DType { .uint16 } }
extension UInt32: ArrayScalar { public static var dtype: DType { .uint32 } }
extension UInt64: ArrayScalar { public static var dtype: DType { .uint64 } }
extension Float: ArrayScalar { public static var dtype: DType { .float32 } }
extension Double: ArrayScalar { public static var dtype: DType { .float64 } }
