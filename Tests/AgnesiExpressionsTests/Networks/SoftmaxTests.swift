import AgnesiArrays
import AgnesiExpressions
import Testing

@Suite struct SoftmaxTests {
  @Test func ofThreeScores() throws {
    let result = try evaluated(softmax(.doubles([0, ln(2), ln(5)], [3]))).doubles
    for (value, expected) in zip(result, [0.125, 0.25, 0.625]) {
      #expect(abs(value - expected) < 1e-15)
    }
  }

  @Test func scoresOfAnySize() throws {
    let x = Tensor.constant(NDArray([Float(1000), -1000, 0, -1000, -1000, -1000], shape: [2, 3]))
    let p = try evaluated(softmax(x)).doubles
    #expect(p[0..<3] == [1, 0, 0])
    for value in p[3...] { #expect(abs(value - 1.0 / 3) < 1e-7) }
    let logarithms = try evaluated(logSoftmax(x)).doubles
    #expect(logarithms[0..<3] == [0, -2000, -1000])
    let gradient = gradient(of: square(logSoftmax(x)).sum(), withRespectTo: [x])[0]
    #expect(try evaluated(gradient).doubles.allSatisfy { $0.isFinite })
  }

  @Test func alongAnyAxis() throws {
    let x = Tensor.doubles((0..<24).map { Double($0 * $0 % 7) }, [2, 3, 4])
    for axis in [0, 1, 2, -1, -3] {
      let sums = try evaluated(softmax(x, axis: axis).sum(axes: [axis])).doubles
      #expect(sums.allSatisfy { abs($0 - 1) < 1e-14 })
      let difference = abs(log(softmax(x, axis: axis)) - logSoftmax(x, axis: axis)).max()
      #expect(try evaluated(difference).scalar < 1e-14)
    }
  }

  @Test func logSumExpOfInfinities() throws {
    let x = Tensor.doubles([-.infinity, -.infinity, .infinity, 0, 1000, 1000, 1, .nan], [4, 2])
    let y = logSumExp(x, axes: [1])
    let values = try evaluated(y).doubles
    #expect(values[0] == -.infinity)
    #expect(values[1] == .infinity)
    #expect(abs(values[2] - (1000 + ln(2))) < 1e-12)
    #expect(values[3].isNaN)
    let gradients = try evaluated(gradient(of: y.sum(), withRespectTo: [x])[0]).doubles
    #expect(gradients[0..<2] == [0, 0])
    #expect(abs(gradients[4] - 0.5) < 1e-12)
  }

  @Test func logSumExpOfNothing() throws {
    let x = Tensor.doubles([], [2, 0])
    #expect(try evaluated(logSumExp(x, axes: [1])).doubles == [-.infinity, -.infinity])
    #expect(logSumExp(x, axes: [1], keepingAxes: true).shape == [2, 1])
  }

  @Test func mistakes() {
    let x = Tensor.input("x", [.batch, 10])
    #expect(
      softmax(x, axis: 2).failureText == """
        softmax: axis 2 of a tensor of 2 axes
          operand  "x" float32[batch, 10]
        """)
    #expect(
      logSoftmax(.input("n", [3], .int64)).failureText == """
        logSoftmax: needs a floating operand, got int64
          operand  "n" int64[3]
          hint: convert it with cast(to: .float32)
        """)
    #expect(
      logSumExp(x, axes: [-3]).failureText == """
        logSumExp: axis -3 of a tensor of 2 axes
          operand  "x" float32[batch, 10]
        """)
  }
}
