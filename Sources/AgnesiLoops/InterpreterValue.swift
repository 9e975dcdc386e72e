import AgnesiArrays

/// A value that the interpreter computes with: floats as doubles already rounded to their dtype,
/// integers and bools as int64 (uint64 by its bits).
package enum InterpreterValue: Hashable, Sendable {
  case float(Double)
  case integer(Int64)

  package var integer: Int64 {
    switch self {
    case .float(let value): Self.truncated(value)
    case .integer(let value): value
    }
  }

  package var isTrue: Bool {
    switch self {
    case .float(let value): value != 0
    case .integer(let value): value != 0
    }
  }

  /// The number as a double; `dtype` tells whether the bits are unsigned.
  package func double(_ dtype: DType) -> Double {
    switch self {
    case .float(let value): value
    case .integer(let value): dtype == .uint64 ? Double(UInt64(bitPattern: value)) : Double(value)
    }
  }

  /// Towards zero; NaN is 0, and what is too large is the nearest int64.
  fileprivate static func truncated(_ value: Double) -> Int64 {
    if value.isNaN { return 0 }
    if value >= 0x1p63 { return .max }
    return value <= -0x1p63 ? .min : Int64(value)
  }
}

// MARK: - Rounding and casts

extension DType {
  /// `value` rounded to this floating dtype.
  fileprivate func rounded(_ value: Double) -> Double {
    switch self {
    case .float32: Double(Float(value))
    case .float16:
      Double(HalfPrecision.float(fromFloat16: HalfPrecision.float16(from: Float(value))))
    case .bfloat16:
      Double(Float(bitPattern: UInt32(HalfPrecision.bfloat16(from: Float(value))) << 16))
    default: value
    }
  }

  /// The low bits of `value`, as this integer dtype reads them.
  fileprivate func wrapped(_ value: Int64) -> Int64 {
    switch self {
    case .bool: value == 0 ? 0 : 1
    case .int8: Int64(Int8(truncatingIfNeeded: value))
    case .int16: Int64(Int16(truncatingIfNeeded: value))
    case .int32: Int64(Int32(truncatingIfNeeded: value))
    case .uint8: Int64(UInt8(truncatingIfNeeded: value))
    case .uint16: Int64(UInt16(truncatingIfNeeded: value))
    case .uint32: Int64(UInt32(truncatingIfNeeded: value))
    default: value
    }
  }
}

extension InterpreterValue {
  package static func cast(_ x: InterpreterValue, _ from: DType, _ to: DType) -> InterpreterValue {
    switch (x, to.isFloating) {
    case (.float(let value), true): return .float(to.rounded(value))
    case (.float(let value), false):
      if to == .bool { return .integer(value == 0 ? 0 : 1) }
      if to == .uint64, value >= 0x1p63 {
        return .integer(Int64(bitPattern: value >= 0x1p64 ? .max : UInt64(value)))
      }
      return .integer(to.wrapped(truncated(value)))
    case (.integer(let value), true):
      if to == .float64 { return .float(x.double(from)) }
      let single = from == .uint64 ? Float(UInt64(bitPattern: value)) : Float(value)
      return .float(to.rounded(Double(single)))
    case (.integer(let value), false): return .integer(to.wrapped(value))
    }
  }
}

// MARK: - Functions

extension InterpreterValue {
  package static func unary(
    _ function: UnaryFunction, _ x: InterpreterValue, _ dtype: DType
  ) -> InterpreterValue {
    switch x {
    case .float(let value):
      let result = function(value)
      return function == .isNaN ? .integer(result == 0 ? 0 : 1) : .float(dtype.rounded(result))
    case .integer(let value): return .integer(dtype.wrapped(integer(function, value, dtype)))
    }
  }

  private static func integer(_ function: UnaryFunction, _ x: Int64, _ dtype: DType) -> Int64 {
    switch function {
    case .negate: return 0 &- x
    case .abs: return dtype.isSigned && x < 0 ? 0 &- x : x
    case .sign: return dtype.isSigned ? x.signum() : (x == 0 ? 0 : 1)
    case .not: return dtype == .bool ? 1 - x : ~x
    default: return x
    }
  }

  package static func binary(
    _ function: BinaryFunction, _ x: InterpreterValue, _ y: InterpreterValue, _ dtype: DType
  ) -> InterpreterValue {
    if case .float(let a) = x, case .float(let b) = y {
      // One double operation and one rounding is exact for float32 sums, products, quotients.
      let result = function(a, b)
      return function.isComparison
        ? .integer(result == 0 ? 0 : 1) : .float(floating(function, a, b, result, dtype))
    }
    let (a, b) = (x.integer, y.integer)
    if function.isComparison || function == .maximum || function == .minimum {
      return .integer(ordered(function, a, b, dtype))
    }
    return .integer(dtype.wrapped(integer(function, a, b, dtype)))
  }

  /// `floorDivide` rounds the quotient to the dtype before it rounds down.
  private static func floating(
    _ function: BinaryFunction, _ a: Double, _ b: Double, _ result: Double, _ dtype: DType
  ) -> Double {
    function == .floorDivide ? dtype.rounded(a / b).rounded(.down) : dtype.rounded(result)
  }

