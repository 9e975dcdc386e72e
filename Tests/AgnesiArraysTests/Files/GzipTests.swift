import AgnesiArrays
import TestSupport
import Testing

@Suite struct GzipTests {
  let text = Array("pasta, pasta, pasta".utf8)

  private func packed(_ bytes: [UInt8], level: Int = 6) -> [UInt8] {
    bytes.withUnsafeBytes { Gzip.packed($0, level: level) }
  }

  @Test(arguments: [0, 1, 100, 65_535, 65_536, 1_000_000])
  func packedBytesUnpackToThemselves(count: Int) throws {
    var random = PhiloxGenerator(seed: 1, name: "gzip")
    let bytes = (0..<count).map { _ in UInt8(random.next() & 7) }
    let unpacked = try Gzip.unpacked(packed(bytes), limit: count)
    #expect(unpacked == bytes)
  }

  @Test func whatGzipWroteIsRead() throws {
    // printf 'pasta\n' | gzip -n | od -t x1
    let bytes: [UInt8] = [
      0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 0x03, 0x2b, 0x48, 0x2c, 0x2e, 0x49, 0xe4, 0x02, 0,
      0x99, 0x8e, 0xf3, 0xa8, 0x06, 0, 0, 0,
    ]
    #expect(try Gzip.unpacked(bytes, limit: 100) == Array("pasta\n".utf8))
  }

  @Test func theSameBytesPackToTheSame() {
    #expect(packed(text) == packed(text))
  }

  @Test func membersInARowAreJoined() throws {
    #expect(try Gzip.unpacked(packed([1, 2]) + packed([3]), limit: 3) == [1, 2, 3])
  }

  @Test func aCutIsReportedWhereverItIs() {
    let whole = packed(text)
    for count in 1..<whole.count {
      #expect(throws: GzipError.self, "cut to \(count) of \(whole.count)") {
        try Gzip.unpacked(Array(whole[..<count]), limit: 1000)
      }
    }
    #expect(
      errorText { _ = try Gzip.unpacked(Array(whole.dropLast()), limit: 1000) }
        == "the compressed data is cut short; 19 bytes came out of it")
  }

  @Test func aWrongChecksumIsReported() {
    var bytes = packed(text)
    bytes[bytes.count - 8] ^= 1
    #expect(
      errorText { _ = try Gzip.unpacked(bytes, limit: 1000) }
        == "the compressed data is damaged (incorrect data check); 19 bytes came out of it")
  }

  @Test func otherBytesAreReported() {
    #expect(
      errorText { _ = try Gzip.unpacked(text, limit: 1000) }
        == "the compressed data is damaged (incorrect header check); 0 bytes came out of it")
    #expect(
      errorText { _ = try Gzip.unpacked(packed(text) + [0, 0], limit: 1000) }
        == "other bytes follow the compressed data")
  }

  @Test func aBombStopsAtTheLimit() {
    let bomb = packed([UInt8](repeating: 0, count: 10_000_000), level: 9)
    #expect(bomb.count < 11_000)
    #expect(
      errorText { _ = try Gzip.unpacked(bomb, limit: 9_999_999) }
        == "it unpacks to more than the 9999999 bytes that are allowed here")
  }

  @Test func everyFlippedBitIsNoticedOrHarmless() {
    let whole = packed(text)
    for bit in 0..<(whole.count * 8) {
      var bytes = whole
      bytes[bit / 8] ^= 1 << (bit % 8)
      if let result = try? Gzip.unpacked(bytes, limit: 1000) {
        #expect(result == text, "bit \(bit) changed the result unnoticed")
      }
    }
  }
}
