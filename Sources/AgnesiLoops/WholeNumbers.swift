import AgnesiArrays

// What integers mean in every executor: two's complement, which wraps around. Sums, differences, products,
// negatives, magnitudes and powers keep the low bits of the true result, so that of int8 100 + 100 is −56,
// and the negative and the magnitude of −128 are −128. A quotient by 0 is 0 and so is what it
// leaves; the smallest number by −1 is itself and leaves 0. A whole number with a negative exponent is
// rounded towards zero: 1 for 1, ±1 for −1, and 0 for all others, 0 included.

extension DType {
  /// The values of integers and bools, of uint64 those that int64 has, too.
  package var wholeRange: ClosedRange<Int64> {
    switch self {
    case .bool: 0...1
    case .int8: -128...127
    case .uint8: 0...255
    case .int16: -32_768...32_767
    case .uint16: 0...65_535
    case .int32: -2_147_483_648...2_147_483_647
    case .uint32: 0...4_294_967_295
    case .uint64: 0...(.max)
    default: .min...(.max)
    }
  }

  /// The value of this integer dtype or bool (of uint64 its bits) that `value` is; nil where it is none.
  package func whole(_ value: Double) -> Int64? {
    guard !isFloating, value == value.rounded() else { return nil }
    if self == .uint64 { return UInt64(exactly: value).map { Int64(bitPattern: $0) } }
    guard let whole = Int64(exactly: value), wholeRange.contains(whole) else { return nil }
    return whole
  }
}

extension FixedWidthInteger {
  /// The quotient rounded down; 0 for a divisor of 0, itself for the smallest number by −1.
  package func flooredQuotient(by divisor: Self) -> Self {
    if divisor == 0 { return 0 }
    let (quotient, isOverflow) = dividedReportingOverflow(by: divisor)
    if isOverflow { return self }
    return quotient &* divisor != self && (self < 0) != (divisor < 0) ? quotient - 1 : quotient
  }

  /// What the quotient rounded down leaves, of the sign of the divisor; 0 for a divisor of 0.
  package func flooredRemainder(by divisor: Self) -> Self {
    divisor == 0 ? 0 : self &- flooredQuotient(by: divisor) &* divisor
  }

  /// The low bits of the power; with a negative exponent it is rounded towards zero.
  package func wrappingPower(_ exponent: Self) -> Self {
    if exponent < 0 {
      if self == 1 { return 1 }
      return self == 0 &- 1 ? (exponent & 1 == 0 ? 1 : self) : 0
    }
    var (result, square, rest): (Self, Self, Self) = (1, self, exponent)
    while rest != 0 {
      if rest & 1 == 1 { result = result &* square }
      square = square &* square
      rest >>= 1
    }
    return result
  }
}