  private static func ordered(
    _ function: BinaryFunction, _ a: Int64, _ b: Int64, _ dtype: DType
  ) -> Int64 {
    let isLess =
      dtype == .uint64 ? UInt64(bitPattern: a) < UInt64(bitPattern: b) : a < b
    switch function {
    case .equal: return a == b ? 1 : 0
    case .notEqual: return a != b ? 1 : 0
    case .less: return isLess ? 1 : 0
    case .lessOrEqual: return isLess || a == b ? 1 : 0
    case .maximum: return isLess ? b : a
    default: return isLess || a == b ? a : b
    }
  }

  private static func integer(
    _ function: BinaryFunction, _ a: Int64, _ b: Int64, _ dtype: DType
  ) -> Int64 {
    switch function {
    case .add: return a &+ b
    case .subtract: return a &- b
    case .multiply: return a &* b
    case .divide, .floorDivide, .modulo, .power:
      if dtype != .uint64 { return quotientOrPower(function, a, b) }
      let (x, y) = (UInt64(bitPattern: a), UInt64(bitPattern: b))
      return Int64(bitPattern: quotientOrPower(function, x, y))
    case .and: return a & b
    case .or: return a | b
    case .xor: return a ^ b
    default: return 0
    }
  }

  private static func quotientOrPower<Whole: FixedWidthInteger>(
    _ function: BinaryFunction, _ x: Whole, _ y: Whole
  ) -> Whole {
    switch function {
    case .power: x.wrappingPower(y)
    case .modulo: x.flooredRemainder(by: y)
    case .floorDivide: x.flooredQuotient(by: y)
    default: y == 0 ? 0 : x.dividedReportingOverflow(by: y).partialValue
    }
  }
}

// MARK: - Buffers

/// An argument or scratch of the interpreter.
package struct InterpreterBuffer: Sendable {
  package let dtype: DType
  package var values: [InterpreterValue]

  /// Zeros.
  package init(dtype: DType, count: Int) {
    self.dtype = dtype
    values = .init(repeating: dtype.isFloating ? .float(0) : .integer(0), count: count)
  }

  /// The elements of `array` in row-major order.
  package init(_ array: NDArray) {
    dtype = array.dtype
    let source = array.contiguous()
    values = source.withUnsafeBytes { bytes in
      (0..<source.count).map { InterpreterValue(bytes, at: $0, source.dtype) }
    }
  }

  package mutating func store(_ value: InterpreterValue, _ from: DType, at position: Int) {
    values[position] = .cast(value, from, dtype)
  }

  package func array(shape: [Int]) -> NDArray {
    var result = NDArray(zeros: shape, dtype)
    result.withUnsafeMutableBytes { bytes in
      for (position, value) in values.enumerated() { value.write(to: bytes, at: position, dtype) }
    }
    return result
  }
}

extension InterpreterValue {
  fileprivate init(_ bytes: UnsafeRawBufferPointer, at position: Int, _ dtype: DType) {
    func read<Element: BitwiseCopyable>(_ type: Element.Type) -> Element {
      bytes.load(fromByteOffset: position * MemoryLayout<Element>.size, as: Element.self)
    }
    switch dtype {
    case .bool: self = .integer(read(UInt8.self) == 0 ? 0 : 1)
    case .int8: self = .integer(Int64(read(Int8.self)))
    case .int16: self = .integer(Int64(read(Int16.self)))
    case .int32: self = .integer(Int64(read(Int32.self)))
    case .int64: self = .integer(read(Int64.self))
    case .uint8: self = .integer(Int64(read(UInt8.self)))
    case .uint16: self = .integer(Int64(read(UInt16.self)))
    case .uint32: self = .integer(Int64(read(UInt32.self)))
    case .uint64: self = .integer(Int64(bitPattern: read(UInt64.self)))
    case .float16: self = .float(Double(HalfPrecision.float(fromFloat16: read(UInt16.self))))
    case .bfloat16: self = .float(Double(Float(bitPattern: UInt32(read(UInt16.self)) << 16)))
    case .float32: self = .float(Double(read(Float.self)))
    case .float64: self = .float(read(Double.self))
    }
  }

  fileprivate func write(
    to bytes: UnsafeMutableRawBufferPointer, at position: Int, _ dtype: DType
  ) {
    func write<Element: BitwiseCopyable>(_ value: Element) {
      bytes.storeBytes(
        of: value, toByteOffset: position * MemoryLayout<Element>.size, as: Element.self)
    }
    switch dtype {
    case .bool, .uint8, .int8: write(UInt8(truncatingIfNeeded: integer))
    case .int16, .uint16: write(UInt16(truncatingIfNeeded: integer))
    case .int32, .uint32: write(UInt32(truncatingIfNeeded: integer))
    case .int64, .uint64: write(integer)
    case .float16: write(HalfPrecision.float16(from: Float(double(dtype))))
    case .bfloat16: write(HalfPrecision.bfloat16(from: Float(double(dtype))))
    case .float32: write(Float(double(dtype)))
    case .float64: write(double(dtype))
    }
  }
}
