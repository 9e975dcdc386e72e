#if _endian(big)
  #error("Agnesi's file formats are written for processors with the small byte first.")
#endif

/// Elements as files hold them.
package enum ByteOrder {
  /// Reverses the bytes of each element of `size` bytes.
  package static func reverse(_ bytes: UnsafeMutableRawBufferPointer, elementSize size: Int) {
    switch size {
    case 2: reverse(bytes, as: UInt16.self)
    case 4: reverse(bytes, as: UInt32.self)
    case 8: reverse(bytes, as: UInt64.self)
    default: return
    }
  }

  private static func reverse<Word: FixedWidthInteger>(
    _ bytes: UnsafeMutableRawBufferPointer, as type: Word.Type
  ) {
    let words = bytes.bindMemory(to: type)
    for index in words.indices { words[index] = words[index].byteSwapped }
  }

  /// Makes every byte that is not 0 a 1, as arithmetic on bools expects.
  package static func normaliseBools(_ bytes: UnsafeMutableRawBufferPointer) {
    for index in bytes.indices where bytes[index] > 1 { bytes[index] = 1 }
  }

  /// The product of `sizes`, times `elementSize`; nil where it does not fit.
  package static func byteCount(_ sizes: [Int], elementSize: Int) -> Int? {
    // A zero makes any product zero, but the others must still be sizes that strides can hold.
    var nonzero = elementSize
    for size in sizes where size != 0 {
      let (product, overflows) = nonzero.multipliedReportingOverflow(by: size)
      if overflows || size < 0 { return nil }
      nonzero = product
    }
    return sizes.contains(0) ? 0 : nonzero
  }

  /// `value` as four bytes, the largest first.
  package static func bigEndian(_ value: UInt32) -> [UInt8] {
    withUnsafeBytes(of: value.bigEndian) { Array($0) }
  }

  /// `value` as bytes, the smallest first.
  package static func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }
}
