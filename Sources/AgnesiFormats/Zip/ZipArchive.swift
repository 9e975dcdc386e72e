import AgnesiArrays
import CZlib

/// The members of a zip archive in memory.
///
/// What a hostile archive can do is refused: members that overlap each other or the directory, sizes
/// that do not fit, names that differ between the two places that tell them.
///
/// - Source: PKWARE's APPNOTE.TXT, version 6.3.10, sections 4.3 to 4.5.
struct ZipArchive {
  /// One member.
  struct Member {
    let name: String
    fileprivate let isDeflated: Bool
    fileprivate let checksum: UInt32
    /// Bytes in the archive, and when unpacked.
    fileprivate let packedSize: Int
    let size: Int
    /// Where its local header lies.
    fileprivate let headerStart: Int
    /// Where its data lie.
    fileprivate var data = 0..<0
  }

  private let bytes: FileBytes
  private(set) var members: [Member] = []
  private var places: [String: Int] = [:]

  /// Reads the directory of an archive.
  init(_ bytes: FileBytes) throws(FormatProblem) {
    self.bytes = bytes
    let directory = try ZipDirectory(bytes)
    var cursor = ByteCursor(bytes, at: directory.range.lowerBound)
    for _ in 0..<directory.count {
      guard cursor.position < directory.range.upperBound else {
        throw FormatProblem("its directory ends before the \(directory.count) members it announces")
      }
      let member = try Self.member(&cursor)
      if places.updateValue(members.count, forKey: member.name) != nil {
        throw FormatProblem("it has two members called \(FormatProblem.quoted(member.name))")
      }
      members.append(member)
    }
    for index in members.indices {
      members[index].data = try dataRange(members[index], end: directory.range.lowerBound)
    }
    try checkOverlaps()
  }

  /// The member called `name`.
  subscript(name: String) -> Member? { places[name].map { members[$0] } }

  /// What a member holds: a part of the archive where it is stored, else unpacked; its checksum is right.
  func content(of member: Member, _ budget: MemoryBudget) throws(FormatProblem) -> FileBytes {
    let packed = bytes[member.data]
    let content = member.isDeflated ? try inflated(packed, member, budget) : packed
    let checksum = Self.checksum(content.buffer)
    if checksum != member.checksum {
      throw FormatProblem(
        "its member \(FormatProblem.quoted(member.name)) has the checksum \(hex(checksum)), "
          + "the archive says \(hex(member.checksum))")
    }
    return content
  }

  /// The CRC-32 of zip and PNG; that of bytes with the checksum `start`, followed by `bytes`.
  static func checksum(_ bytes: UnsafeRawBufferPointer, after start: UInt32 = 0) -> UInt32 {
    var result = UInt(start)
    let words = bytes.bindMemory(to: UInt8.self)
    for position in stride(from: 0, to: words.count, by: 1 << 30) {
      let count = UInt32(min(words.count - position, 1 << 30))
      result = crc32(result, words.baseAddress.map { $0 + position }, count)
    }
    return UInt32(truncatingIfNeeded: result)
  }

  private func hex(_ number: UInt32) -> String { String(number, radix: 16) }

  // MARK: The directory

