import AgnesiExpressions
import Testing

/// Where a mistake is said to be.
@Suite struct SourceLocationTests {
  /// The lines that stand behind file names in a text.
  private func places(_ text: String) -> [String] {
    text.matches(of: #/SourceLocationTests\.swift:(\d+)/#).map { String($0.output.1) }
  }

  @Test func operandsAndOperationNameTheirLines() {
    let first = #line + 1
    let a = Tensor.input("a", [2, 3])
    let b = Tensor.input("b", [4, 3])
    let product = matmul(a, b)
    let text = product.failure?.text(withLocations: true) ?? ""
    #expect(places(text).prefix(3) == ["\(first)", "\(first + 1)", "\(first + 2)"])
    #expect(text.contains("built at SourceLocationTests.swift:\(first + 2)"))
  }

  @Test func operatorsHaveLocationsToo() {
    let (a, b) = (Tensor.input("a", [2]), Tensor.input("b", [3]))
    let line = #line + 1
    let text = (a + b).failure?.text(withLocations: true) ?? ""
    #expect(text.contains("built at SourceLocationTests.swift:\(line)"))
  }

  @Test func callersAreNamed() {
    let line = #line + 1
    let text = layer(Tensor.input("x", [5])).failure?.text(withLocations: true) ?? ""
    #expect(text.contains("called from SourceLocationTests.swift:\(line)"), "\(text)")
  }

  private func layer(_ x: Tensor) -> Tensor {
    matmul(x, x)
  }

  @Test func aGradientIsWhereItsOperationWasWritten() {
    let x = Tensor.input("x", [3])
    let line = #line + 1
    let y = sin(x)
    let gradient = gradient(of: y.sum(), withRespectTo: [x])[0]
    #expect(gradient.node.location.description.hasPrefix("SourceLocationTests.swift:\(line):"))
  }
}
