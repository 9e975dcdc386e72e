import AgnesiArrays
import AgnesiExpressions
import Testing

@Suite struct DropoutTests {
  private let ones = Tensor.ones(like: .input("like", [50, 40]))

  @Test func keepsTheRestAndScalesIt() throws {
    let values = try evaluated(dropout(ones, rate: 0.2)).doubles
    #expect(Set(values).count == 2)
    #expect(values.allSatisfy { $0 == 0 || abs($0 - 1.25) < 1e-6 })
    let dropped = values.count { $0 == 0 }
    // 2000 draws: a deviation of 18, five of them.
    #expect(abs(dropped - 400) < 90)
  }

  @Test func theGradientHasTheSameHoles() throws {
    let x = Tensor.input("x", [50, 40])
    let y = dropout(x, rate: 0.5)
    let gradient = gradient(of: y.sum(), withRespectTo: [x])[0]
    let input = NDArray(filled: 1, shape: [50, 40])
    let values = try evaluated([y, gradient], [x: input])
    #expect(values[0] == values[1])
  }

  @Test func sharedAxesDropWholeMaps() throws {
    let x = Tensor.ones(like: .input("like", [8, 16, 3, 3]))
    let maps = try evaluated(dropout(x, sharedAxes: [2, -1]).sum(axes: [2, 3])).doubles
    #expect(Set(maps) == [0, 18])
    let places = dropout(x, sharedAxes: [1])
    let spread = (places - places.mean(axes: [1], keepingAxes: true))
    #expect(try evaluated(abs(spread).max()).scalar == 0)
  }

  @Test func inferenceAndARateOfZeroAreTheInput() {
    let x = Tensor.input("x", [.batch, 3])
    #expect(dropout(x, rate: 0) == x)
    #expect(dropout(x, rate: 0.9).specialized(for: .inference) == x)
  }

  @Test func namesStandInScopes() {
    let x = Tensor.input("x", [3])
    let y = Scope.named("dense") { dropout(x) }
    #expect(y.composite?.attributes["stream"] == .text("dense.dropout"))
    #expect(y.node.operation as? Composite != dropout(x).node.operation as? Composite)
  }

  @Test func mistakes() {
    let x = Tensor.input("x", [3])
    for (rate, text) in [(1.0, "1.0"), (-0.5, "-0.5"), (.nan, "nan")] {
      #expect(
        dropout(x, rate: rate).failureText == """
          dropout: the rate is in 0..<1, got \(text)
            operand  "x" float32[3]
          """)
    }
    #expect(
      dropout(x, sharedAxes: [1]).failureText == """
        dropout: axis 1 of a tensor of 1 axes
          operand  "x" float32[3]
        """)
  }
}
