import Agnesi
import Foundation
import Testing

@Suite struct GaborFilterTests {
  /// Numbers of scikit-image 0.26: `gabor_kernel(1/4, theta=pi/6, bandwidth=1.2)`.
  @Test func kernelsAreThoseOfScikitImage() {
    let filter = GaborFilter(wavelength: 4, orientation: Double.pi / 6)
    let (real, imaginary) = filter.kernel()
    let r = filter.radius
    #expect(abs(real[r, r] - 0.043_853_838_511) < 1e-7)
    #expect(abs(real[r, r + 1] - 0.007_981_902_138) < 1e-7)
    #expect(abs(imaginary[r, r + 1] - 0.037_366_777_927) < 1e-7)
    #expect(abs(real[r + 1, r] - 0.027_018_390_537) < 1e-7)
    #expect(abs(imaginary[r + 1, r] - 0.027_018_390_537) < 1e-7)
  }

  @Test func kernelsAreThoseOfTheFormula() {
    let filter = GaborFilter(wavelength: 4, orientation: Double.pi / 6)
    let spread = filter.deviation
    #expect(abs(spread - 4 * 0.187390625 * (exp2(1.2) + 1) / (exp2(1.2) - 1)) < 1e-6)
    let (real, imaginary) = filter.kernel()
    let radius = filter.radius
    #expect(real.shape == [2 * radius + 1, 2 * radius + 1])
    for (x, y) in [(0, 0), (1, 0), (0, 1), (-2, 3), (radius, -radius)] {
      let along = Double(x) * 3.0.squareRoot() / 2 + Double(y) / 2
      let across = Double(y) * 3.0.squareRoot() / 2 - Double(x) / 2
      let bell =
        exp(-(along * along + across * across) / (2 * spread * spread))
        / (2 * Double.pi * spread * spread)
      let angle = Double.pi / 2 * along
      #expect(abs(real[radius + y, radius + x] - bell * cos(angle)) < 1e-7)
      #expect(abs(imaginary[radius + y, radius + x] - bell * sin(angle)) < 1e-7)
    }
  }

  @Test func theBankHasWavelengthsAndOrientations() throws {
    let bank = GaborFilter.bank()
    #expect(bank.map(\.wavelength) == [4, 4, 4, 4, 4, 4, 8, 8, 8, 8, 8, 8])
    #expect(abs(bank[7].orientation - Double.pi / 6) < 1e-12)
    #expect(bank.kernels.shape == [24, 1, 2 * bank[6].radius + 1, 2 * bank[6].radius + 1])
    #expect(try bank.drawn() != nil)
    #expect(try [GaborFilter]().drawn() == nil)
  }

  /// Stripes are answered by the filter of their wavelength and direction, whatever their phase.
  @Test(arguments: [0, 3, 7, 10], [0.0, 1.3]) func stripesAreRecognised(
    index: Int, phase: Double
  ) throws {
    let bank = GaborFilter.bank()
    let filter = bank[index]
    let stripes = (0..<64).flatMap { y in
      (0..<64).map { x in
        let along = Double(x) * cos(filter.orientation) + Double(y) * sin(filter.orientation)
        return Float(sin(2 * Double.pi * along / filter.wavelength + phase))
      }
    }
    let image = Tensor.input("image", [.batch, 1, 64, 64])
    let magnitudes = bank.magnitudes(in: image)
    let found = try evaluate(magnitudes, [image: NDArray(stripes, shape: [1, 1, 64, 64])])
    let answers = bank.indices.map { found[0, $0, 32, 32] }
    #expect(answers.indices.max { answers[$0] < answers[$1] } == index)
  }

  /// Stripes of 8 pixels that run from left to right answer to the filter of this wave.
  @Test func answersToAPhoto() throws {
    let samples = (0..<(64 * 48)).flatMap { index -> [UInt8] in
      let grey = UInt8(128 + 100 * sin(2 * Double.pi * Double(index % 64) / 8))
      return [grey, grey, grey]
    }
    let photo = Picture(width: 64, height: 48, channels: 3, samples: samples)
    let bank = GaborFilter.bank()
    let answers = try bank.answers(to: photo, on: .cpu)
    #expect(answers.maps.shape == [12, 48, 64])
    let middle = (0..<12).map { answers.maps[$0, 24, 32] }
    let strongest = try #require(middle.indices.max { middle[$0] < middle[$1] })
    #expect(bank[strongest].wavelength == 8 && bank[strongest].orientation == 0)
    #expect(try answers.drawn().width > 64)
  }
}
