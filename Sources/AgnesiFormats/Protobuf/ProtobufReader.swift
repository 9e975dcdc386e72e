/// Walks over the fields of a message in protocol buffers' wire format.
///
/// A reader of our own, a hundred lines, in the place of generated code: weights stay views of the
/// mapped file, of a message only the fields that are asked for are looked at, and what it allocates is
/// in the hands of the caller. It knows no schema; `ONNXFile` and `CaffeFile` do.
/// Source: Protocol Buffers, *Encoding*.
struct ProtobufReader {
  private var cursor: ByteCursor

  init(_ message: FileBytes) { cursor = ByteCursor(message) }

  /// A field as it stands in the message.
  struct Field {
    let number: Int
    let value: Value
  }

  enum Value {
    case varint(UInt64)
    case fixed64(UInt64)
    case fixed32(UInt32)
    /// Texts, messages and packed numbers.
    case bytes(FileBytes)
  }

  /// The next field; nil at the end.
  mutating func next() throws(FormatProblem) -> Field? {
    guard cursor.remaining > 0 else { return nil }
    let key = try cursor.varint()
    guard key >> 3 > 0, key >> 3 < 1 << 29 else {
      throw FormatProblem("a message has a field of the impossible number \(key >> 3)")
    }
    return Field(number: Int(key >> 3), value: try value(wireType: key & 7))
  }

  private mutating func value(wireType: UInt64) throws(FormatProblem) -> Value {
    switch wireType {
    case 0: return .varint(try cursor.varint())
    case 1: return .fixed64(try cursor.next(UInt64.self))
    case 2:
      let length = try cursor.varint()
      guard length <= UInt64(cursor.remaining) else {
        throw FormatProblem(
          "a field of \(length) bytes begins \(cursor.remaining) bytes before its message ends")
      }
      return .bytes(try cursor.take(Int(length)))
    case 5: return .fixed32(try cursor.next(UInt32.self))
    default: throw FormatProblem("a field of the unknown wire type \(wireType)")
    }
  }
}

extension ByteCursor {
  /// The next number of seven bits a byte, the small ones first.
  mutating func varint() throws(FormatProblem) -> UInt64 {
    var result: UInt64 = 0
    for shift in stride(from: 0, to: 64, by: 7) {
      let byte = try next(UInt8.self)
      result |= UInt64(byte & 0x7f) << UInt64(shift)
      if byte < 0x80 { return result }
    }
    throw FormatProblem("a number of more than ten bytes at byte \(position)")
  }
}

extension ProtobufReader.Field {
  /// A whole number that may be negative, or an enumeration's case.
  func integer() throws(FormatProblem) -> Int {
    guard case .varint(let bits) = value else { throw mismatch("a whole number") }
    return Int(Int64(bitPattern: bits))
  }

  func float() throws(FormatProblem) -> Float {
    guard case .fixed32(let bits) = value else { throw mismatch("a float") }
    return Float(bitPattern: bits)
  }

  func bytes() throws(FormatProblem) -> FileBytes {
    guard case .bytes(let bytes) = value else { throw mismatch("text or a message") }
    return bytes
  }

  func text() throws(FormatProblem) -> String { try bytes().text }

  /// Adds the numbers of a repeated field to `list`: one of them, or several in packed form.
  func appendIntegers(
    to list: inout [Int64], _ budget: MemoryBudget
  ) throws(FormatProblem) {
    switch value {
    case .varint(let bits):
      try budget.charge(8, for: "a list of numbers")
      list.append(Int64(bitPattern: bits))
    case .bytes(let packed):
      var cursor = ByteCursor(packed)
      while cursor.remaining > 0 {
        try budget.charge(8, for: "a list of numbers")
        list.append(Int64(bitPattern: try cursor.varint()))
      }
    default: throw mismatch("whole numbers")
    }
  }

  /// Adds the bytes of a repeated field of floats (4) or doubles (8) to `parts`.
  func appendFixed(
    size: Int, to parts: inout [FileBytes], _ budget: MemoryBudget
  ) throws(FormatProblem) {
    try budget.charge(64, for: "a list of numbers")
    switch value {
    case .bytes(let packed) where packed.count % size == 0: parts.append(packed)
    case .fixed32(let bits) where size == 4:
      parts.append(FileBytes(withUnsafeBytes(of: bits.littleEndian) { Array($0) }))
    case .fixed64(let bits) where size == 8:
      parts.append(FileBytes(withUnsafeBytes(of: bits.littleEndian) { Array($0) }))
    default: throw mismatch("numbers of \(size) bytes")
    }
  }

  private func mismatch(_ expected: String) -> FormatProblem {
    FormatProblem("field \(number) of a message is no \(expected)")
  }
}
