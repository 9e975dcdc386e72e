/// Texts as protocol 0 writes them.
enum PickleText {
  /// Python's `repr` of a byte string: in quotes, with escapes.
  static func unescapedString(_ line: FileBytes) throws(FormatProblem) -> FileBytes {
    let bytes = line.buffer
    guard bytes.count >= 2, let quote = bytes.first, quote == bytes.last,
      quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"")
    else { throw FormatProblem("a string is not in quotes") }
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var position = 1
    let end = bytes.count - 1
    while position < end {
      let byte = bytes[position]
      position += 1
      guard byte == UInt8(ascii: "\\") else {
        result.append(byte)
        continue
      }
      guard position < end else { throw FormatProblem("a string ends with half of an escape") }
      if let plain = simple[bytes[position]] {
        result.append(plain)
        position += 1
      } else if bytes[position] == UInt8(ascii: "x") {
        position += 1
        guard let value = number(bytes, &position, digits: 2...2, radix: 16, end: end) else {
          throw FormatProblem("a string holds an unknown escape")
        }
        result.append(UInt8(truncatingIfNeeded: value))
      } else if let value = number(bytes, &position, digits: 1...3, radix: 8, end: end) {
        result.append(UInt8(truncatingIfNeeded: value))
      } else {
        // Python keeps escapes that it does not know.
        result.append(byte)
      }
    }
    return FileBytes(result)
  }

  /// Latin-1 with `\uXXXX` and `\UXXXXXXXX`; the result is UTF-8. Half of a surrogate pair that stands alone
  /// becomes U+FFFD.
  static func unescapedUnicode(_ line: FileBytes) -> FileBytes {
    let bytes = line.buffer
    var units: [UInt16] = []
    units.reserveCapacity(bytes.count)
    var position = 0
    while position < bytes.count {
      let start = position
      position += 1
      let next = position < bytes.count ? bytes[position] : 0
      let digits = next == UInt8(ascii: "u") ? 4 : next == UInt8(ascii: "U") ? 8 : 0
      if bytes[start] == UInt8(ascii: "\\"), digits > 0 {
        position += 1
        let value = number(
          bytes, &position, digits: digits...digits, radix: 16, end: bytes.count)
        if let value, value <= 0x10ffff {
          append(value, to: &units)
          continue
        }
        position = start + 1
      }
      units.append(UInt16(bytes[start]))
    }
    return FileBytes(Array(String(decoding: units, as: UTF16.self).utf8))
  }

  private static func append(_ value: Int, to units: inout [UInt16]) {
    if value < 0x10000 { return units.append(UInt16(value)) }
    units.append(UInt16(0xd800 + (value - 0x10000) >> 10))
    units.append(UInt16(0xdc00 + (value & 0x3ff)))
  }

  private static let simple: [UInt8: UInt8] = [
    UInt8(ascii: "\\"): UInt8(ascii: "\\"), UInt8(ascii: "'"): UInt8(ascii: "'"),
    UInt8(ascii: "\""): UInt8(ascii: "\""), UInt8(ascii: "n"): 10, UInt8(ascii: "r"): 13,
    UInt8(ascii: "t"): 9, UInt8(ascii: "a"): 7, UInt8(ascii: "b"): 8, UInt8(ascii: "f"): 12,
    UInt8(ascii: "v"): 11,
  ]

  /// As many digits as there are, within `digits`; nil, and nothing taken, where there are too few.
  private static func number(
    _ bytes: UnsafeRawBufferPointer, _ position: inout Int, digits: ClosedRange<Int>, radix: Int,
    end: Int
  ) -> Int? {
    var value = 0
    var count = 0
    while count < digits.upperBound, position + count < end,
      let digit = Character(Unicode.Scalar(bytes[position + count])).hexDigitValue, digit < radix
    {
      value = value * radix + digit
      count += 1
    }
    guard count >= digits.lowerBound else { return nil }
    position += count
    return value
  }
}
