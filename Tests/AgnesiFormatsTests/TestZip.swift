import AgnesiArrays

/// A zip archive of stored members, any field of which a test may set wrongly.
struct TestZip {
  struct Member {
    var name: String
    var data: [UInt8]
    var method: UInt16 = 0
    var flags: UInt16 = 0
    var size: UInt32?
    var packedSize: UInt32?
    var checksum: UInt32?
    var localName: String?
    var start: UInt32?
  }

  var members: [Member]
  var count: UInt16?
  var directoryStart: UInt32?

  init(_ members: [Member]) { self.members = members }

  var bytes: [UInt8] {
    var result: [UInt8] = []
    var directory: [UInt8] = []
    for member in members {
      let start = UInt32(result.count)
      let local = Array((member.localName ?? member.name).utf8)
      result += little(UInt32(0x0403_4b50)) + little(UInt16(20)) + common(member)
      result += little(UInt16(local.count)) + little(UInt16(0)) + local + member.data
      let name = Array(member.name.utf8)
      directory += little(UInt32(0x0201_4b50)) + little(UInt16(20)) + little(UInt16(20))
      directory += common(member) + little(UInt16(name.count)) + [UInt8](repeating: 0, count: 12)
      directory += little(member.start ?? start) + name
    }
    let start = UInt32(result.count)
    result += directory + little(UInt32(0x0605_4b50)) + little(UInt32(0))
    let number = count ?? UInt16(members.count)
    result += little(number) + little(number) + little(UInt32(directory.count))
    return result + little(directoryStart ?? start) + little(UInt16(0))
  }

  /// From the flags to the size.
  private func common(_ member: Member) -> [UInt8] {
    var result = little(member.flags) + little(member.method) + little(UInt32(0))
    result += little(member.checksum ?? Self.checksum(member.data))
    result += little(member.packedSize ?? UInt32(member.data.count))
    return result + little(member.size ?? UInt32(member.data.count))
  }

  private func little(_ number: some FixedWidthInteger) -> [UInt8] {
    ByteOrder.littleEndian(number)
  }

  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { word, _ in
      word & 1 == 0 ? word >> 1 : word >> 1 ^ 0xedb8_8320
    }
  }

  static func checksum(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(UInt32.max) { $0 >> 8 ^ table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] }
  }
}
