import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops
import Testing

@Suite struct NormalizationTests {
  private let x = Tensor.doubles([1, 10, 3, 30, 5, 20, 7, 60], [4, 2])
  private let mean = Tensor.parameter("mean", [2], .zeros, .statistic, dtype: .float64)
  private let variance = Tensor.parameter("variance", [2], .ones, .statistic, dtype: .float64)
  private let scale = Tensor.doubles([2, 1], [2])
  private let offset = Tensor.doubles([0, -1], [2])

  private var result: BatchNormalized {
    batchNormalized(
      x, scale: scale, offset: offset, runningMean: mean, runningVariance: variance,
      epsilon: 0.5, weightOfNew: 0.25)
  }

  private func close(_ a: [Double], _ b: [Double]) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) < 1e-12 }
  }

  @Test func training() throws {
    // Means 4 and 30; variances 5 and 350 (divided by 4), 20/3 and 1400/3 (divided by 3).
    let values = try evaluated(
      [result.output, result.runningMean, result.runningVariance], [:]
    ).map(\.doubles)
    let (first, second) = (5.5.squareRoot(), 350.5.squareRoot())
    let columns = [1.0, 3, 5, 7].map { ($0 - 4) / first * 2 }
    let others = [10.0, 30, 20, 60].map { ($0 - 30) / second - 1 }
    #expect(close(values[0], zip(columns, others).flatMap { [$0, $1] }))
    #expect(close(values[1], [1, 7.5]))
    #expect(close(values[2], [0.75 + 0.25 * 20 / 3, 0.75 + 0.25 * 1400 / 3]))
  }

  @Test func inference() throws {
    mean.parameter?.value = NDArray([4.0, 10])
    variance.parameter?.value = NDArray([3.5, 99.5])
    let y = result.output.specialized(for: .inference)
    let expected = [1.0, 3, 5, 7].map { ($0 - 4) / 2 * 2 }
    let others = [10.0, 30, 20, 60].map { ($0 - 10) / 10 - 1 }
    #expect(close(try evaluated(y).doubles, zip(expected, others).flatMap { [$0, $1] }))
    #expect(result.runningMean.specialized(for: .inference) == mean)
  }

  @Test func anUpdateRuleBringsTheAverages() {
    let weight = Tensor.parameter("scale", [2], .ones, .weight, dtype: .float64)
    let y = batchNormalized(x, scale: weight, runningMean: mean, runningVariance: variance)
    let updates = Updates([(weight, weight * 2)], bringing: [y.output])
    #expect(updates[mean] == y.runningMean)
    #expect(updates[variance] == y.runningVariance)
  }

  @Test func mapsHaveOneStatisticForEachChannel() throws {
    let maps = Tensor.doubles((0..<24).map { Double($0 * $0 % 11) }, [2, 3, 2, 2])
    let (mean, variance) = (Tensor.doubles([0, 0, 0], [3]), Tensor.doubles([1, 1, 1], [3]))
    let y = batchNormalized(maps, runningMean: mean, runningVariance: variance, epsilon: 1e-9)
    let statistics = [y.output.mean(axes: [0, 2, 3]), y.output.variance(axes: [0, 2, 3])]
    let values = try evaluated(statistics, [:]).map(\.doubles)
    #expect(values[0].allSatisfy { abs($0) < 1e-12 })
    #expect(values[1].allSatisfy { abs($0 - 1) < 1e-8 })
  }

  @Test func aSingleValueHasNoVariance() throws {
    let one = Tensor.doubles([5], [1, 1])
    let (mean, variance) = (Tensor.doubles([0], [1]), Tensor.doubles([1], [1]))
    let y = batchNormalized(one, runningMean: mean, runningVariance: variance)
    let values = try evaluated([y.output, y.runningMean, y.runningVariance], [:]).map(\.scalar)
    #expect(values[0] == 0)
    #expect(abs(values[1] - 0.5) < 1e-15)
    #expect(abs(values[2] - 0.9) < 1e-15)
  }

  @Test func otherNormalisations() throws {
    let row = Tensor.doubles([1, 3, 5, 7], [1, 4])
    let scale = Tensor.doubles([1, 1, 2, 2], [4])
    let y = layerNormalized(row, scale: scale, offset: .constant(1, .float64), epsilon: 1e-12)
    let root = 5.0.squareRoot()
    #expect(
      close(try evaluated(y).doubles, [1 - 3 / root, 1 - 1 / root, 1 + 2 / root, 1 + 6 / root]))
    let channels = Tensor.doubles([1, 2, 3, 4], [1, 4, 1])
    let local = localResponseNormalized(channels, alpha: 1, k: 0, beta: 1, size: 3)
    #expect(close(try evaluated(local).doubles, [1.0 / 5, 2.0 / 14, 3.0 / 29, 4.0 / 25]))
  }

  @Test func mistakes() {
    let maps = Tensor.input("x", [.batch, 3, 4, 4])
    let (good, bad) = (Tensor.input("m", [3]), Tensor.input("v", [4]))
    #expect(
      batchNormalized(maps, runningMean: good, runningVariance: bad).output.failureText == """
        batchNormalized: statistics, scale and offset are float32[3] here, got float32[4]
          input             "x" float32[batch, 3, 4, 4]
          running mean      "m" float32[3]
          running variance  "v" float32[4]
        """)
    #expect(
      batchNormalized(maps, runningMean: good, runningVariance: good, weightOfNew: 2).output
        .failureText == """
          batchNormalized: the weight of the new batch is in 0...1, got 2.0
            input             "x" float32[batch, 3, 4, 4]
            running mean      "m" float32[3]
            running variance  "m" float32[3]
          """)
    #expect(
      standardized(maps, axes: [1], epsilon: 0).failureText == """
        standardized: epsilon is positive, got 0.0
          operand  "x" float32[batch, 3, 4, 4]
        """)
    #expect(
      localResponseNormalized(maps, size: 4).failureText == """
        localResponseNormalized: the size is odd, got 4
          operand  "x" float32[batch, 3, 4, 4]
        """)
  }
}
