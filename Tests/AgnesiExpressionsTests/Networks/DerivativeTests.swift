import AgnesiExpressions
import AgnesiLoops
import TestSupport
import Testing

/// Composites by their examples: first and second derivatives against differences, since their rules
/// are written by hand.
@Suite struct CompositeDerivativeTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let example: Example
    var testDescription: String { "\(name): \(example.title)" }
  }

  static let cases: [Case] = CompositeExamples.all.map { Case(name: $0.name, example: $0.example) }

  @Test(arguments: cases) func agreesWithDifferences(_ item: Case) throws {
    guard item.example.isDifferentiable else { return }
    let prepared = PreparedExample(item.example)
    let differences = CentralDifferences(inputs: prepared.inputs, values: prepared.values)
    // Squares, so that second derivatives depend on the gradients that arrive.
    try differences.check(prepared.outputs.map { $0 * $0 + $0 * 0.3 })
    guard item.example.isSmooth else { return }
    try differences.checkSecond(prepared.outputs.map { $0 * $0 + $0 * 0.3 })
  }

  @Test(arguments: cases) func isBuiltWithoutMistakes(_ item: Case) {
    for output in PreparedExample(item.example).outputs { #expect(output.failure == nil) }
  }

  /// Second derivatives of max pooling, where only values decide which element is taken.
  @Test(arguments: MaxPool.examples.filter(\.isDifferentiable).map(\.title))
  func maximaHaveSecondDerivatives(_ title: String) throws {
    let example = try #require(MaxPool.examples.first { $0.title == title })
    let prepared = PreparedExample(example)
    let differences = CentralDifferences(inputs: prepared.inputs, values: prepared.values)
    try differences.checkSecond(prepared.outputs.map { $0 * $0 * $0 })
  }
}
