import AgnesiArrays
import AgnesiExpressions
import AgnesiLayers
import AgnesiModels
import TestSupport
import Testing

/// One example of an operation or composite.
struct ModelCase: Sendable, CustomTestStringConvertible {
  let operation: String
  let example: Example
  var testDescription: String { "\(operation): \(example.title)" }

  static let all =
    Operations.all.flatMap { operation in
      operation.examples.map { ModelCase(operation: operation.name, example: $0) }
    } + CompositeExamples.all.map { ModelCase(operation: $0.name, example: $0.example) }

  var values: [NDArray] {
    example.inputs.enumerated().map { position, input in
      input.array(stream: Philox(seed: UInt64(position), name: example.title))
    }
  }

  /// The example as the only function of a model, `f`.
  var model: Model {
    let inputs = values.enumerated().map { position, array in
      Tensor.input("x\(position)", array.shape.map { Size($0) }, array.dtype)
    }
    let outputs = example.build(inputs).enumerated().map { (name: "y\($0)", tensor: $1) }
    return Model(functions: ["f": .init(inputs: inputs, outputs: outputs)])
  }
}

extension Model {
  /// What the references give for a function's outputs.
  func values(
    _ name: String, _ arrays: [NDArray], sizes: [String: Int] = [:],
    purpose: Purpose = .training
  ) throws -> [NDArray] {
    let function = try #require(functions[name])
    let pairs = zip(function.inputs, arrays).map { ($0, $1) }
    return try referenceValues(
      function.outputs.map(\.tensor).specialized(for: purpose),
      Dictionary(uniqueKeysWithValues: pairs), sizes: sizes, callNumber: 3)
  }

  /// This model after a file.
  func stored(in folder: TemporaryFolder) throws -> Model {
    try write(to: folder.path("model.safetensors"))
    return try Model(reading: folder.path("model.safetensors"))
  }
}