  private static func member(_ cursor: inout ByteCursor) throws(FormatProblem) -> Member {
    guard try cursor.next(UInt32.self) == 0x0201_4b50 else {
      throw FormatProblem("its directory has no member at byte \(cursor.position - 4)")
    }
    _ = try cursor.take(4)
    let flags = try cursor.next(UInt16.self)
    let method = try cursor.next(UInt16.self)
    _ = try cursor.take(4)
    let checksum = try cursor.next(UInt32.self)
    var packedSize = UInt64(try cursor.next(UInt32.self))
    var size = UInt64(try cursor.next(UInt32.self))
    let nameLength = Int(try cursor.next(UInt16.self))
    let extraLength = Int(try cursor.next(UInt16.self))
    let commentLength = Int(try cursor.next(UInt16.self))
    _ = try cursor.take(8)
    var start = UInt64(try cursor.next(UInt32.self))
    let name = try cursor.take(nameLength).text
    try widen(&size, &packedSize, &start, by: cursor.take(extraLength))
    _ = try cursor.take(commentLength)
    let quoted = FormatProblem.quoted(name)
    if flags & 1 != 0 { throw FormatProblem("its member \(quoted) is encrypted") }
    guard method == 0 || method == 8 else {
      throw FormatProblem(
        "its member \(quoted) is packed by method \(method); stored (0) and deflated (8) are read")
    }
    guard let packed = Int(exactly: packedSize), let unpacked = Int(exactly: size),
      let header = Int(exactly: start)
    else {
      throw FormatProblem("its member \(quoted) has sizes that no file has")
    }
    return Member(
      name: name, isDeflated: method == 8, checksum: checksum, packedSize: packed, size: unpacked,
      headerStart: header)
  }

  /// Sizes of 4 GiB and more stand in an extra field, those that are needed in this order.
  private static func widen(
    _ size: inout UInt64, _ packedSize: inout UInt64, _ start: inout UInt64, by extra: FileBytes
  ) throws(FormatProblem) {
    var cursor = ByteCursor(extra)
    while cursor.remaining >= 4 {
      let kind = try cursor.next(UInt16.self)
      var field = ByteCursor(try cursor.take(Int(try cursor.next(UInt16.self))))
      guard kind == 1 else { continue }
      if size == 0xffff_ffff { size = try field.next(UInt64.self) }
      if packedSize == 0xffff_ffff { packedSize = try field.next(UInt64.self) }
      if start == 0xffff_ffff { start = try field.next(UInt64.self) }
    }
  }

  private func dataRange(_ member: Member, end: Int) throws(FormatProblem) -> Range<Int> {
    let quoted = FormatProblem.quoted(member.name)
    guard member.headerStart <= end - 30,
      bytes.number(UInt32.self, at: member.headerStart) == 0x0403_4b50
    else {
      throw FormatProblem("its member \(quoted) is not at byte \(member.headerStart)")
    }
    var cursor = ByteCursor(bytes, at: member.headerStart + 26)
    let nameLength = Int(try cursor.next(UInt16.self))
    let extraLength = Int(try cursor.next(UInt16.self))
    let name = try cursor.take(nameLength).text
    if name != member.name {
      throw FormatProblem(
        "its member \(quoted) is called \(FormatProblem.quoted(name)) where its data are")
    }
    _ = try cursor.take(extraLength)
    guard cursor.position <= end, member.packedSize <= end - cursor.position else {
      throw FormatProblem(
        "its member \(quoted) would take \(member.packedSize) bytes from byte \(cursor.position), "
          + "the directory begins at \(end)")
    }
    if !member.isDeflated, member.packedSize != member.size {
      throw FormatProblem(
        "its member \(quoted) is stored in \(member.packedSize) bytes and has \(member.size)")
    }
    return cursor.position..<(cursor.position + member.packedSize)
  }

  private func checkOverlaps() throws(FormatProblem) {
    let ordered = members.sorted { $0.headerStart < $1.headerStart }
    for (first, second) in zip(ordered, ordered.dropFirst())
    where second.headerStart < first.data.upperBound {
      throw FormatProblem(
        "its members \(FormatProblem.quoted(first.name)) and \(FormatProblem.quoted(second.name)) "
          + "overlap at byte \(second.headerStart)")
    }
  }

  // MARK: Unpacking

  private func inflated(
    _ packed: FileBytes, _ member: Member, _ budget: MemoryBudget
  ) throws(FormatProblem) -> FileBytes {
    let quoted = FormatProblem.quoted(member.name)
    // Deflate writes at least two bits for 258 bytes.
    if member.size / 1032 > packed.count {
      throw FormatProblem(
        "its member \(quoted) would unpack from \(packed.count) to \(member.size) bytes, more than "
          + "deflate can pack")
    }
    try budget.charge(member.size, for: "its member \(quoted), unpacked,")
    let result = ArrayStorage(uninitialized: member.size)
    let count = Inflation.unpack(packed.buffer, into: result.bytes)
    if count != member.size {
      throw FormatProblem(
        "the compressed data of its member \(quoted) are damaged or do not have \(member.size) bytes"
      )
    }
    return FileBytes(result)
  }
}

