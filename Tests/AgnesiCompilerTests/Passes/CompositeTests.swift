import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops
import AgnesiReference
import Testing

private func doubled(_ x: Tensor) -> Tensor {
  Tensor.composite("doubled", [x]) { $0[0] + $0[0] }
}

private func quadrupled(_ x: Tensor) -> Tensor {
  Tensor.composite("quadrupled", [x]) { doubled(doubled($0[0])) }
}

private func both(_ x: Tensor, _ y: Tensor) -> [Tensor] {
  Tensor.composite("both", [x, y], resultCount: 2) { [$0[0] + $0[1], doubled($0[0] - $0[1])] }
}

/// Adds 1 in training and nothing in inference.
private func noisy(_ x: Tensor) -> Tensor {
  Tensor.composite("noisy", [x], inference: { $0[0] }) { $0[0] + 1 }
}

@Suite struct ExpandCompositesTests {
  private let x = Tensor.input("x", [.batch, 2])
  private let y = Tensor.input("y", [.batch, 2])

  @Test func bodiesTakeTheirPlaces() {
    #expect(areEqual(expandComposites([doubled(x) * y])[0], (x + x) * y))
  }

  @Test func nestedOnesToo() {
    #expect(areEqual(expandComposites([quadrupled(x)])[0], (x + x) + (x + x)))
  }

  @Test func severalResultsShareTheirBody() {
    let results = both(exp(x), y)
    let expanded = expandComposites([results[1], results[0]])
    let difference = exp(x) - y
    #expect(areEqual(expanded[0], difference + difference))
    #expect(areEqual(expanded[1], exp(x) + y))
  }

  @Test func whatABackendTakesWholeStays() {
    let kept = expandComposites([quadrupled(x)], keeping: ["doubled"])[0]
    #expect(areEqual(kept, doubled(doubled(x))))
    #expect(expandComposites([quadrupled(x)], keeping: ["quadrupled"])[0].label == "quadrupled")
  }

  @Test func theCompositesLocationIsThatOfItsUse() {
    let use = doubled(x)
    let expanded = expandComposites([use])[0]
    #expect(expanded.node.location.frames.contains { use.node.location.frames.contains($0) })
  }

  @Test func deeplyStackedOnesAreNoProblem() {
    let stack = (0..<3000).reduce(x) { value, _ in doubled(value) }
    let expanded = expandComposites([stack])
    #expect(expanded.topologicalNodes().count == 3001)
  }
}

@Suite struct SpecializationTests {
  private let x = Tensor.input("x", [2])

  private func outer(_ x: Tensor) -> Tensor {
    Tensor.composite("outer", [x]) { exp(noisy($0[0])) }
  }

  @Test func trainingIsWhatWasBuilt() {
    let cost = noisy(x).sum()
    #expect(cost.specialized(for: .training) == cost)
  }

  @Test func inferenceBodiesReplaceThoseOfTraining() {
    #expect(areEqual(exp(noisy(x * 2)).specialized(for: .inference), exp(x * 2)))
    #expect(areEqual(noisy(noisy(x)).specialized(for: .inference), x))
  }

  @Test func insideOtherCompositesToo() {
    #expect(areEqual(outer(x).specialized(for: .inference), exp(x)))
  }

  @Test func othersKeepTheirNames() {
    let after = doubled(noisy(x)).specialized(for: .inference)
    #expect(areEqual(after, doubled(x)))
  }

  @Test func sharedPartsStayShared() {
    let hidden = exp(noisy(x))
    let both = [hidden.sum(), hidden.max()].specialized(for: .inference)
    #expect(both[0].node.operands == both[1].node.operands)
  }

  @Test func runningAveragesTakeThePlaceOfTheBatch() throws {
    let mean = Tensor.parameter("mean", [], .constant(5), .statistic)
    let results = Tensor.composite(
      "centred", [x, mean], inference: { [$0[0] - $0[1], $0[1]] },
      updates: [(operand: 1, result: 1)], resultCount: 2
    ) {
      let batch = $0[0].mean()
      return [$0[0] - batch, $0[1] * 0.5 + batch * 0.5]
    }
    let after = results.specialized(for: .inference)
    #expect(areEqual(after[0], x - mean))
    #expect(after[1] == mean)
    let values = try ReferenceExecutor.run(
      outputs: results + after, inputs: [x: NDArray([Float(1), 3])])
    #expect(values[0].doubles == [-1, 1])
    #expect(values[1].scalar == 3.5)
    #expect(values[2].doubles == [-4, -2])
    #expect(values[3].scalar == 5)
  }
}
