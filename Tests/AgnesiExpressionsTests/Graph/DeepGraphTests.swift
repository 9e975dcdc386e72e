import AgnesiArrays
import AgnesiExpressions
import TestSupport
import Testing

/// Graphs much deeper than the stack.
@Suite struct DeepGraphTests {
  private func chain(_ x: Tensor, _ count: Int) -> Tensor {
    // Sites of so many nodes are not wanted here.
    AgnesiExpressions.SourceLocation.$inherited.withValue(
      AgnesiExpressions.SourceLocation.capture()
    ) {
      (0..<count).reduce(x) { tensor, _ in -tensor }
    }
  }

  @Test func aLongChainIsReleased() {
    weak var first: Node?
    do {
      let x = Tensor.input("x", [2])
      first = x.node
      let end = chain(x, 200_000)
      #expect(end.type == x.type)
      #expect(first != nil)
    }
    #expect(first == nil)
  }

  @Test func aLongChainIsWalkedAndDifferentiated() throws {
    let x = Tensor.input("x", [2], .float64)
    let end = chain(x, 20_001)
    #expect([end].topologicalNodes().count == 20_002)
    let gradient = gradient(of: end.sum(), withRespectTo: [x])[0]
    let values = try referenceValues(
      [end, gradient], [x: NDArray(rounding: [3, 4], shape: [2], .float64)])
    #expect(values.map(\.doubles) == [[-3, -4], [-1, -1]])
  }

  @Test func aLongChainIsRebuilt() {
    let (x, y) = (Tensor.input("x", [2]), Tensor.input("y", [2]))
    let moved = chain(x, 50_000).replacing([x: y])
    #expect(moved.inputs == [y])
  }
}
