import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops
import Testing

@Suite struct FoldConstantsTests {
  private func folded(_ tensor: Tensor) -> Tensor { foldConstants([tensor])[0] }

  @Test func formulasOfConstantsBecomeConstants() {
    let sum = Tensor.constant(NDArray([Float(1), 2, 3])) + .constant(NDArray([Float(3), 2, 1]))
    #expect(folded(sum).constant == NDArray([Float(4), 4, 4]))
    #expect(folded(exp(sum - sum).sum()).constant == NDArray(scalar: Float(3)))
  }

  @Test func notANumberAndInfinityStay() {
    let quotient = Tensor.constant(0) / Tensor.constant(0)
    #expect(folded(quotient).constant?.scalar.isNaN == true)
    #expect(folded(Tensor.constant(-1) / 0).constant?.scalar == -.infinity)
  }

  @Test func resultsAreRoundedToTheirDtype() {
    let third = Tensor.constant(1, .float16) / 3
    #expect(folded(third).constant?.scalar == 0.333251953125)
    let whole = Tensor.constant(250, .uint8) + 10
    #expect(folded(whole).constant?.dtype == .uint8)
    #expect(folded(whole).constant?.scalar == 4)
  }

  @Test func numbersThatWereBroadcastStayBroadcasts() {
    let wide = exp(Tensor.filled(0, [1000, 1000]))
    let result = folded(wide)
    #expect(
      result.listing() == """
        %0 = constant 1 : float32[]
        %1 = broadcast(%0, shape: [1000, 1000]) : float32[1000, 1000]
        return %1
        """)
    let symbolic = folded(Tensor.filled(2, [.batch, 3]) * 3)
    #expect(
      symbolic.listing() == """
        %0 = constant 6 : float32[]
        %1 = broadcast(%0, shape: [batch, 3]) : float32[batch, 3]
        return %1
        """)
  }

  @Test func largeResultsStayFormulas() {
    let column = Tensor.constant(NDArray(zeros: [100, 1]))
    let row = Tensor.constant(NDArray(zeros: [1, 100]))
    #expect(folded(matmul(column, row)).label == "matmul")
    #expect(foldConstants([matmul(column, row)], limit: 10_000)[0].label == "constant")
    #expect(folded(Tensor.range(10) + 1).label == "add")
  }

  @Test func whatDependsOnOthersStays() {
    let x = Tensor.input("x", [])
    let w = Tensor.parameter("w", [])
    #expect(folded(x + 1).label == "add")
    #expect(folded(w + 1).label == "add")
    #expect(folded(Tensor.callNumber + 1).label == "add")
  }
}