/// Where the directory of an archive lies.
private struct ZipDirectory {
  let count: Int
  let range: Range<Int>

  /// Finds it from the record at the archive's end, behind which only a comment may follow.
  init(_ bytes: FileBytes) throws(FormatProblem) {
    let last = bytes.count - 22
    guard last >= 0 else { throw FormatProblem("it is too short for a zip archive") }
    let candidates = stride(from: last, through: max(0, last - 0xffff), by: -1)
    let found = candidates.first { position in
      bytes.number(UInt32.self, at: position) == 0x0605_4b50
        && Int(bytes.number(UInt16.self, at: position + 20) ?? 0) == last - position
    }
    guard let end = found else { throw FormatProblem("the directory at its end is missing") }
    var cursor = ByteCursor(bytes, at: end + 10)
    var count = UInt64(try cursor.next(UInt16.self))
    var size = UInt64(try cursor.next(UInt32.self))
    var start = UInt64(try cursor.next(UInt32.self))
    var limit = end
    if bytes.number(UInt32.self, at: end - 20) == 0x0706_4b50,
      let place = bytes.number(UInt64.self, at: end - 12), let record = Int(exactly: place),
      record <= end - 76, bytes.number(UInt32.self, at: record) == 0x0606_4b50
    {
      var wide = ByteCursor(bytes, at: record + 32)
      count = try wide.next(UInt64.self)
      size = try wide.next(UInt64.self)
      start = try wide.next(UInt64.self)
      limit = record
    }
    guard let start = Int(exactly: start), let size = Int(exactly: size), start <= limit,
      size <= limit - start
    else {
      throw FormatProblem(
        "its directory would take \(size) bytes from byte \(start), the file has \(bytes.count)")
    }
    guard count <= UInt64(size / 46) else {
      throw FormatProblem("its directory of \(size) bytes is too short for \(count) members")
    }
    self.count = Int(count)
    range = start..<(start + size)
  }
}

/// Deflate without a header, as zip has it.
enum Inflation {
  /// Unpacks `packed` into `target`; returns how many bytes there are, or -1 where the data are damaged
  /// or go on.
  static func unpack(
    _ packed: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
  ) -> Int {
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    stream.initialize(to: z_stream())
    defer { stream.deallocate() }
    let size = Int32(MemoryLayout<z_stream>.size)
    guard inflateInit2_(stream, -15, ZLIB_VERSION, size) == Z_OK else { return -1 }
    defer { inflateEnd(stream) }
    let input = UnsafeMutableRawBufferPointer(mutating: packed).bindMemory(to: UInt8.self)
    let output = target.bindMemory(to: UInt8.self)
    // An empty result still needs an address to write to.
    var nothing: UInt8 = 0
    return withUnsafeMutablePointer(to: &nothing) { spare in
      var (taken, made) = (0, 0)
      while true {
        let room = min(output.count - made, 1 << 30)
        let supply = min(input.count - taken, 1 << 30)
        stream.pointee.next_in = input.baseAddress.map { $0 + taken }
        stream.pointee.avail_in = UInt32(supply)
        stream.pointee.next_out = room > 0 ? output.baseAddress.map { $0 + made } : spare
        stream.pointee.avail_out = UInt32(room)
        let status = inflate(stream, Z_NO_FLUSH)
        let progress = supply - Int(stream.pointee.avail_in) + room - Int(stream.pointee.avail_out)
        taken += supply - Int(stream.pointee.avail_in)
        made += room - Int(stream.pointee.avail_out)
        if status == Z_STREAM_END { return made }
        if status != Z_OK || progress == 0 { return -1 }
      }
    }
  }
}
