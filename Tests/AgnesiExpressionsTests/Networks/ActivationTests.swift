import AgnesiArrays
import AgnesiExpressions
import Testing

@Suite struct ActivationTests {
  private let x = Tensor.doubles([-2, -0.5, 0, 0.5, 2], [5])

  private func near(_ tensor: Tensor, _ expected: [Double], _ tolerance: Double = 1e-12) throws
    -> Bool
  {
    let values = try evaluated(tensor).doubles
    return values.count == expected.count
      && zip(values, expected).allSatisfy { abs($0 - $1) <= tolerance }
  }

  @Test func rectifiers() throws {
    #expect(try near(relu(x), [0, 0, 0, 0.5, 2]))
    #expect(try near(leakyReLU(x, slope: 0.1), [-0.2, -0.05, 0, 0.5, 2]))
    // Values of exp(−2) − 1 and exp(−½) − 1.
    let (far, close) = (-0.864_664_716_763_387_3, -0.393_469_340_287_366_6)
    #expect(try near(elu(x), [far, close, 0, 0.5, 2]))
    #expect(try near(elu(x, alpha: 2), [2 * far, 2 * close, 0, 0.5, 2]))
    let (scale, alpha) = (1.050_700_987_355_480_5, 1.673_263_242_354_377_2)
    #expect(
      try near(
        selu(x), [scale * alpha * far, scale * alpha * close, 0, scale * 0.5, scale * 2], 1e-9))
  }

  @Test func theGradientOfReLUAtZeroIsZero() throws {
    let derivative = gradient(of: relu(x).sum(), withRespectTo: [x])[0]
    #expect(try evaluated(derivative).doubles == [0, 0, 0, 1, 1])
    let leaky = gradient(of: leakyReLU(x, slope: 0.1).sum(), withRespectTo: [x])[0]
    #expect(try evaluated(leaky).doubles == [0.1, 0.1, 0.1, 1, 1])
  }

  @Test func reluOfWholeNumbersAndNaN() throws {
    let whole = Tensor.constant(NDArray([Int32(-3), 4]))
    let result = try evaluated(relu(whole))
    #expect(result.dtype == .int32)
    #expect(result.doubles == [0, 4])
    #expect(try evaluated(relu(.doubles([.nan], [1]))).doubles[0].isNaN)
  }

  /// Where eˣ is infinite, the gradient of the other branch must not be 0 · ∞.
  @Test func gradientsOfEluAreFinite() throws {
    let large = Tensor.doubles([1000, -1000], [2])
    for y in [elu(large), selu(large)] {
      let gradients = try evaluated(gradient(of: y.sum(), withRespectTo: [large])[0]).doubles
      #expect(gradients[0] >= 1)
      #expect(gradients[1] == 0)
    }
  }

  @Test func sigmoids() throws {
    #expect(try near(softsign(x), [-2.0 / 3, -1.0 / 3, 0, 1.0 / 3, 2.0 / 3]))
    #expect(try near(hardSigmoid(x), [0.1, 0.4, 0.5, 0.6, 0.9]))
    #expect(try near(hardSigmoid(.doubles([-9, 9], [2])), [0, 1]))
    // x · Φ(x) from tables of Φ: Φ(½) = 0.6914624613, Φ(2) = 0.9772498681.
    let (half, two) = (0.691_462_461_274_013, 0.977_249_868_051_820_8)
    #expect(
      try near(gelu(x), [-2 * (1 - two), -0.5 * (1 - half), 0, 0.5 * half, 2 * two], 1e-12))
    // The left tail is small, not 0.
    #expect(try evaluated(gelu(.doubles([-10], [1]))).doubles[0] < 0)
  }

  @Test func integersAreNoActivations() {
    let whole = Tensor.input("n", [3], .int32)
    #expect(
      elu(whole).failureText == """
        elu: needs a floating operand, got int32
          operand  "n" int32[3]
          hint: convert it with cast(to: .float32)
        """)
    #expect(elu(elu(whole)).failureText == elu(whole).failureText)
  }
}
