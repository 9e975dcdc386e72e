import Agnesi
import AgnesiTraining
import Foundation
import TestSupport
import Testing

/// Points around two centres.
private func points(_ count: Int, seed: UInt64) throws -> DataSet {
  let stream = Philox(seed: seed, name: "points")
  func unit(_ index: Int) -> Double { Double(stream.word(UInt64(index))) / 0x1p32 - 0.5 }
  let values = (0..<count).flatMap { index in
    let centre = index % 2 == 0 ? -1.0 : 1.0
    return [centre + unit(2 * index), 0.5 * centre + unit(2 * index + 1)]
  }
  return try DataSet(
    name: "points", inputs: NDArray(rounding: values, shape: [count, 2], .float32),
    targets: NDArray((0..<count).map { Int32($0 % 2) }), classNames: ["left", "right"])
}

private let network = Chain([
  Dense(units: 8, activation: .tanh), Dropout(0.2), Dense(units: 2),
])

private func settings(epochs: Int) -> TrainingSettings {
  TrainingSettings(
    epochs: epochs, batchSize: 16, seed: 5, optimizer: .momentum(), rate: 0.05,
    schedule: .constant)
}

private func trainer(_ split: DataSplit, epochs: Int, output: String? = nil) throws -> Trainer {
  try Trainer(
    network, on: split, settings: settings(epochs: epochs),
    standardization: try Standardization(of: points(200, seed: 1), per: .feature), output: output,
    data: ["name": "points"], backend: .cpu)
}

extension Trainer {
  fileprivate func values() throws -> [String: NDArray] {
    let parameters = try model().parameters()
    return Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0.value) })
  }
}

private func split() throws -> DataSplit {
  DataSplit(
    train: try points(200, seed: 1), validation: try points(60, seed: 2),
    test: try points(100, seed: 3))
}

@Suite struct TrainerTests {
  private let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  @Test func learnsTwoClouds() throws {
    let split = try split()
    let trainer = try trainer(split, epochs: 12)
    let test = try #require(split.test)
    let before = try trainer.evaluate(test)
    let outcome = try trainer.run()
    let after = try trainer.evaluate(test)
    #expect(after.error < 0.05)
    #expect(after.loss < before.loss / 2)
    #expect(outcome.history.map(\.epoch) == Array(1...12))
    #expect(!outcome.wasInterrupted)
    #expect(outcome.history[11].trainingLoss < outcome.history[0].trainingLoss)
    #expect(trainer.timing.samples == 12 * 200)
  }

  /// Between two batches of the evaluation, which the run that goes on repeats.
  @Test func anEvaluationThatIsStopped() throws {
    let whole = try trainer(split(), epochs: 2)
    _ = try whole.run()
    let path = folder.path("stopped.safetensors")
    let first = try trainer(split(), epochs: 2, output: path)
    let interruption = Interruption()
    // 13 batches, and the evaluation comes behind the last.
    var waits = 0
    first.phaseObserver = { name, _, _ in
      waits += name == "wait for a batch" ? 1 : 0
      if waits == 13 { interruption.request() }
    }
    let outcome = try first.run(interruption: interruption)
    #expect(outcome.wasInterrupted && outcome.history.isEmpty)
    #expect(!FileManager.default.fileExists(atPath: path))
    let checkpoint = try Checkpoint(reading: Checkpoint.path(for: path))
    #expect(checkpoint.state.epoch == 0 && checkpoint.state.batch == 13)
    let second = try Trainer(resuming: checkpoint, on: split(), output: path, backend: .cpu)
    #expect(second.timing.before == checkpoint.seconds && checkpoint.seconds > 0)
    #expect(try second.run().history.map(\.epoch) == [1, 2])
    let expected = try whole.values()
    for (name, value) in try second.values() {
      #expect(expected[name].map { $0.isIdentical(to: value) } == true, "\(name)")
    }
    let last = try Checkpoint(reading: Checkpoint.path(for: path))
    #expect(last.seconds > checkpoint.seconds)
  }

