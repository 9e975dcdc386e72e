import AgnesiArrays

/// Builds a message in protocol buffers' wire format, field by field.
///
/// Large contents are handed over as arrays and copied only when the file is written.
package struct ProtobufWriter: Sendable {
  /// Bytes written so far, or the elements of an array that stand between them.
  package enum Piece: Sendable {
    case bytes([UInt8])
    case array(NDArray)
  }

  package private(set) var pieces: [Piece] = []
  /// The length of the message.
  package private(set) var count = 0

  package init() {}

  private mutating func append(_ bytes: [UInt8]) {
    count += bytes.count
    if case .bytes(var last)? = pieces.last {
      // Taken out first, so that the array is not copied each time.
      pieces.removeLast()
      last += bytes
      pieces.append(.bytes(last))
    } else {
      pieces.append(.bytes(bytes))
    }
  }

  private static func varint(_ value: UInt64) -> [UInt8] {
    var (rest, bytes): (UInt64, [UInt8]) = (value, [])
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
    return bytes
  }

  private mutating func key(_ field: Int, _ wireType: Int) {
    append(Self.varint(UInt64(field << 3 | wireType)))
  }

  /// A whole number, or an enumeration's case.
  package mutating func integer(_ field: Int, _ value: Int) {
    key(field, 0)
    append(Self.varint(UInt64(bitPattern: Int64(value))))
  }

  package mutating func float(_ field: Int, _ value: Float) {
    key(field, 5)
    append(withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) })
  }

  package mutating func bytes(_ field: Int, _ value: [UInt8]) {
    key(field, 2)
    append(Self.varint(UInt64(value.count)) + value)
  }

  package mutating func text(_ field: Int, _ value: String) { bytes(field, Array(value.utf8)) }

  package mutating func message(_ field: Int, _ value: ProtobufWriter) {
    key(field, 2)
    append(Self.varint(UInt64(value.count)))
    for piece in value.pieces {
      switch piece {
      case .bytes(let bytes): append(bytes)
      case .array(let array): append(array)
      }
    }
  }

  /// Whole numbers in packed form.
  package mutating func integers(_ field: Int, _ values: [Int]) {
    bytes(field, values.flatMap { Self.varint(UInt64(bitPattern: Int64($0))) })
  }

  /// Floats in packed form.
  package mutating func floats(_ field: Int, _ values: [Float]) {
    bytes(field, values.flatMap { withUnsafeBytes(of: $0.bitPattern.littleEndian) { Array($0) } })
  }

  /// The elements of an array as they lie in memory: raw data, or packed floats.
  package mutating func elements(_ field: Int, _ array: NDArray) {
    key(field, 2)
    append(Self.varint(UInt64(array.byteCount)))
    append(array.contiguous())
  }

  private mutating func append(_ array: NDArray) {
    count += array.byteCount
    pieces.append(.array(array))
  }

  /// Writes the message beside its place and renames it.
  package func write(to path: String) throws {
    try AtomicFile.replace(path) { file in
      for piece in pieces {
        switch piece {
        case .bytes(let bytes): try bytes.withUnsafeBytes { try file.write($0) }
        case .array(let array): try array.withUnsafeBytes { try file.write($0) }
        }
      }
    }
  }

  /// The whole message in memory; for small ones.
  package var bytes: [UInt8] {
    pieces.flatMap { piece in
      switch piece {
      case .bytes(let bytes): bytes
      case .array(let array): array.withUnsafeBytes { Array($0) }
      }
    }
  }
}
