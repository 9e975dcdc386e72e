import AgnesiArrays
import AgnesiTraining
import Foundation
import TestSupport
import Testing

@Suite struct StandardizationTests {
  /// Two samples of two channels of two values.
  private let values: [Double] = [1, 3, 10, 10, 5, 7, 30, 10]

  private func array(_ dtype: DType) -> NDArray {
    NDArray(rounding: values, shape: [2, 2, 2], dtype)
  }

  @Test(arguments: [DType.uint8, .float32, .float64, .float16])
  func meansAreThoseOfTheGrain(dtype: DType) throws {
    let global = try Standardization(of: array(dtype), per: .global)
    #expect(global.mean == [9.5])
    #expect(abs(global.deviation[0] - 70.25.squareRoot()) < 1e-12)
    let channel = try Standardization(of: array(dtype), per: .channel)
    #expect(channel.mean == [4, 15])
    #expect(abs(channel.deviation[0] - 5.0.squareRoot()) < 1e-12)
    #expect(abs(channel.deviation[1] - 75.0.squareRoot()) < 1e-12)
    let feature = try Standardization(of: array(dtype), per: .feature)
    #expect(feature.mean == [3, 5, 20, 10])
    #expect(feature.deviation == [2, 2, 10, 1])
    #expect(feature.sampleShape == [2, 2])
  }

  @Test func scalingComesFirst() throws {
    let set = try DataSet(
      name: "x", inputs: array(.uint8), targets: NDArray([0, 1] as [Int32]),
      scaling: InputScaling(factor: -0.5, offset: 100))
    let channel = try Standardization(of: set, per: .channel)
    #expect(channel.mean == [98, 92.5])
    #expect(abs(channel.deviation[0] - 5.0.squareRoot() / 2) < 1e-12)
  }

  @Test func constantFeaturesBecomeZero() throws {
    let tenth = Float(0.1)
    let rows = (0..<1000).flatMap { row -> [Float] in [tenth, Float(row), 1e30] }
    let array = NDArray(rows, shape: [1000, 3])
    let standardization = try Standardization(of: array, per: .feature)
    #expect(standardization.deviation[0] == 1)
    #expect(standardization.deviation[2] == 1)
    let result = try standardization.applied(to: array)
    #expect(result[rows: 0..<1000].doubles.enumerated().allSatisfy { $0 % 3 == 1 || $1 == 0 })
  }

  @Test func aLargeMeanHidesNoDeviation() throws {
    let rows = (0..<1000).map { 1e9 + Double($0 % 2) }
    let standardization = try Standardization(of: NDArray(rows), per: .global)
    #expect(standardization.mean == [1e9 + 0.5])
    #expect(standardization.deviation == [0.5])
  }

  @Test(arguments: Standardization.Grain.allCases)
  func theResultHasMeanZeroAndDeviationOne(grain: Standardization.Grain) throws {
    var random = PhiloxGenerator(seed: 1, name: "standardization")
    let values = (0..<2400).map { _ in Float.random(in: -3...10, using: &random) }
    let array = NDArray(values, shape: [200, 3, 2, 2])
    let standardization = try Standardization(of: array, per: grain)
    let again = try Standardization(of: standardization.applied(to: array), per: grain)
    #expect(again.mean.allSatisfy { abs($0) < 1e-6 })
    #expect(again.deviation.allSatisfy { abs($0 - 1) < 1e-6 })
    let back = try standardization.inverted(standardization.applied(to: array))
    for (x, y) in zip(back.doubles, array.doubles) { #expect(abs(x - y) < 1e-5) }
  }

  @Test func targetsOfARegressionCanBeBroughtBack() throws {
    let targets = NDArray([10, 20, 60] as [Float])
    let standardization = try Standardization(of: targets, per: .feature)
    #expect(standardization.sampleShape == [])
    #expect(standardization.mean == [30])
    let back = try standardization.inverted(standardization.applied(to: targets))
    for (x, y) in zip(back.doubles, [10.0, 20, 60]) { #expect(abs(x - y) < 1e-5) }
  }

  @Test func survivesCoding() throws {
    let standardization = try Standardization(of: array(.float32), per: .channel)
    let data = try JSONEncoder().encode(standardization)
    #expect(try JSONDecoder().decode(Standardization.self, from: data) == standardization)
  }

  @Test func whatCannotBeMeasuredIsNamed() throws {
    #expect(
      errorText { _ = try Standardization(of: Samples.numbers(0), per: .global) }
        == "cannot standardise numbers: it has no samples")
    let wrong = NDArray([1, 2, .nan, 4] as [Float], shape: [2, 2])
    #expect(
      errorText { _ = try Standardization(of: wrong, per: .feature) }
        == "cannot standardise values: feature 0 cannot be averaged: NaN, infinite or too large")
    #expect(
      errorText { _ = try Standardization(of: wrong, per: .global) }
        == "cannot standardise values: the values cannot be averaged: NaN, infinite or too large")
    let standardization = try Standardization(of: array(.float32), per: .channel)
    #expect(
      errorText { _ = try standardization.applied(to: NDArray(zeros: [2, 4])) }
        == "cannot standardise values: samples of shape [4] came, those of shape [2, 2] were "
        + "measured")
    #expect(
      errorText { _ = try standardization.inverted(NDArray(scalar: 1.0)) }
        == "cannot standardise values: samples of shape [] came, those of shape [2, 2] were "
        + "measured")
  }

  @Test(.enabled(if: TestData.folder != nil, "AGNESI_TEST_DATA is not set"))
  func theChannelsOfCIFAR10HaveTheirKnownMeans() throws {
    let split = try DataFormat.cifar10.read(TestData.path("cifar10"), name: "cifar10")
    let test = try #require(split.test)
    let standardization = try Standardization(of: test, per: .channel)
    // All training images have 0.4914, 0.4822, 0.4465; these are 1000 others.
    for (mean, known) in zip(standardization.mean, [0.4914, 0.4822, 0.4465]) {
      #expect(abs(mean - known) < 0.01)
    }
    #expect(standardization.deviation.allSatisfy { 0.24...0.27 ~= $0 })
  }
}