/// What a model is before it is written and after it is read.
@Suite struct RoundTripTests {
  private let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: ModelCase.all) func everyOperationTravels(_ item: ModelCase) throws {
    let (model, values) = (item.model, item.values)
    let read = try model.stored(in: folder)
    let (before, after) = (try model.values("f", values), try read.values("f", values))
    #expect(before.count == after.count)
    for (want, got) in zip(before, after) { #expect(want.isIdentical(to: got)) }
    #expect(read.functions["f"]?.outputs.map(\.name) == model.functions["f"]?.outputs.map(\.name))
  }

  /// What is read can be written again, to the same file.
  @Test(arguments: ModelCase.all) func readingAndWritingKeepsTheBytes(_ item: ModelCase) throws {
    let read = try item.model.stored(in: folder)
    let bytes = try folder.read("model.safetensors")
    _ = try read.stored(in: folder)
    #expect(try folder.read("model.safetensors") == bytes)
  }

  private static func network() -> Model {
    let x = Tensor.input("x", [.batch, 4])
    let logits = Scope.seeded(3) {
      Chain([
        Dense(units: 5, activation: .tanh), BatchNormalization(), Dropout(0.5), Dense(units: 3),
      ])(x)
    }
    return Model(functions: [
      "classify": .init(inputs: [x], outputs: [(name: "logits", tensor: logits)])
    ])
  }

  private static let samples = NDArray(
    rounding: (0..<24).map { Double(($0 * 7) % 11) / 4 - 1 }, shape: [6, 4], .float32)

  @Test func bodiesForInferenceTravel() throws {
    let model = Self.network()
    for parameter in try model.parameters() where parameter.tags.contains(.statistic) {
      try parameter.assign(NDArray(filled: 0.5, shape: parameter.shape))
    }
    let read = try model.stored(in: folder)
    var seen: [NDArray] = []
    for purpose in [Purpose.training, .inference] {
      let want = try model.values("classify", [Self.samples], sizes: ["batch": 6], purpose: purpose)
      let got = try read.values("classify", [Self.samples], sizes: ["batch": 6], purpose: purpose)
      #expect(want[0].isIdentical(to: got[0]))
      seen.append(got[0])
    }
    #expect(seen[0] != seen[1])
  }

  @Test func parametersKeepNamesTagsAndBits() throws {
    let model = Self.network()
    let read = try model.stored(in: folder)
    let (before, after) = (try model.parameters(), try read.parameters())
    #expect(before.map(\.name) == after.map(\.name))
    #expect(before.map(\.tags) == after.map(\.tags))
    for (want, got) in zip(before, after) { #expect(want.value.isIdentical(to: got.value)) }
    #expect(before.count == 7)
  }

  @Test func functionsShareParameters() throws {
    let (noise, image) = (Tensor.input("noise", [.batch, 2]), Tensor.input("image", [.batch, 3]))
    let shared = Tensor.parameter("shared", [2, 3], .normal(mean: 0, deviation: 1))
    let generated = tanh(matmul(noise, shared))
    let judged = sigmoid(matmul(image, shared.transposed()).sum(axes: [1]))
    let model = Model(functions: [
      "generate": .init(inputs: [noise], outputs: [(name: "image", tensor: generated)]),
      "judge": .init(inputs: [image], outputs: [(name: "real", tensor: judged)]),
    ])
    let read = try model.stored(in: folder)
    let parameters = try read.parameters()
    #expect(parameters.map(\.name) == ["shared"])
    try parameters[0].assign(NDArray(filled: 0, shape: [2, 3]))
    let zeros = try read.values(
      "generate", [NDArray(filled: 1, shape: [1, 2])], sizes: ["batch": 1])
    let halves = try read.values("judge", [NDArray(filled: 1, shape: [2, 3])], sizes: ["batch": 2])
    #expect(zeros[0].doubles == [0, 0, 0])
    #expect(halves[0].doubles == [0.5, 0.5])
    #expect(
      read.functions.mapValues { $0.inputs.map(\.name) } == [
        "generate": ["noise"], "judge": ["image"],
      ])
  }

  @Test func furtherParametersAndInformation() throws {
    var model = Self.network()
    let state = try #require(
      Tensor.parameter("momentum", [2], .constant(0.25), .updateState).parameter)
    model.extraParameters = [state]
    model.information = ["notation": "5FC, \"é\"\n", "agnesi.version": "9"]
    let read = try model.stored(in: folder)
    #expect(read.information == ["notation": "5FC, \"é\"\n"])
    #expect(read.extraParameters.map(\.name) == ["momentum"])
    #expect(read.extraParameters[0].value.doubles == [0.25, 0.25])
  }

  @Test func equalModelsAreEqualFiles() throws {
    try Self.network().write(to: folder.path("a"))
    try Self.network().write(to: folder.path("b"))
    #expect(try folder.read("a") == folder.read("b"))
  }
}

/// Writing that fails leaves what was there.
@Suite struct FailedWritingTests {
  private let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func model(_ output: Tensor) -> Model {
    Model(functions: ["f": .init(inputs: [], outputs: [(name: "y", tensor: output)])])
  }

  @Test func twoParametersOfOneName() throws {
    let path = folder.path("model.safetensors")
    try model(.parameter("w", [2])).write(to: path)
    let bytes = try folder.read("model.safetensors")
    let both = Tensor.parameter("w", [2]) + Tensor.parameter("w", [2])
    #expect(
      errorText { try model(both).write(to: path) }
        == "model: two parameters are called \"w\"")
    #expect(try folder.read("model.safetensors") == bytes)
    #expect(folder.names == ["model.safetensors"])
  }

  @Test func mistakeInAnOutput() throws {
    let path = folder.path("model.safetensors")
    let wrong = Tensor.parameter("w", [2]) + Tensor.parameter("v", [3])
    do {
      try model(wrong).write(to: path)
      Issue.record("a mistake was written")
    } catch let error as GraphError {
      #expect(error.operation == "add")
    }
    #expect(folder.names.isEmpty)
  }
}
