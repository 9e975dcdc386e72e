import AgnesiArrays
import AgnesiFormats
import TestSupport
import Testing

/// Which of a checkpoint's dictionaries is read as the weights.
@Suite struct CheckpointTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder(inMemory: true) }

  private static let weights: [(name: String, array: NDArray)] = [
    ("fc.weight", Fixtures.ramp([2, 3])), ("fc.bias", Fixtures.ramp([2])),
  ]
  private static let average: [(name: String, array: NDArray)] = [
    ("fc.weight", Fixtures.ramp([2, 3], first: 5)), ("fc.bias", Fixtures.ramp([2], first: 5)),
  ]
  private static let adam = TorchCheckpoint.adam([[2, 3], [2]])

  private func file(_ entries: [(key: String, value: TorchCheckpoint)]) throws -> String {
    try folder.write(TorchCheckpoint.dictionary(entries).bytes, to: "checkpoint.pth")
  }

  private func expectWeights(_ file: WeightFile, _ note: String = "") {
    #expect(file.arrays.map(\.name) == Self.weights.map(\.name), "\(note)")
    #expect(file.arrays.map(\.array) == Self.weights.map(\.array), "\(note)")
  }

  @Test(arguments: [
    "state_dict", "model", "model_state_dict", "net", "network", "weights", "params", "ema",
    "model_ema", "state_dict_ema", "module", "generator", "anything",
  ]) func weightsBesideAnOptimisersState(key: String) throws {
    let weights = TorchCheckpoint.tensors(Self.weights)
    for optimiser in ["optimizer", "optimizer_state_dict", "optim", "model_optimizer", "opt_state"]
    {
      let path = try file([
        (optimiser, Self.adam), ("epoch", .number(3)), (key, weights),
        ("lr_scheduler", .tensors([("a", Fixtures.ramp([3])), ("b", Fixtures.ramp([3]))])),
        ("loss", .tensor(NDArray(scalar: Float(2)))),
      ])
      let read = try WeightFile(reading: path)
      expectWeights(read, optimiser)
      #expect(read.texts[WeightFile.otherArrays]?.contains("\(optimiser)/state/0/exp_avg") == true)
    }
  }

  /// Averages of gradients under the weights' own names and in their shapes.
  @Test func statesInTheWeightsShapesAreNoWeights() throws {
    let path = try file([
      ("exp_avg", .tensors(Self.average)), ("gradients", .tensors(Self.average)),
      ("rng_state", .tensors([("cpu", Fixtures.ramp([100])), ("gpu", Fixtures.ramp([100]))])),
      ("mine", .tensors(Self.weights)),
    ])
    expectWeights(try WeightFile(reading: path))
    expectWeights(try WeightFile(reading: path) { $0.count })
  }

  @Test func nestedCheckpoints() throws {
    let inner = TorchCheckpoint.dictionary([
      ("state_dict", .tensors(Self.weights)), ("optimizer_states", .list([Self.adam])),
      ("hyper_parameters", .dictionary([("depth", .number(2)), ("name", .text("a"))])),
      ("callbacks", .dictionary([("best", .tensor(NDArray(scalar: Float(1))))])),
    ])
    expectWeights(try WeightFile(reading: try file([("checkpoint", inner)])))
  }

  @Test func severalAreListed() throws {
    let path = try file([
      ("model", .tensors(Self.weights)), ("ema", .tensors(Self.average)), ("optimizer", Self.adam),
    ])
    #expect(
      problem(path, as: "a file of PyTorch") == """
        which of its dictionaries holds the weights is not certain: it has
          "model": 2 tensors, "fc.weight" [2, 3], "fc.bias" [2]
          "ema": 2 tensors, "fc.weight" [2, 3], "fc.bias" [2]
          hint: name one behind the file's name: FILE#model
        """)
    expectWeights(try WeightFile(reading: path, key: "model"))
    expectWeights(try WeightFile(reading: path + "#model"))
    #expect(try WeightFile(reading: path + "#ema").arrays.map(\.array) == Self.average.map(\.array))
    #expect(
      try WeightFile(reading: path, key: "optimizer/state/1").arrays.map(\.name)
        == ["step", "exp_avg", "exp_avg_sq"])
    #expect(
      errorText { _ = try WeightFile(reading: path + "#teacher") } == """
        cannot read \(path) as a file of PyTorch: it has no dictionary "teacher"; its dictionaries are
          "model": 2 tensors, "fc.weight" [2, 3], "fc.bias" [2]
          "ema": 2 tensors, "fc.weight" [2, 3], "fc.bias" [2]
          "optimizer/state/0": 3 tensors, "step" [], "exp_avg" [2, 3], …
          "optimizer/state/1": 3 tensors, "step" [], "exp_avg" [2], …
        """)
  }

  @Test func whatFitsIsTaken() throws {
    let other = Self.average.map { (name: "conv." + $0.name, array: $0.array) }
    let path = try file([
      ("discriminator", .tensors(other)), ("generator", .tensors(Self.weights)),
    ])
    expectWeights(
      try WeightFile(reading: path) { arrays in arrays.count { $0.name == "fc.weight" } })
    // Body and head in dictionaries of their own.
    let parts = try file([
      ("body", .tensors([Self.weights[0]])), ("head", .tensors([Self.weights[1]])),
      ("optimizer", Self.adam),
    ])
    let read = try WeightFile(reading: parts) { $0.count }
    #expect(read.arrays.map(\.name) == ["body.fc.weight", "head.fc.bias"])
  }

  @Test func filesWithoutDictionariesHavePrefixes() throws {
    let arrays =
      Self.weights.map { (name: "model.\($0.name)", array: $0.array) }
      + Self.average.map { (name: "ema/\($0.name)", array: $0.array) }
    let path = folder.path("a.safetensors")
    try SafetensorsFile(tensors: arrays).write(to: path)
    expectWeights(try WeightFile(reading: path, key: "model"))
    expectWeights(try WeightFile(reading: path + "#model"))
    #expect(try WeightFile(reading: path + "#ema").arrays.map(\.array) == Self.average.map(\.array))
    #expect(
      errorText { _ = try WeightFile(reading: path + "#net") }
        == "cannot read \(path) as weights: no array's name begins with \"net\" and a dot or /; the names begin "
        + "with \"ema\", \"model\"")
    // In PyTorch's files, too, where the one dictionary holds both.
    let flat = try folder.write(TorchCheckpoint.tensors(arrays).bytes, to: "flat.pth")
    expectWeights(try WeightFile(reading: flat + "#model"))
  }

  @Test func aNumberSignInAFilesNameIsOne() throws {
    let path = try folder.write(TorchCheckpoint.tensors(Self.weights).bytes, to: "run#2.pth")
    expectWeights(try WeightFile(reading: path))
  }
}
