import AgnesiArrays
import AgnesiExpressions
import Testing

@Suite struct LossTests {
  private let x = Tensor.doubles([0, 1, -3], [3])
  private let t = Tensor.doubles([0.5, 1, 1], [3])

  @Test func ofEachElement() throws {
    #expect(try evaluated(squaredError(x, t)).doubles == [0.25, 0, 16])
    #expect(try evaluated(absoluteError(x, t)).doubles == [0.5, 0, 4])
    #expect(try evaluated(huberLoss(x, t)).doubles == [0.125, 0, 3.5])
    #expect(try evaluated(huberLoss(x, t, delta: 2)).doubles == [0.125, 0, 6])
    #expect(try evaluated(binaryHingeLoss(x, .labels([0, 1, 1]))).doubles == [1, 0, 4])
    #expect(try evaluated(l1Penalty(x)).scalar == 4)
    #expect(try evaluated(l2Penalty(x)).scalar == 10)
    #expect(try evaluated(l2Penalty([x, t])).scalar == 12.25)
    #expect(try evaluated(l1Penalty([])).scalar == 0)
  }

  @Test func huberDoesNotOverflow() throws {
    let far = Tensor.doubles([1e300], [1])
    let loss = huberLoss(far, .constant(0, .float64))
    #expect(try evaluated(loss).doubles == [1e300])
    #expect(try evaluated(gradient(of: loss.sum(), withRespectTo: [far])[0]).doubles == [1])
  }

  @Test func hingeOfManyClasses() throws {
    let scores = Tensor.doubles([1, 3, 2, 5, 0, 0], [2, 3])
    #expect(try evaluated(multiclassHingeLoss(scores, .labels([2, 0]))).doubles == [2, 0])
    #expect(
      try evaluated(multiclassHingeLoss(scores, .labels([1, 0]), delta: 1.5)).doubles == [0.5, 0])
    #expect(try evaluated(multiclassHingeLoss(scores, .labels([3, 0]))).doubles[0].isNaN)
  }

  /// Broadcasting would compare every prediction with every target.
  @Test func aColumnMeetsAVector() throws {
    let column = Tensor.input("x", [.batch, 1])
    let vector = Tensor.input("t", [.batch])
    #expect(squaredError(column, vector).shape == [.batch])
    #expect(squaredError(vector, column).shape == [.batch])
    #expect(sigmoidCrossEntropy(column, vector).shape == [.batch])
    #expect(squaredError(column, column).shape == [.batch, 1])
    #expect(squaredError(column, .constant(1)).shape == [.batch, 1])
    #expect(squaredError(column, .input("n", [.batch], .int32)).dtype == .float32)
  }

  @Test func shapesThatDoNotFit() {
    let scores = Tensor.input("x", [.batch, 10])
    #expect(
      squaredError(scores, .input("t", [.batch])).failureText == """
        squaredError: targets [batch] for predictions [batch, 10]
          predictions  "x" float32[batch, 10]
          targets      "t" float32[batch]
        """)
  }
}
