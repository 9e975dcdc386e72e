import AgnesiArrays

/// Writes a zip archive of stored members, each of which begins at a multiple of 64 bytes, so that
/// readers which map the file can take its numbers where they lie.
///
/// The same members give the same bytes: no time is stored. Sizes of 4 GiB and more take zip64's fields.
struct ZipWriter {
  private struct Entry {
    let name: [UInt8]
    let checksum: UInt32
    let size: UInt64
    let start: UInt64
  }

  private let file: AtomicFile
  private var position: UInt64 = 0
  private var entries: [Entry] = []

  init(_ file: AtomicFile) { self.file = file }

  /// Adds a member that consists of `parts`, one after the other.
  mutating func add(_ name: String, _ parts: [UnsafeRawBufferPointer]) throws {
    if name.utf8.count > longestName {
      throw FormatProblem("the name \(FormatProblem.quoted(name)) is too long for a zip archive")
    }
    var checksum: UInt32 = 0
    var size: UInt64 = 0
    for part in parts {
      checksum = ZipArchive.checksum(part, after: checksum)
      size += UInt64(part.count)
    }
    let entry = Entry(name: Array(name.utf8), checksum: checksum, size: size, start: position)
    entries.append(entry)
    try write(localHeader(entry))
    for part in parts {
      try file.write(part)
      position += UInt64(part.count)
    }
  }

  /// Adds a member of some bytes.
  mutating func add(_ name: String, _ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { try add(name, [$0]) }
  }

  /// Writes the directory.
  mutating func finish() throws {
    let start = position
    for entry in entries { try write(directoryEntry(entry)) }
    let size = position - start
    let count = UInt64(entries.count)
    let isLarge = start >= narrowLimit || size >= narrowLimit || count >= 0xffff
    if isLarge {
      let record = position
      try write(little(UInt32(0x0606_4b50)) + little(UInt64(44)) + little(UInt16(45)))
      try write(little(UInt16(45)) + little(UInt64(0)) + little(count) + little(count))
      try write(little(size) + little(start))
      try write(
        little(UInt32(0x0706_4b50)) + little(UInt32(0)) + little(record) + little(UInt32(1)))
    }
    let shownCount = isLarge ? 0xffff : UInt16(count)
    try write(little(UInt32(0x0605_4b50)) + little(UInt32(0)) + little(shownCount))
    try write(little(shownCount) + little(narrow(isLarge ? narrowLimit : size)))
    try write(little(narrow(isLarge ? narrowLimit : start)) + little(UInt16(0)))
  }

  /// Two bytes tell the length of a name.
  private let longestName = 0xffff

  /// From here on sizes need 64 bits.
  private let narrowLimit: UInt64 = 0xffff_ffff

  private func narrow(_ number: UInt64) -> UInt32 { UInt32(min(number, narrowLimit)) }

  private mutating func write(_ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { try file.write($0) }
    position += UInt64(bytes.count)
  }

  private func localHeader(_ entry: Entry) -> [UInt8] {
    var extra: [UInt8] = []
    if entry.size >= narrowLimit {
      extra += little(UInt16(1)) + little(UInt16(16)) + little(entry.size) + little(entry.size)
    }
    // A field of spaces moves the data to a multiple of 64 bytes, as PyTorch does it ("FB").
    let end = Int(entry.start % 64) + 30 + entry.name.count + extra.count + 4
    let padding = (64 - end % 64) % 64
    extra += little(UInt16(0x4246)) + little(UInt16(padding))
    extra += [UInt8](repeating: 0x20, count: padding)
    let head = little(UInt32(0x0403_4b50)) + common(entry) + little(UInt16(extra.count))
    return head + entry.name + extra
  }

  private func directoryEntry(_ entry: Entry) -> [UInt8] {
    var wide: [UInt8] = []
    if entry.size >= narrowLimit { wide += little(entry.size) + little(entry.size) }
    if entry.start >= narrowLimit { wide += little(entry.start) }
    let extra = wide.isEmpty ? [] : little(UInt16(1)) + little(UInt16(wide.count)) + wide
    var head = little(UInt32(0x0201_4b50)) + little(UInt16(45)) + common(entry)
    head += little(UInt16(extra.count)) + [UInt8](repeating: 0, count: 10)
    return head + little(narrow(entry.start)) + entry.name + extra
  }

  /// From the version that is needed to the length of the name: UTF-8, stored, the first day of 1980.
  private func common(_ entry: Entry) -> [UInt8] {
    let version: UInt16 = 45
    let (utf8, stored): (UInt16, UInt16) = (0x800, 0)
    let (time, day): (UInt16, UInt16) = (0, 0x21)
    var result = little(version) + little(utf8) + little(stored) + little(time) + little(day)
    result += little(entry.checksum) + little(narrow(entry.size)) + little(narrow(entry.size))
    return result + little(UInt16(entry.name.count))
  }

  private func little(_ number: some FixedWidthInteger) -> [UInt8] {
    ByteOrder.littleEndian(number)
  }
}
