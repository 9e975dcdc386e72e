import AgnesiArrays

/// Bytes of a mapped file, or unpacked ones, with what keeps them alive.
///
/// Unchecked because nothing writes to them but arrays that own them alone.
struct FileBytes: @unchecked Sendable {
  let buffer: UnsafeRawBufferPointer
  private let owner: AnyObject

  /// All of a mapped file.
  init(_ file: MappedFile) {
    buffer = file.bytes
    owner = file
  }

  /// All of a block of memory.
  init(_ storage: ArrayStorage) {
    buffer = UnsafeRawBufferPointer(storage.bytes)
    owner = storage
  }

  /// A copy of `bytes`.
  init(_ bytes: [UInt8]) {
    let storage = ArrayStorage(uninitialized: bytes.count)
    storage.bytes.copyBytes(from: bytes)
    self.init(storage)
  }

  /// Bytes that `owner` keeps alive.
  init(_ buffer: UnsafeRawBufferPointer, owner: AnyObject) {
    self.buffer = buffer
    self.owner = owner
  }

  var count: Int { buffer.count }

  /// The bytes of `range`.
  ///
  /// - Precondition: it lies within 0...count.
  subscript(range: Range<Int>) -> FileBytes {
    FileBytes(UnsafeRawBufferPointer(rebasing: buffer[range]), owner: owner)
  }

  /// Whether the bytes begin with `prefix`.
  func starts(with prefix: some Sequence<UInt8>) -> Bool { buffer.starts(with: prefix) }

  /// The number of `Number`'s size at `offset`, the small byte first; nil where the bytes end before.
  func number<Number: FixedWidthInteger>(_ type: Number.Type, at offset: Int) -> Number? {
    let size = MemoryLayout<Number>.size
    guard offset >= 0, offset <= count - size else { return nil }
    return Number(littleEndian: buffer.loadUnaligned(fromByteOffset: offset, as: type))
  }

  /// As text: UTF-8 where it is valid, else Latin-1, in which Python 2 wrote.
  var text: String {
    String(validating: buffer, as: UTF8.self)
      ?? String(String.UnicodeScalarView(buffer.map { Unicode.Scalar($0) }))
  }

  /// Memory with these bytes as elements of `dtype`: the bytes themselves where that is possible, else a
  /// copy.
  ///
  /// Bytes that overlap must share one such memory, since an array that owns its storage alone is
  /// changed in place.
  func storage(
    for dtype: DType, isBigEndian: Bool = false, _ budget: MemoryBudget
  ) throws(FormatProblem) -> ArrayStorage {
    let needsChange = dtype == .bool || (isBigEndian && dtype.size > 1)
    guard let base = buffer.baseAddress, count > 0 else { return ArrayStorage(zeroed: 0) }
    if !needsChange, UInt(bitPattern: base) % UInt(dtype.size) == 0 {
      let start = UnsafeMutableRawPointer(mutating: base)
      return ArrayStorage(foreign: start, byteCount: count, owner: owner)
    }
    try budget.charge(count, for: "a copy of elements")
    let copy = ArrayStorage(uninitialized: count)
    copy.bytes.copyMemory(from: buffer)
    if isBigEndian { ByteOrder.reverse(copy.bytes, elementSize: dtype.size) }
    if dtype == .bool { ByteOrder.normaliseBools(copy.bytes) }
    return copy
  }
}

/// Reads numbers and byte ranges one after the other.
struct ByteCursor {
  let bytes: FileBytes
  var position: Int

  init(_ bytes: FileBytes, at position: Int = 0) {
    self.bytes = bytes
    self.position = position
  }

  var remaining: Int { bytes.count - position }

  /// The next number, the small byte first.
  mutating func next<Number: FixedWidthInteger>(
    _ type: Number.Type
  ) throws(FormatProblem) -> Number {
    guard let number = bytes.number(type, at: position) else { throw end }
    position += MemoryLayout<Number>.size
    return number
  }

  /// The next `count` bytes.
  mutating func take(_ count: Int) throws(FormatProblem) -> FileBytes {
    guard count >= 0, count <= remaining else { throw end }
    defer { position += count }
    return bytes[position..<(position + count)]
  }

  /// The bytes up to the next line feed, which is skipped.
  mutating func line() throws(FormatProblem) -> FileBytes {
    guard let end = bytes.buffer[position...].firstIndex(of: 0x0a) else { throw self.end }
    defer { position = end + 1 }
    return bytes[position..<end]
  }

  private var end: FormatProblem {
    FormatProblem("it ends inside of something that begins before byte \(position)")
  }
}