  /// Large networks are evaluated in small batches, because who stops an evaluation waits for one.
  @Test func batchesOfAnEvaluation() throws {
    let small = try points(600, seed: 1)
    #expect(Evaluator.batchSize(for: small, work: 1000) == 500)
    #expect(Evaluator.batchSize(for: small, work: 160_000_000) == 25)
    #expect(Evaluator.batchSize(for: small, work: .max) == 1)
    let image = Tensor.input("image", [.batch, 1, 8, 8])
    let output = try Notation.parse("4C3p1 3FC")(image)
    #expect(Evaluator.work(of: output, for: image) == 4 * 9 * 64 + 3 * 4 * 64)
  }

  @Test func twoRunsAreTheSameBits() throws {
    let (first, second) = (try trainer(split(), epochs: 3), try trainer(split(), epochs: 3))
    _ = try first.run()
    _ = try second.run()
    let (a, b) = (try first.values(), try second.values())
    #expect(a.count == 4)
    for (name, value) in a { #expect(b[name].map { $0.isIdentical(to: value) } == true) }
  }

  @Test func aResumedRunIsTheSameBits() throws {
    let unbroken = try trainer(split(), epochs: 60)
    let whole = try unbroken.run()

    let output = folder.path("model.safetensors")
    let broken = try trainer(split(), epochs: 60, output: output)
    let interruption = Interruption()
    let watcher = Thread {
      while !FileManager.default.fileExists(atPath: output) { usleep(200) }
      interruption.request()
    }
    watcher.start()
    let first = try broken.run(interruption: interruption)
    #expect(first.wasInterrupted)
    #expect(first.history.count < 60)
    let checkpoint = try Checkpoint(reading: Checkpoint.path(for: output))
    let resumed = try Trainer(
      resuming: checkpoint, on: split(), output: output, backend: .cpu)
    let second = try resumed.run()

    #expect(second.history.map(\.trainingLoss) == whole.history.map(\.trainingLoss))
    #expect(second.history.map(\.validationLoss) == whole.history.map(\.validationLoss))
    #expect(second.bestEpoch == whole.bestEpoch)
    let (a, b) = (try unbroken.values(), try resumed.values())
    for (name, value) in a { #expect(b[name].map { $0.isIdentical(to: value) } == true, "\(name)") }
  }

  /// What a run chose goes on after the measurements that it followed have changed.
  @Test func aResumedRunChoosesAsBefore() throws {
    let stream = Philox(seed: 4, name: "pictures")
    let pixels = (0..<(24 * 256)).map { Float(stream.word(UInt64($0))) / 0x1p32 }
    let pictures = DataSplit(
      train: try DataSet(
        name: "pictures", inputs: NDArray(pixels, shape: [24, 1, 16, 16]),
        targets: NDArray((0..<24).map { Int32($0 % 2) }), classNames: ["left", "right"]))
    let network = try Notation.parse("64C3p1 64C3p1 MP4 2FC")
    let path = folder.path("model.safetensors")
    func trainer(_ epochs: Int, on backend: CPU) throws -> Trainer {
      try Trainer(
        network, on: pictures, settings: settings(epochs: epochs), standardization: nil,
        output: path, backend: backend)
    }
    let first = CPU(table: ConvolutionTable())
    let whole = try trainer(2, on: first)
    _ = try whole.run()
    let expected = try whole.values()
    let machine = ConvolutionTable.Machine.current(threads: CPU.threads)
    var changed = ConvolutionTable()
    for (key, algorithm) in first.choices.made {
      let isDirect = algorithm == "direct"
      changed[machine][key] = .init(direct: isDirect ? 2 : 1, winograd: isDirect ? 1 : 2)
    }

    _ = try trainer(1, on: CPU(table: ConvolutionTable())).run()
    var checkpoint = try Checkpoint(reading: Checkpoint.path(for: path))
    checkpoint.state.settings.epochs = 2
    let choices = try #require(checkpoint.state.choices)
    #expect(choices.made.isEmpty == !ConvolutionProblem.hasWinograd)
    let resumed = try Trainer(
      resuming: checkpoint, on: pictures, output: path, backend: CPU(table: changed))
    _ = try resumed.run()
    for (name, value) in try resumed.values() {
      #expect(expected[name].map { $0.isIdentical(to: value) } == true, "\(name)")
    }
    // Without them, where there is anything to choose, other bits come out.
    guard choices.made.values.contains("winograd") else { return }
    checkpoint.state.choices = nil
    let other = try Trainer(
      resuming: checkpoint, on: pictures, output: path, backend: CPU(table: changed))
    _ = try other.run()
    let values = try other.values()
    #expect(!expected.allSatisfy { name, value in values[name]?.isIdentical(to: value) == true })
  }

  @Test func dataThatAreNoNumbers() throws {
    var split = try split()
    var inputs = split.train.inputs.doubles
    inputs[77] = .nan
    split.train = try DataSet(
      name: "points", inputs: NDArray(rounding: inputs, shape: [200, 2], .float32),
      targets: split.train.targets, classNames: ["left", "right"])
    let trainer = try trainer(split, epochs: 3, output: folder.path("model.safetensors"))
    let before = try trainer.values()
    do {
      _ = try trainer.run()
      Issue.record("NaN was not noticed")
    } catch let failure as LossFailure {
      #expect(failure.reason == .notANumber)
      #expect(failure.epoch == 1)
      #expect(failure.loss.isNaN)
      #expect("\(failure)".hasPrefix("the loss became NaN at step \(failure.step) (epoch 1)\n"))
    }
    for (name, value) in try trainer.values() {
      #expect(before[name].map { $0.isIdentical(to: value) } == true, "\(name)")
    }
    let checkpoint = try Checkpoint(reading: Checkpoint.path(for: folder.path("model.safetensors")))
    #expect(checkpoint.state.epoch == 0)
    for (name, value) in before {
      #expect(checkpoint.parameters[name].map { $0.isIdentical(to: value) } == true, "\(name)")
    }
  }

  @Test func mistakesInWhatIsAskedFor() throws {
    let split = try split()
    func text(_ network: Chain, _ settings: TrainingSettings) -> String {
      errorText {
        _ = try Trainer(
          network, on: split, settings: settings, standardization: nil, output: nil,
          backend: .reference)
      }
    }
    #expect(
      text(network, settings(epochs: 0)) == "train: epochs is 0, it must be at least 1")
    #expect(
      text(Chain([Dense(units: 3)]), settings(epochs: 1)) == """
        train: the network's output is float32[batch, 3], the data have 2 classes
          hint: the last layer must have 2 units, as in 2FC
        """)
    try SafetensorsFile(tensors: [], metadata: [:]).write(to: folder.path("other"))
    #expect(
      errorText { _ = try Checkpoint(reading: folder.path("other")) } == """
        train: \(folder.path("other")) is not a checkpoint of a training run
          hint: a checkpoint's name ends in .checkpoint.safetensors
        """)
  }
}

