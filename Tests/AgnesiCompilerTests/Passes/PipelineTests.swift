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

  /// Convolution, normalisation, pooling, dropout, a dense layer and the cost with its gradients.
  private func convolutional() -> (input: Tensor, label: Tensor, outputs: [Tensor]) {
    let input = Tensor.input("input", [.batch, 1, 8, 8])
    let label = Tensor.input("label", [.batch], .int32)
    let kernels = Tensor.parameter("kernels", [3, 1, 3, 3], .heUniform)
    let scale = Tensor.parameter("scale", [3], .ones)
    let mean = Tensor.parameter("mean", [3], .zeros, .statistic)
    let variance = Tensor.parameter("variance", [3], .ones, .statistic)
    let weights = Tensor.parameter("weights", [27, 4], .glorotUniform)
    let normalized = batchNormalized(
      convolution2D(input, kernels), scale: scale, runningMean: mean, runningVariance: variance)
    let pooled = maxPool2D(relu(normalized.output), window: [2, 2])
    let dense = matmul(dropout(pooled).flattened(from: 1), weights)
    let cost = crossEntropy(softmax(dense), label).mean() + 0.01 * l2Penalty([weights])
    let gradients = gradient(of: cost, withRespectTo: [kernels, scale, weights])
    return (input, label, [cost, normalized.runningMean, normalized.runningVariance] + gradients)
  }

  @Test func everyLevelComputesTheSameNetwork() throws {
    let (input, label, outputs) = convolutional()
    let values = [
      input: Example.Input([6, 1, 8, 8]).array(stream: Philox(seed: 1, name: "input")),
      label: NDArray([Int32(0), 1, 2, 3, 3, 1]),
    ]
    func run(_ tensors: [Tensor]) throws -> [NDArray] {
      try ReferenceExecutor.run(
        outputs: tensors, inputs: values, sizes: ["batch": 6], callNumber: 3)
    }
    let expected = try run(outputs)
    for level in RewriteLevel.allCases {
      let rewritten = try Pipeline(level: level, isVerifying: true).apply(to: outputs)
      for (a, b) in zip(expected, try run(rewritten)) { #expect(difference(a, b) <= 64) }
    }
    let inference = try run(outputs.prefix(1).map { $0.specialized(for: .inference) })
    #expect(inference[0].scalar.isFinite && inference[0] != expected[0])
  }

  @Test func aNetworkIsRewrittenOnce() throws {
    let once = try Pipeline().apply(to: convolutional().outputs)
    var log = RewriteLog()
    _ = try Pipeline().apply(to: once, log: &log)
    #expect(log.firings.isEmpty, "\(log)")
    #expect(once.topologicalNodes().allSatisfy { !($0.operation is Composite) })
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

  // MARK: Switches

  private func names(_ pipeline: Pipeline) -> [String] { pipeline.passes.map(\.name) }

  @Test func levelsAreListsOfPasses() {
    #expect(names(Pipeline(level: .none)) == ["expand composites", "name random streams"])
    #expect(
      names(Pipeline(level: .fast)) == [
        "merge", "canonicalise", "stabilise", "expand composites", "name random streams", "merge",
        "scale kernels", "ReLU", "pooling before ReLU",
      ])
  }

  @Test func passesAndRulesAreLeftOutByName() throws {
    let pipeline = Pipeline(excluding: ["simplify", "scale kernels", "plus a negative"])
    #expect(!names(pipeline).contains("simplify") && !names(pipeline).contains("scale kernels"))
    let rules = pipeline.passes.flatMap(\.rules).map(\.name)
    #expect(!rules.contains("plus a negative") && rules.contains("minus a negative"))
    let other = Tensor.input("other", [.batch, 6])
    #expect(try pipeline.apply(to: [image + -other])[0].label == "add")
    #expect(try Pipeline().apply(to: [image + -other])[0].label == "subtract")
  }

  /// Without them no backend could run the program.
  @Test func whatEveryProgramNeedsStays() {
    let pipeline = Pipeline(level: .none, excluding: ["expand composites", "name random streams"])
    #expect(names(pipeline) == ["expand composites", "name random streams"])
  }

  @Test func passesAndRulesRunBeyondTheirLevelByName() throws {
    #expect(names(Pipeline(level: .none, including: ["fold constants"])).contains("fold constants"))
    let one = Pipeline(level: .none, including: ["times one"])
    #expect(one.passes.flatMap(\.rules).map(\.name) == ["times one", "times one", "times one"])
    #expect(try one.apply(to: [image * 1]) == [image])
  }

  @Test func aPassOfABackendComesLastAndKnowsSizes() throws {
    let pass = Pass("doubling", from: .fast) { roots, context in
      roots.map { $0 * Double(context.expectedSizes["batch"] ?? 0) }
    }
    let pipeline = Pipeline(level: .fast, backend: [pass])
    #expect(names(pipeline).last == "doubling")
    // Once for each function it does not run.
    #expect(try pipeline.apply(to: [image]) == [image])
    var records: [PassRecord] = []
    let laidOut = pipeline.laidOut([image], expecting: ["batch": 3], records: &records)
    #expect(areEqual(laidOut[0], image * 3))
    #expect(records.map(\.pass) == ["doubling"] && records[0].nodes.after > records[0].nodes.before)
  }

  @Test func recordsSayWhatPassesDid() throws {
    let function = try compile([image], to: [image * 1 + 0], on: .reference)
    let record = try #require(function.passes.first { $0.pass == "simplify" })
    #expect(record.rules == ["times one": 1, "plus zero": 1])
    #expect(record.nodes.before > record.nodes.after && record.nodes.after == 1)
    #expect(record.seconds > 0)
    #expect(record.description.hasPrefix("simplify: 7 → 1 nodes, "), "\(record)")
    #expect(record.description.hasSuffix("; 1 × plus zero, 1 × times one"), "\(record)")
  }

  @Test func aNameThatNothingHasIsAnError() {
    let error = #expect(throws: FunctionError.self) {
      try compile([image], to: [image * 2], options: .init(excluding: ["simplfy"]), on: .reference)
    }
    #expect(
      error?.description
        == "compile: no pass or rule is called \"simplfy\"\n  hint: did you mean simplify?")
  }

  @Test func aFailedOutputIsThrown() {
    let wrong = matmul(image, b)
    #expect(throws: GraphError.self) { try Pipeline().apply(to: [wrong]) }
  }
}
