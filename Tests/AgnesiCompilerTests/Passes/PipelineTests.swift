import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops
import AgnesiReference
import Testing

@Suite struct PipelineTests {
  private let image = Tensor.input("image", [.batch, 6])
  private let w = Tensor.parameter("w", [6, 3], .glorotUniform)
  private let b = Tensor.parameter("b", [3], .constant(0.5))

  /// A layer, a squared cost and its gradients.
  private func network() -> [Tensor] {
    let error = matmul(image, w) + b
    let cost = (error * error).mean()
    return [cost] + gradient(of: cost, withRespectTo: [w, b])
  }

  @Test func everyLevelComputesTheSame() throws {
    let outputs = network()
    let input = Example.Input([5, 6]).array(stream: Philox(seed: 1, name: "image"))
    func run(_ tensors: [Tensor]) throws -> [NDArray] {
      try ReferenceExecutor.run(outputs: tensors, inputs: [image: input], sizes: ["batch": 5])
    }
    let expected = try run(outputs)
    for level in RewriteLevel.allCases {
      let rewritten = try Pipeline(level: level, isVerifying: true).apply(to: outputs)
      #expect(rewritten.map(\.type) == outputs.map(\.type))
      for (a, b) in zip(expected, try run(rewritten)) { #expect(difference(a, b) <= 16) }
    }
  }

  @Test func twiceIsAsOnce() throws {
    let once = try Pipeline().apply(to: network())
    var log = RewriteLog()
    let twice = try Pipeline().apply(to: once, log: &log)
    #expect(log.firings.isEmpty, "\(log)")
    #expect(zip(once, twice).allSatisfy { areEqual($0, $1) })
  }

  @Test func theFullLevelLeavesNoMoreNodesThanTheFast() throws {
    let outputs = network()
    let counts = try RewriteLevel.allCases.map {
      try Pipeline(level: $0).apply(to: outputs).topologicalNodes().count
    }
    #expect(counts[2] <= counts[1] && counts[1] <= counts[0], "\(counts)")
  }

  @Test func aFailedOutputIsThrown() {
    let wrong = matmul(image, b)
    #expect(throws: GraphError.self) { try Pipeline().apply(to: [wrong]) }
  }
}
