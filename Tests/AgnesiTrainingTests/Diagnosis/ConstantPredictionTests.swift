import Agnesi
import AgnesiTraining
import TestSupport
import Testing

private func split(scale: Double = 1) throws -> DataSplit {
  DataSplit(
    train: try SmallData.make(80, seed: 1, scale: scale),
    validation: try SmallData.make(60, seed: 2, scale: scale),
    test: try SmallData.make(50, seed: 3, scale: scale))
}

private func trainer(
  _ split: DataSplit, rate: Double, clip: Double?, epochs: Int = 4
) throws -> Trainer {
  let settings = TrainingSettings(
    epochs: epochs, batchSize: 20, seed: 3, optimizer: .sgd, rate: rate, schedule: .constant,
    clip: clip.map { .norm($0) } ?? .none)
  return try Trainer(
    Chain([Dense(units: 6, activation: .relu), Dense(units: 2)]), on: split, settings: settings,
    standardization: nil, output: nil, backend: .cpu)
}

/// Of networks that say the same of every sample.
@Suite struct ConstantPredictionTests {
  @Test func ofPredictions() {
    func constant(_ predictions: [Int], _ labels: [Int]) -> Int? {
      var evaluation = Evaluation()
      (evaluation.predictions, evaluation.labels) = (predictions, labels)
      return evaluation.constantPrediction
    }
    #expect(constant([2, 2, 2], [0, 1, 2]) == 2)
    #expect(constant([2, 2, 1], [0, 1, 2]) == nil)
    // All samples are of one class, so there is one right answer.
    #expect(constant([2, 2, 2], [2, 2, 2]) == nil)
    #expect(constant([2, 2, 2], [1, 1, 1]) == nil)
    #expect(constant([], []) == nil)
  }

  /// Inputs that say nothing.
  @Test func zeroInputs() throws {
    let split = try split(scale: 0)
    let trainer = try trainer(split, rate: 0.05, clip: 1)
    let outcome = try trainer.run()
    let found = try #require(outcome.constantPrediction)
    #expect(found.part == "validation" && found.count == 60 && found.sinceEpoch == 1)
    #expect(found.className == ["low", "high"][found.label])
    #expect(outcome.history.allSatisfy { $0.constantPrediction != nil })
    #expect(
      found.description == """
        from epoch 1 on the network takes all 60 validation samples for class \
        "\(found.className)": try a learning rate ten times smaller, 0.005 instead of 0.05, and \
        see whether the inputs differ
        """)
    let test = try trainer.evaluate(try #require(split.test))
    let ofTest = try #require(trainer.constantPrediction(outcome, test: test))
    #expect(
      ofTest.description == """
        the model takes all 50 test samples for class "\(ofTest.className)": try a learning rate \
        ten times smaller, 0.005 instead of 0.05, and see whether the inputs differ
        """)
    #expect(
      ConstantPrediction(test, part: "test", classNames: [])?.description
        == "the model takes all 50 test samples for class \"\(ofTest.label)\"")
  }

  /// Steps so large that no unit answers any more; the same with clipping and a usual rate learns.
  @Test func collapse() throws {
    let split = try split()
    let collapsed = try trainer(split, rate: 10, clip: nil)
    let outcome = try collapsed.run()
    let found = try #require(outcome.constantPrediction)
    #expect(
      found.description.hasSuffix(
        ": try a learning rate ten times smaller, 1 instead of 10, clip the norm of the gradients "
          + "(--clip 1), and see whether the inputs differ"))
    let sound = try trainer(split, rate: 0.2, clip: 1, epochs: 20)
    let learned = try sound.run()
    #expect(learned.constantPrediction == nil)
    #expect(learned.history.last?.constantPrediction == nil)
    let test = try sound.evaluate(try #require(split.test))
    #expect(test.constantPrediction == nil && test.error < 0.3)
    #expect(sound.constantPrediction(learned, test: test) == nil)
    // A model that was good before the collapse is kept; the end is said all the same.
    #expect(collapsed.constantPrediction(outcome, test: test) == found)
  }
}
