import AgnesiArrays
import AgnesiImages
import Foundation
import TestSupport
import Testing

@Suite struct PictureReadingTests {
  @Test func everyFixtureHasItsPixels() throws {
    #expect(Set(try Fixtures.pictures.get().keys) == Set(Fixtures.names))
    #expect(Fixtures.names.count > 50)
  }

  /// Transparent, 16-bit and CMYK pixels are computed by another library than Pillow's in TIFF files,
  /// which rounds in another way.
  private static let tolerances = [
    "alpha.tif": 1, "cmyk.tif": 1, "colour16.tif": 0, "alpha.webp": 1, "alpha.png": 1,
    "palettealpha.png": 1, "greyalpha.png": 1, "alpha.bmp": 1,
  ]

  @Test(arguments: Fixtures.names)
  func pixelsAreThoseThatPillowReads(name: String) throws {
    let expected = try #require(try Fixtures.pictures.get()[name])
    let picture = try Picture(reading: Fixtures.path(name))
    let distance = try #require(difference(picture, expected.picture), "another size")
    #expect(distance <= Self.tolerances[name] ?? 0)
    #expect(try Picture(decoding: Fixtures.bytes(name), name: name) == picture)
  }

  @Test func greyIsLuma() throws {
    let colour = try Picture(reading: Fixtures.path("colour444.jpg"))
    let grey = try Picture(reading: Fixtures.path("colour444.jpg"), as: .grey)
    #expect(grey.channels == 1)
    for (index, sample) in grey.samples.enumerated() {
      let red = 0.299 * Double(colour.samples[3 * index])
      let green = 0.587 * Double(colour.samples[3 * index + 1])
      let blue = 0.114 * Double(colour.samples[3 * index + 2])
      #expect(abs(red + green + blue - Double(sample)) < 0.51)
    }
    let same = try Picture(reading: Fixtures.path("grey.jpg"), as: .grey)
    let three = try Picture(reading: Fixtures.path("grey.jpg"))
    #expect(
      same.samples == stride(from: 0, to: three.samples.count, by: 3).map { three.samples[$0] })
  }

  @Test func jpegIsReducedOnlyWhereAsked() throws {
    let photo = Picture(
      width: 160, height: 120, channels: 3,
      samples: (0..<57600).map { UInt8(truncatingIfNeeded: $0 / 480 + $0 % 480 / 3) })
    let file = try #require(photo.jpeg())
    #expect(try Picture(decoding: file, name: "photo").width == 160)
    #expect(try Picture(decoding: file, name: "photo", reducedTo: 61).width == 160)
    #expect(try Picture(decoding: file, name: "photo", reducedTo: 60).width == 80)
    #expect(try Picture(decoding: file, name: "photo", reducedTo: 1).height == 15)
    let png = try Picture(reading: Fixtures.path("colour.png"), reducedTo: 1)
    #expect(png.width == 22)
  }

  /// Sums over Pillow's pixels, plain and weighted by their places: of the photo and of the photo
  /// resized to 256 × 256 by the bicubic filter.
  private struct PhotoSums: Sendable {
    let name: String
    let whole: [Int]
    let small: [Int]
  }

  private static let photos = [
    PhotoSums(
      name: "images/P1013781.JPG", whole: [3_025_430_550, 378_172_426_286],
      small: [24_814_625, 3_101_285_072]),
    PhotoSums(
      name: "images/fruit.jpg", whole: [1_346_361_220, 168_497_645_511],
      small: [11_043_395, 1_378_724_747]),
    PhotoSums(
      name: "images/imagenet_samples/n01440764_tench.jpg", whole: [27_285_843, 3_408_009_807],
      small: [20_484_014, 2_559_466_556]),
  ]

  private func sums(_ picture: Picture) -> [Int] {
    var plain = 0
    var weighted = 0
    for (index, sample) in picture.samples.enumerated() {
      plain += Int(sample)
      weighted += Int(sample) * (index % 251)
    }
    return [plain, weighted]
  }

  @Test(.enabled(if: TestData.folder != nil, "AGNESI_TEST_DATA is not set"))
  func photosOfCamerasAreRead() throws {
    for photo in Self.photos {
      let picture = try Picture(reading: TestData.path(photo.name))
      #expect(sums(picture) == photo.whole)
      let small = picture.resized(width: 256, height: 256, filter: .bicubic)
      #expect(sums(small) == photo.small)
    }
  }

  @Test func manyThreadsReadAtOnce() async throws {
    let path = Fixtures.path("exif6.jpg")
    let expected = try Picture(reading: path)
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for _ in 0..<64 { group.addTask { try Picture(reading: path) == expected } }
      for try await isSame in group { #expect(isSame) }
    }
  }

  @Test func pipesAreRead() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("pipe")
    #expect(mkfifo(path, 0o600) == 0)
    let bytes = try Fixtures.bytes("colour.bmp")
    let writer = Thread { try? Data(bytes).write(to: URL(fileURLWithPath: path), options: []) }
    writer.start()
    #expect(
      try Picture(reading: path) == Picture(reading: Fixtures.path("colour.bmp")))
  }
}
