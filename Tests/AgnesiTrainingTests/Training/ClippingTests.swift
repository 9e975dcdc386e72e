import Agnesi
import AgnesiTraining
import Foundation
import TestSupport
import Testing

private let network = Chain([
  Dense(units: 6, activation: .tanh, name: "body"), Dropout(0.2), Dense(units: 2, name: "head"),
])

private func settings(
  _ optimizer: Optimizer, clip: Double?, epochs: Int = 1, factors: [String: Double]? = nil
) -> TrainingSettings {
  TrainingSettings(
    epochs: epochs, batchSize: 40, seed: 3, optimizer: optimizer, rate: 0.1, schedule: .constant,
    clip: clip.map { .norm($0) } ?? .none, rateFactors: factors)
}

private func trainer(
  _ settings: TrainingSettings, _ network: Chain = network, output: String? = nil
) throws -> Trainer {
  try Trainer(
    network, on: DataSplit(train: SmallData.make(40)), settings: settings, standardization: nil,
    output: output, backend: .cpu)
}

/// Of runs whose gradient is clipped.
@Suite struct ClippingTests {
  private let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  /// Plain descent by hand: of all parameters together one norm, whatever their rates; those that stay
  /// as they are do not count.
  @Test(arguments: [nil, ["head.": 0.5], ["body.": 0.25, "head.bias": 0]] as [[String: Double]?])
  func oneNormOfAllGroups(_ factors: [String: Double]?) throws {
    let limit = 0.01
    // Without draws: samples come in another order here.
    let plain = Chain([
      Dense(units: 6, activation: .tanh, name: "body"), Dense(units: 2, name: "head"),
    ])
    let trainer = try trainer(settings(.sgd, clip: limit, factors: factors), plain)
    func factor(_ name: String) -> Double {
      factors?.first { name.hasPrefix($0.key) }?.value ?? 1
    }
    let before = trainer.graph.values
    let parameters = trainer.graph.output.parameters(.trainable).filter { factor($0.name) > 0 }
    let gradients = Gradients(of: trainer.graph.loss, withRespectTo: parameters)
    let function = try compile(
      [trainer.graph.input, trainer.graph.target], to: gradients.pairs.map(\.gradient), on: .cpu)
    let train = try SmallData.make(40)
    let found = try function(train.inputs, train.targets)
    let norm = gradients.pairs.indices.flatMap { found[$0].doubles }.reduce(0) { $0 + $1 * $1 }
      .squareRoot()
    #expect(norm > 2 * limit)
    _ = try trainer.run()
    let after = trainer.graph.values
    for (index, pair) in gradients.pairs.enumerated() {
      let name = pair.parameter.name
      let (old, new) = (try #require(before[name]), try #require(after[name]))
      let step = 0.1 * factor(name) * limit / norm
      for ((x, y), gradient) in zip(zip(old, new), found[index].doubles) {
        #expect(abs(y - (x - step * gradient)) < 1e-7, "\(name)")
      }
    }
  }

  @Test func aLimitThatIsNotReachedChangesNoBit() throws {
    let (clipped, free) = (
      try trainer(settings(.nesterov(), clip: 1e6, epochs: 3)),
      try trainer(settings(.nesterov(), clip: nil, epochs: 3))
    )
    _ = try clipped.run()
    _ = try free.run()
    #expect(clipped.graph.values == free.graph.values)
  }

  /// Also of a checkpoint of before there was clipping, whose text has no word of it.
  @Test(arguments: [0.01, nil])
  func aResumedRunIsTheSameBits(_ clip: Double?) throws {
    let settings = settings(.adam(), clip: clip, epochs: 6)
    let whole = try trainer(settings)
    let history = try whole.run().history

    let output = folder.path("model.safetensors")
    let broken = try trainer(settings, output: output)
    let interruption = Interruption()
    broken.phaseObserver = { name, _, _ in
      if name == "end of the epoch" { interruption.request() }
    }
    #expect(try broken.run(interruption: interruption).history.count == 1)
    let path = Checkpoint.path(for: output)
    let text = String(decoding: try folder.read("model.checkpoint.safetensors"), as: UTF8.self)
    #expect(text.contains(#"\"clip\":"#) == (clip != nil))
    let resumed = try Trainer(
      resuming: Checkpoint(reading: path), on: DataSplit(train: SmallData.make(40)), output: nil,
      backend: .cpu)
    #expect(resumed.settings.clip == clip)
    let rest = try resumed.run().history
    #expect(rest.map(\.trainingLoss) == history.map(\.trainingLoss))
    #expect(resumed.graph.values == whole.graph.values)
  }

  @Test func defaults() throws {
    let usual = TrainingSettings()
    #expect(usual.optimizer == .nesterov() && usual.schedule == .oneCycle())
    #expect(usual.rate == 0.05 && usual.clip == 2)
    #expect(TrainingSettings(optimizer: .adam()).rate == 0.002)
    let sizes = [1: 10, 180: 10, 540: 10, 1000: 20, 1800: 36, 5000: 100, 55_000: 100]
    for (samples, size) in sizes {
      #expect(TrainingSettings.usualBatchSize(samples: samples) == size, "\(samples)")
    }
    for (batch, clip) in [100: 2, 1000: 2, 25: 1, 1: 0.2] {
      #expect(TrainingSettings.usualClip(batchSize: batch) == clip, "\(batch)")
      #expect(TrainingSettings(batchSize: batch).clip == clip)
      #expect(TrainingSettings(batchSize: batch, clip: .norm(3)).clip == 3)
      #expect(TrainingSettings(batchSize: batch, clip: .none).clip == nil)
    }
    let text = try JSONEncoder().encode(usual)
    #expect(try JSONDecoder().decode(TrainingSettings.self, from: text) == usual)
  }
}
