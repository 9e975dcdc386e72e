import Agnesi
import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiReference
import Testing

/// Counts and sums of 16-bit floats that 16 bits do not hold, in both executors.
@Suite struct SixteenBitStatisticsTests {
  static let dtypes: [DType] = [.float16, .bfloat16]

  /// What both executors give, which must be the same within a rounding of the dtype.
  private func values(_ outputs: [Tensor], _ inputs: [Tensor: NDArray]) throws -> [NDArray] {
    let ordered = Array(inputs.keys)
    let options = CompileOptions(allowsUnusedInputs: true)
    let arrays = ordered.compactMap { inputs[$0] }
    let fast = try compile(ordered, to: outputs, options: options, on: .cpu).call(arrays)
    let slow = try compile(ordered, to: outputs, options: options, on: .reference).call(arrays)
    for (a, b) in zip(fast.arrays, slow.arrays) {
      #expect(a.dtype == b.dtype && a.shape == b.shape)
      let unit = a.dtype == .bfloat16 ? 0x1p-7 : a.dtype == .float16 ? 0x1p-10 : 0x1p-20
      for (x, y) in zip(a.doubles, b.doubles) {
        #expect(abs(x - y) <= 2 * unit * max(1, abs(y)), "CPU \(x), reference \(y)")
      }
    }
    return fast.arrays
  }

  @Test(arguments: dtypes) func theMeanOfManyIsTheirMean(dtype: DType) throws {
    let x = Tensor.input("x", [.batch, 256, 256], dtype)
    let array = NDArray(filled: 3, shape: [2, 256, 256], dtype)
    let results = try values([x.mean(), x.mean(axes: [1, 2]), x.variance()], [x: array])
    #expect(results[0].scalar == 3)
    #expect(results[1].doubles == [3, 3])
    #expect(results[2].scalar == 0)
  }

  /// The sum, 120,000, is infinite in float16; their mean is not.
  @Test func theMeanOfLargeValuesIsTheirMean() throws {
    let x = Tensor.input("x", [3], .float16)
    let array = NDArray(filled: 40000, shape: [3], .float16)
    #expect(try values([x.mean()], [x: array])[0].scalar == 40000)
  }

  @Test(arguments: dtypes) func largeMapsAreNormalised(dtype: DType) throws {
    let shape = [1, 2, 256, 256]
    let count = 2 * 256 * 256
    let array = NDArray(
      rounding: (0..<count).map { Double($0 % 7) + ($0 < count / 2 ? 0 : 10) }, shape: shape, dtype)
    let x = Tensor.input("x", shape.map { Size($0) }, dtype)
    let (mean, variance) = (
      Tensor.parameter("mean", [2], .zeros, .statistic),
      Tensor.parameter("variance", [2], .ones, .statistic)
    )
    let normal = batchNormalized(x, runningMean: mean, runningVariance: variance, weightOfNew: 1)
    let results = try values(
      [
        normal.output.max(), normal.runningMean, normal.runningVariance,
        standardized(x, axes: [2, 3]).min(), x.sum(axes: [0, 1]).mean(),
      ], [x: array])
    #expect(abs(results[0].scalar - 1.5) < 0.02)
    #expect(zip(results[1].doubles, [3, 13]).allSatisfy { abs($0 - $1) < 1e-3 })
    #expect(results[2].dtype == .float32)
    #expect(results[2].doubles.allSatisfy { abs($0 - 4) < 0.01 })
    #expect(abs(results[3].scalar + 1.5) < 0.02)
  }

  @Test(arguments: dtypes) func poolingLargeWindowsIsTheirMean(dtype: DType) throws {
    let x = Tensor.input("x", [1, 1, 257, 257], dtype)
    let array = NDArray(filled: 1, shape: [1, 1, 257, 257], dtype)
    let pooled = averagePool2D(x, window: [256, 256], stride: [1, 1])
    #expect(try values([pooled], [x: array])[0].doubles == [1, 1, 1, 1])
  }

  @Test(arguments: dtypes) func manyAlternativesAreProbabilities(dtype: DType) throws {
    let x = Tensor.input("x", [1, 70_000], dtype)
    let label = Tensor.input("label", [1], .int32)
    let results = try values(
      [softmaxCrossEntropy(x, label), logSumExp(x, axes: [1]), logSoftmax(x).max()],
      [
        x: NDArray(filled: 1, shape: [1, 70_000], dtype), label: NDArray([5 as Int32]),
      ])
    let expected = 11.156
    #expect(abs(results[0].scalar - expected) < 0.04)
    #expect(abs(results[1].scalar - expected - 1) < 0.04)
    #expect(abs(results[2].scalar + expected) < 0.04)
  }

  /// 1 added 5,000 times: float16 alone stays at 2048.
  @Test(arguments: dtypes) func addingAtOnePlaceCounts(dtype: DType) throws {
    let (table, indices) = (
      Tensor.input("table", [2], dtype), Tensor.input("indices", [5000], .int32)
    )
    let ones = Tensor.ones(like: table.gathered(indices))
    let counted = Tensor.zeros(like: table).scatterAdded(indices, ones)
    let cost = table.gathered(indices).cast(to: .float32).sum()
    let gradients = gradient(of: cost, withRespectTo: [table])
    let results = try values(
      [counted] + gradients,
      [
        table: NDArray(zeros: [2], dtype), indices: NDArray(zeros: [5000], .int32),
      ])
    let sum = NDArray(rounding: [5000, 0], shape: [2], dtype)
    #expect(results == [sum, sum])
  }

  @Test(arguments: dtypes) func squaresMayBeLargerThanTheirNorm(dtype: DType) throws {
    let x = Tensor.input("x", [4], dtype)
    let array = NDArray(filled: 300, shape: [4], dtype)
    let norm = try values([totalNorm(of: [x]), normConstrained(x, to: 60)], [x: array])
    #expect(norm[0].scalar == 600)
    #expect(norm[1].doubles == [30, 30, 30, 30])
  }
}
