import AgnesiArrays
import AgnesiImages
import Foundation
import TestSupport
import Testing

@Suite struct PictureWritingTests {
  private func original() throws -> Picture {
    try Picture(reading: Fixtures.path("colour.png"))
  }

  @Test func whatIsWrittenIsReadAgain() throws {
    let folder = try TemporaryFolder()
    let picture = try original()
    try picture.write(to: folder.path("x.PNG"))
    #expect(try Picture(reading: folder.path("x.PNG")) == picture)
    for name in ["x.jpg", "x.JPEG"] {
      try picture.write(to: folder.path(name), quality: 100)
      let read = try Picture(reading: folder.path(name))
      let differences = zip(read.samples, picture.samples).map { abs(Int($0) - Int($1)) }
      #expect(differences.reduce(0, +) < 16 * differences.count)
    }
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(Set(left) == ["x.PNG", "x.jpg", "x.JPEG"])
  }

  @Test func qualityIsSize() throws {
    let picture = try original()
    let sizes = try [1, 50, 90, 100].map { try #require(picture.jpeg(quality: $0)).count }
    #expect(sizes == sizes.sorted())
    #expect(Set(sizes).count == 4)
    #expect(picture.jpeg(quality: 1000) == picture.jpeg(quality: 100))
  }

  @Test func greyStaysGrey() throws {
    let grey = Picture(width: 3, height: 2, channels: 1, samples: [9, 9, 9, 9, 9, 9])
    let file = try #require(grey.jpeg(quality: 100))
    #expect(try Picture(decoding: file, name: "x", as: .grey) == grey)
  }

  @Test func otherNamesAndSizesAreErrors() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("x.gif")
    #expect(
      errorText { try original().write(to: path) }
        == "cannot write \(path) as a picture: its name ends neither in .png nor in .jpg or .jpeg")
    let long = Picture(
      width: 65_501, height: 1, channels: 1, samples: [UInt8](repeating: 0, count: 65_501))
    #expect(
      errorText { try long.write(to: folder.path("x.jpg")) }
        == "cannot write \(folder.path("x.jpg")) as JPEG: 65501 × 1 pixels are too large")
  }
}
