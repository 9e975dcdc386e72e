import AgnesiArrays
import AgnesiImages
import Foundation
import Testing

@Suite struct HeatTests {
  /// CIE's lightness L*, 0...100.
  private func lightness(_ colour: [UInt8]) -> Double {
    let linear = colour.map { sample in
      let value = Double(sample) / 255
      return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
    }
    let luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return luminance > 0.008856 ? 116 * cbrt(luminance) - 16 : 903.3 * luminance
  }

  @Test func lightnessGrowsWithTheMagnitude() {
    let colours = (0...255).map { HeatColours.colour(of: Double($0) / 255) }
    let lights = colours.map(lightness)
    #expect(zip(lights, lights.dropFirst()).allSatisfy { $0 <= $1 })
    #expect(lights[0] < 5)
    #expect(lights[255] > 95)
    #expect(Set(colours).count > 250)
    // No step is much larger than the others: evenness is what the colours are for.
    #expect(zip(lights, lights.dropFirst()).allSatisfy { $1 - $0 < 0.8 })
  }

  @Test func whatLiesOutsideHasTheColoursOfTheEnds() {
    #expect(HeatColours.colour(of: -3) == HeatColours.colour(of: 0))
    #expect(HeatColours.colour(of: .infinity) == HeatColours.colour(of: 1))
    #expect(HeatColours.colour(of: .nan) == [128, 128, 128])
  }

  @Test func largestIsBrightest() throws {
    let map = NDArray([0, 1, 2, -5, .nan, 4] as [Float], shape: [2, 3])
    let picture = try Picture.heat(map)
    #expect(picture.pixel(x: 2, y: 1) == HeatColours.colour(of: 1))
    #expect(picture.pixel(x: 1, y: 0) == HeatColours.colour(of: 0.25))
    #expect(picture.pixel(x: 0, y: 1) == HeatColours.colour(of: 0))
    #expect(picture.pixel(x: 1, y: 1) == [128, 128, 128])
    #expect(try Picture.heat(map, limit: 1).pixel(x: 1, y: 0) == HeatColours.colour(of: 1))
  }

  private let photo = Picture(
    width: 16, height: 8, channels: 3, samples: (0..<384).map { UInt8($0 * 5 % 256) })

  @Test func coldPlacesShowThePhoto() throws {
    let picture = try photo.overlaid(heat: NDArray(zeros: [2, 4]))
    for (x, y) in [(0, 0), (7, 3), (15, 7)] {
      let old = photo.pixel(x: x, y: y).map(Double.init)
      let grey = 0.299 * old[0] + 0.587 * old[1] + 0.114 * old[2]
      #expect(picture.pixel(x: x, y: y) == old.map { UInt8((($0 + grey) / 2 * 0.85).rounded()) })
    }
  }

  @Test func hotPlacesGlow() throws {
    let map = NDArray([0, 0, 0, 1] as [Float], shape: [1, 4])
    let picture = try photo.overlaid(heat: map, opacity: 1)
    #expect(picture.pixel(x: 15, y: 4) == HeatColours.colour(of: 1))
    #expect(
      try photo.overlaid(heat: map, opacity: 0) == photo.overlaid(heat: NDArray(zeros: [1, 4])))
  }

  @Test func signsHaveColours() throws {
    let map = NDArray([-1, 0, 1] as [Float], shape: [1, 3])
    let grey = Picture(
      width: 9, height: 2, channels: 1, samples: [UInt8](repeating: 100, count: 18))
    let picture = try grey.overlaid(heat: map, isSigned: true, opacity: 1)
    #expect(picture.pixel(x: 0, y: 0) == [30, 84, 160])
    #expect(picture.pixel(x: 4, y: 0) == [85, 85, 85])
    #expect(picture.pixel(x: 8, y: 1) == [176, 28, 44])
  }

  @Test func otherShapesAreMistakes() {
    #expect(throws: PictureError.self) { try photo.overlaid(heat: NDArray(zeros: [3, 2, 2])) }
    #expect(throws: PictureError.self) { try Picture.heat(NDArray(zeros: [4])) }
  }
}

@Suite struct PlaneTests {
  @Test func keepsItsSizeAndConstants() {
    let plane = Plane([1, 2, 3, 4, 5, 6], width: 3, height: 2)
    #expect(plane.resized(width: 3, height: 2) == plane)
    let flat = Plane([Double](repeating: 0.7, count: 6), width: 2, height: 3)
    #expect(flat.resized(width: 9, height: 1).values.allSatisfy { abs($0 - 0.7) < 1e-12 })
  }

  /// Cubic convolution repeats straight lines, away from the borders.
  @Test func straightLinesStayStraight() {
    let values = (0..<5).flatMap { y in (0..<8).map { x in Double(3 * x + 10 * y) } }
    let large = Plane(values, width: 8, height: 5).resized(width: 24, height: 15)
    for (x, y) in [(9, 7), (14, 6), (10, 8)] {
      let (column, row) = ((Double(x) + 0.5) / 3 - 0.5, (Double(y) + 0.5) / 3 - 0.5)
      #expect(abs(large.values[y * 24 + x] - (3 * column + 10 * row)) < 1e-9)
    }
  }

  @Test func nothingGoesBeyondTheRange() {
    let plane = Plane([0, 1, 0, 1], width: 4, height: 1).resized(width: 64, height: 4)
    #expect(plane.values.allSatisfy { $0 >= 0 && $0 <= 1 })
    #expect(plane.values.contains { $0 > 0.95 })
  }

  @Test func shrinkingTakesMeans() {
    let values = (0..<64).map { Double($0 % 2) }
    let small = Plane(values, width: 64, height: 1).resized(width: 8, height: 1)
    #expect(small.values.allSatisfy { abs($0 - 0.5) < 0.05 })
    #expect(small.values[2...5].allSatisfy { abs($0 - 0.5) < 0.001 })
  }
}
