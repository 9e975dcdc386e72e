import AgnesiExpressions
import Testing

/// First and second derivatives of every network operation and composite against differences.
@Suite struct NetworkDerivativeTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let example: Example
    var testDescription: String { "\(name): \(example.title)" }
  }

  static let operations: [any Operation.Type] = [
    ConvolutionForward.self, ConvolutionToInput.self, ConvolutionToKernels.self, MaxPool.self,
    MaxPoolTaken.self, MaxPoolToInput.self, SumPool.self, SumPoolToInput.self,
  ]

  static let cases: [Case] =
    operations.flatMap { operation in
      operation.examples.map { Case(name: operation.name, example: $0) }
    } + CompositeExamples.all.map { Case(name: $0.name, example: $0.example) }

  @Test(arguments: cases) func agreesWithDifferences(_ item: Case) throws {
    guard item.example.isDifferentiable else { return }
    try PreparedExample(item.example).checkGradient(second: item.example.isSmooth)
  }

  @Test(arguments: cases) func isBuiltWithoutMistakes(_ item: Case) {
    for output in PreparedExample(item.example).outputs { #expect(output.failure == nil) }
  }
}