@Suite struct SavedClassifierTests {
  @Test func roundTrip() throws {
    let folder = try TemporaryFolder()
    let split = try split()
    let trainer = try trainer(split, epochs: 2)
    _ = try trainer.run()
    let path = folder.path("model.safetensors")
    try trainer.model().write(to: path)
    let saved = try SavedClassifier(reading: path)
    #expect(saved.classNames == ["left", "right"])
    #expect(saved.network == network)
    #expect(saved.sampleShape == [2])
    #expect(saved.history.map(\.epoch) == [1, 2])
    #expect(saved.data == ["name": "points"])
    #expect(saved.scaling == .identity)
    #expect(saved.notation == (try Notation.text(of: network)))
    let test = try #require(split.test)
    let evaluator = try Evaluator(
      image: saved.image, probabilities: saved.probabilities, on: .cpu)
    let (want, got) = (try trainer.evaluate(test), try evaluator(test))
    #expect(got.predictions == want.predictions)
    #expect(got.lossSum == want.lossSum)
  }

  @Test func otherModelsAreNone() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("model.safetensors")
    try Model(functions: [:]).write(to: path)
    #expect(
      errorText { _ = try SavedClassifier(reading: path) }
        == "model \(path): the model holds no classifier")
  }
}

@Suite struct StandardizationInGraphTests {
  @Test(arguments: Standardization.Grain.allCases)
  func theSameAsOnArrays(_ grain: Standardization.Grain) throws {
    let values = NDArray(
      rounding: (0..<120).map { Double(($0 * 37) % 101) / 10 - 3 }, shape: [5, 2, 3, 4], .float32)
    let standardization = try Standardization(of: values, per: grain)
    let graph = TrainingGraph(
      Chain([]), sampleShape: [2, 3, 4], standardization: standardization, seed: 0)
    let got = try compile([graph.input], to: [graph.output], on: .reference)(values)[0]
    #expect(difference(try standardization.applied(to: values), got, ulps: 4) == nil)
  }
}
