import AgnesiImages
import Foundation
import TestSupport
import Testing

/// What is said about files that are no pictures.
@Suite struct BrokenPictureTests {
  private func reason(
    _ bytes: [UInt8], limits: DecodingLimits = .standard
  ) -> String {
    errorText { _ = try Picture(decoding: bytes, name: "x", limits: limits) }
  }

  private let prefix = "cannot read the picture x: "

  @Test func filesThatAreNoPicturesAreNamed() throws {
    #expect(reason([]) == prefix + "the file is empty")
    #expect(
      reason(Array("class,name\n1,peacock\n".utf8)) == prefix
        + "it begins with the text \"class,name\", as no JPEG, PNG, WebP, GIF, TIFF or BMP picture does"
    )
    #expect(
      reason([0, 1, 254]) == prefix
        + "it begins with the bytes 00 01 FE, as no JPEG, PNG, WebP, GIF, TIFF or BMP picture does")
    #expect(
      reason(Array("<!DOCTYPE html><p>Not found".utf8)) == prefix
        + "it is a HTML file, not a JPEG, PNG, WebP, GIF, TIFF or BMP picture")
  }

  @Test func placesThatAreNoFilesAreNamed() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("none.jpg")
    #expect(
      errorText { _ = try Picture(reading: path) }
        == "cannot read the picture \(path): No such file or directory")
    #expect(
      errorText { _ = try Picture(reading: folder.path) }
        == "cannot read the picture \(folder.path): it is a folder")
    let empty = try folder.write([], to: "empty.png")
    #expect(
      errorText { _ = try Picture(reading: empty) }
        == "cannot read the picture \(empty): the file is empty")
  }

  @Test(arguments: [
    "colour420.jpg", "progressive.jpg", "colour.png", "interlaced.png", "palette.gif",
    "lossy.webp", "colour.bmp", "runs8.bmp",
  ])
  func halfAFileIsAnError(name: String) throws {
    let bytes = try Fixtures.bytes(name)
    #expect(
      reason(Array(bytes.prefix(bytes.count * 3 / 4))) == prefix
        + "the file ends within the picture")
  }

  @Test func halfATIFFIsAnError() throws {
    let bytes = try Fixtures.bytes("lzw.tif")
    let text = reason(Array(bytes.prefix(bytes.count / 2)))
    #expect(text.hasPrefix(prefix + "damaged TIFF: "), "\(text)")
  }

  @Test func damagedDataAreAnError() throws {
    var bytes = try Fixtures.bytes("colour.png")
    bytes[bytes.count - 13] ^= 1
    #expect(reason(bytes) == prefix + "damaged PNG: IDAT: CRC error")
    bytes = try Fixtures.bytes("colour.bmp")
    bytes[28] = 7
    #expect(reason(bytes) == prefix + "a BMP of 7 bits a pixel in compression 0 is not known")
  }

  // MARK: - Bombs

  /// The files with the width and the height that their headers give replaced.
  private static let claims: [(name: String, place: Int, bytes: [UInt8])] = [
    ("colour.png", 16, [0, 0, 0xEA, 0x60, 0, 0, 0xEA, 0x60]),
    ("palette.gif", 6, [0x60, 0xEA, 0x60, 0xEA]),
    ("colour.bmp", 18, [0x60, 0xEA, 0, 0, 0x60, 0xEA, 0, 0]),
  ]

  private func bomb(_ claim: (name: String, place: Int, bytes: [UInt8])) throws -> [UInt8] {
    var bytes = try Fixtures.bytes(claim.name)
    bytes.replaceSubrange(claim.place..<(claim.place + claim.bytes.count), with: claim.bytes)
    if claim.name.hasSuffix(".png") {
      let sum = Checksum.crc32(bytes[12..<29])
      bytes.replaceSubrange(
        29..<33, with: [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: sum >> $0) })
    }
    return bytes
  }

  @Test func hugePicturesAreRefusedUnread() throws {
    for claim in Self.claims {
      #expect(
        reason(try bomb(claim)) == prefix
          + "60000 × 60000 pixels are more than the limit of 100000000", "\(claim.name)")
    }
  }

  @Test func memoryIsBounded() throws {
    let limits = DecodingLimits(mostPixels: .max, memory: 100 << 20)
    for claim in Self.claims {
      let text = reason(try bomb(claim), limits: limits)
      #expect(text == prefix + "it takes more than 100 MB of memory", "\(claim.name)")
    }
  }

  @Test func picturesAtTheLimitAreRead() throws {
    let bytes = try Fixtures.bytes("colour.png")
    let limits = DecodingLimits(mostPixels: 22 * 18)
    #expect(try Picture(decoding: bytes, name: "x", limits: limits).width == 22)
    #expect(
      reason(bytes, limits: DecodingLimits(mostPixels: 22 * 18 - 1)) == prefix
        + "22 × 18 pixels are more than the limit of 395")
  }
}

/// The check sums that PNG files have.
enum Checksum {
  static func crc32(_ bytes: some Sequence<UInt8>) -> UInt32 {
    var sum: UInt32 = .max
    for byte in bytes {
      sum ^= UInt32(byte)
      for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
    }
    return ~sum
  }
}
