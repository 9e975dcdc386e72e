import Agnesi
import AgnesiTraining
import Foundation
import TestSupport
import Testing

private let network = Chain([
  Dense(units: 6, activation: .tanh, name: "body"), BatchNormalization(name: "norm"),
  Dense(units: 2, name: "head"),
])

private func settings(
  _ optimizer: Optimizer, epochs: Int = 1, patience: Int? = nil, factors: [String: Double]? = nil
) -> TrainingSettings {
  TrainingSettings(
    epochs: epochs, batchSize: 40, seed: 3, optimizer: optimizer, rate: 0.1, schedule: .constant,
    patience: patience, rateFactors: factors)
}

@Suite struct TrainingSettingsTests {
  private func trainer(_ settings: TrainingSettings, _ split: DataSplit) throws -> Trainer {
    try Trainer(
      network, on: split, settings: settings, standardization: nil, output: nil, backend: .cpu)
  }

  /// Of one step of plain descent, by hand.
  @Test func twoRates() throws {
    let train = try SmallData.make(40, seed: 1)
    let trainer = try trainer(
      settings(.sgd, factors: ["": 0.1, "head.": 1, "norm.scale": 0]), DataSplit(train: train))
    let before = trainer.graph.values
    let parameters = trainer.graph.output.parameters(.trainable)
    let gradients = Gradients(of: trainer.graph.loss, withRespectTo: parameters)
    let function = try compile(
      [trainer.graph.input, trainer.graph.target], to: gradients.pairs.map(\.gradient), on: .cpu)
    let found = try function(train.inputs, train.targets)
    _ = try trainer.run()
    let after = trainer.graph.values
    let factors = [
      "body.weight": 0.1, "norm.scale": 0, "norm.offset": 0.1, "head.weight": 1, "head.bias": 1,
    ]
    #expect(Set(gradients.pairs.map(\.parameter.name)) == Set(factors.keys))
    for (index, pair) in gradients.pairs.enumerated() {
      let name = pair.parameter.name
      let (old, new) = (try #require(before[name]), try #require(after[name]))
      let rate = 0.1 * (factors[name] ?? 0)
      let expected = zip(old, found[index].doubles).map { $0 - rate * $1 }
      #expect(zip(new, expected).allSatisfy { abs($0 - $1) < 1e-6 }, "\(name)")
      #expect((new == old) == (rate == 0), "\(name)")
    }
    // The layer learns, so its averages follow.
    #expect(after["norm.runningMean"] != before["norm.runningMean"])
  }

  @Test func twoRatesOfAdam() throws {
    let split = DataSplit(train: try SmallData.make(40, seed: 1))
    // Adam's first step is the rate, whatever the gradient.
    let trainer = try trainer(settings(.adam(), factors: ["": 0.01, "head.": 1]), split)
    let before = trainer.graph.values
    _ = try trainer.run()
    for (name, new) in trainer.graph.values where !name.contains("running") {
      let rate = name.hasPrefix("head.") ? 0.1 : 0.001
      let old = try #require(before[name])
      for (a, b) in zip(new, old) { #expect(abs(abs(a - b) - rate) < 0.02 * rate, "\(name)") }
    }
  }

  @Test func frozenParametersKeepTheirBits() throws {
    let split = DataSplit(
      train: try SmallData.make(80, seed: 1), validation: try SmallData.make(40, seed: 2))
    let trainer = try trainer(
      settings(.adam(), epochs: 5, factors: ["": 0, "head.": 1]), split)
    let before = trainer.graph.values
    _ = try trainer.run()
    for (name, new) in trainer.graph.values {
      #expect((new == before[name]) == !name.hasPrefix("head."), "\(name)")
    }
  }

  @Test func equalFactorsChangeNothing() throws {
    let split = DataSplit(train: try SmallData.make(80, seed: 1))
    let (plain, factored) = (
      try trainer(settings(.momentum(), epochs: 3), split),
      try trainer(settings(.momentum(), epochs: 3, factors: ["body.": 1]), split)
    )
    _ = try plain.run()
    _ = try factored.run()
    #expect(plain.graph.values == factored.graph.values)
  }

  @Test func stopsWhenNothingGetsBetter() throws {
    let split = DataSplit(
      train: try SmallData.make(80, seed: 1, hasRandomLabels: true),
      validation: try SmallData.make(60, seed: 2, hasRandomLabels: true))
    let trainer = try trainer(settings(.adam(), epochs: 200, patience: 3), split)
    let outcome = try trainer.run()
    let best = try #require(outcome.bestEpoch)
    #expect(outcome.stoppedEarly)
    #expect(outcome.history.count == best + 3)
    #expect(outcome.history.count < 200)
    try trainer.useBest()
    let score = try trainer.score(try #require(split.validation))
    #expect(score.accuracy == outcome.history[best - 1].validationAccuracy)
  }

  @Test func settingsOfBeforeAreRead() throws {
    let text = #"""
      {"batchSize":50,"epochs":2,"optimizer":{"sgd":{}},"rate":0.1,"schedule":{"constant":{}},
      "seed":3,"weightPenalty":0}
      """#
    let read = try JSONDecoder().decode(TrainingSettings.self, from: Data(text.utf8))
    #expect(read.patience == nil && read.rateFactors == nil && read.augmentation == nil)
    #expect(read.clip == nil)
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let written = String(decoding: try encoder.encode(read), as: UTF8.self)
    #expect(written == text.filter { !$0.isWhitespace })
  }

  @Test func mistakes() throws {
    let split = DataSplit(train: try SmallData.make(40, seed: 1))
    func text(_ settings: TrainingSettings) -> String {
      errorText { _ = try trainer(settings, split) }
    }
    #expect(
      text(settings(.sgd, patience: 0)) == "train: the patience is 0, it must be at least 1")
    for clip in [0, -1, .infinity, .nan] {
      var settings = settings(.sgd)
      settings.clip = clip
      #expect(
        text(settings)
          == "train: the gradient is clipped to a norm of \(clip), it must be positive")
    }
    #expect(
      text(settings(.sgd, factors: ["head.": -1]))
        == "train: the rate's factor for \"head.\" is -1.0, it must not be negative")
  }
}
