import AgnesiArrays
import AgnesiImages
import TestSupport
import Testing

@Suite struct PNGTests {
  @Test(arguments: [(1, 1, 1), (1, 1, 3), (5, 3, 1), (3, 5, 3), (28, 28, 1), (1, 40, 3)])
  func picturesComeBackAsTheyWere(width: Int, height: Int, channels: Int) throws {
    var noise = PhiloxGenerator(seed: 1, name: "png")
    let count = width * height * channels
    let random = (0..<count).map { _ in UInt8.random(in: 0...255, using: &noise) }
    let ramp = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 3 + $0 / width * 7) }
    for samples in [random, ramp] {
      let file = PNG.encode(width: width, height: height, channels: channels, samples: samples)
      let decoded = try DecodedPNG(file)
      #expect(decoded.width == width)
      #expect(decoded.height == height)
      #expect(decoded.channels == channels)
      #expect(decoded.samples == samples)
    }
  }

  @Test func filtersFollowTheContent() throws {
    let rows = 4
    let ramp = (0..<rows).flatMap { _ in (0..<16).map { UInt8($0 * 9) } }
    let decoded = try DecodedPNG(PNG.encode(width: 16, height: rows, channels: 1, samples: ramp))
    // The first row is a ramp, so differences to the left are equal; the others repeat the row above.
    #expect(decoded.filters == [1, 2, 2, 2])
    #expect(decoded.samples == ramp)
  }

  @Test func everyPredictionIsInvertible() throws {
    var noise = PhiloxGenerator(seed: 5, name: "smooth")
    var seen: Set<UInt8> = []
    for _ in 0..<40 {
      var samples = [UInt8](repeating: 0, count: 24 * 24 * 3)
      let slope = (Int.random(in: 0...9, using: &noise), Int.random(in: 0...9, using: &noise))
      for index in samples.indices {
        let (x, y) = (index / 3 % 24, index / 72)
        let value = x * slope.0 + y * slope.1 + Int.random(in: 0...6, using: &noise)
        samples[index] = UInt8(truncatingIfNeeded: value)
      }
      let decoded = try DecodedPNG(PNG.encode(width: 24, height: 24, channels: 3, samples: samples))
      #expect(decoded.samples == samples)
      seen.formUnion(decoded.filters)
    }
    #expect(seen.isSuperset(of: [1, 2, 4]))
  }

  @Test func aDamagedFileIsNoticedByTheDecoderUsedHere() {
    var file = PNG.encode(width: 3, height: 3, channels: 1, samples: .init(repeating: 7, count: 9))
    file[30] ^= 1
    #expect(throws: DecodedPNG.Malformed.self) { try DecodedPNG(file) }
  }
}
