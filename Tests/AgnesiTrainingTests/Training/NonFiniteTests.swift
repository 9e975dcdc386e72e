import Agnesi
import AgnesiTraining
import Foundation
import Synchronization
import TestSupport
import Testing

/// NaN and infinity in data and losses: recorded and named, and nothing is lost by them.
@Suite struct NonFiniteTests {
  private let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  /// y = 2 x, with some of the numbers replaced.
  private func line(
    _ count: Int, inputs: [Int: Float] = [:], targets: [Int: Float] = [:]
  ) throws -> DataSet {
    let x = (0..<count).map { Float($0 % 7) / 7 }
    return try DataSet(
      name: "line",
      inputs: NDArray(x.indices.map { inputs[$0] ?? x[$0] }, shape: [count, 1]),
      targets: NDArray(x.indices.map { targets[$0] ?? 2 * x[$0] }, shape: [count, 1]))
  }

  /// The same as two classes.
  private func classes(_ count: Int, inputs: [Int: Float] = [:]) throws -> DataSet {
    try DataSet(
      name: "line", inputs: line(count, inputs: inputs).inputs,
      targets: NDArray((0..<count).map { Int32($0 % 7 / 4) }), classNames: ["low", "high"])
  }

  private func settings(_ epochs: Int) -> TrainingSettings {
    TrainingSettings(
      epochs: epochs, batchSize: 10, seed: 1, optimizer: .momentum(), rate: 0.1,
      schedule: .constant)
  }

  @Test func partsAndSamplesAreNamed() throws {
    let split = DataSplit(
      train: try line(20, inputs: [3: .nan, 5: .infinity]),
      validation: try line(10, targets: [9: -.infinity]), test: try line(10))
    #expect(
      split.nonFiniteNotes == [
        "NaN or infinity in the inputs of 2 of 20 training samples, the first is sample 3",
        "NaN or infinity in the targets of 1 of 10 validation samples, the first is sample 9",
      ])
    let bytes = try DataSet(
      name: "bytes", inputs: NDArray([255, 127] as [UInt8], shape: [2, 1]),
      targets: NDArray([0, 1] as [Int32]))
    #expect(bytes.nonFiniteNotes(part: "test") == [])
  }

  /// Every epoch, because what is validated is never a number; the run goes on and is saved.
  @Test func oneSampleOfTheValidationPart() throws {
    let output = folder.path("model.safetensors")
    let split = DataSplit(
      train: try classes(140), validation: try classes(70, inputs: [41: .nan]))
    let said = Said()
    let trainer = try Trainer(
      Chain([Dense(units: 2)]), on: split, settings: settings(4), standardization: nil,
      output: output, backend: .reference)
    let outcome = try trainer.run(display: said.output)
    #expect(outcome.history.map(\.epoch) == [1, 2, 3, 4])
    #expect(outcome.history.allSatisfy { $0.validationLoss?.isNaN == true })
    let best = try #require(outcome.bestEpoch)
    let accuracies = outcome.history.compactMap(\.validationAccuracy)
    #expect(accuracies[best - 1] == accuracies.max())
    let sentences = said.text.components(separatedBy: "the validation loss is")
    #expect(
      sentences.dropFirst().map { $0.prefix { $0 != "\n" } } == [
        " NaN after epoch 1: NaN or infinity in the inputs of 1 of 70 validation samples, the first "
          + "is sample 41"
      ])

    let saved = try SavedClassifier(reading: output)
    #expect(saved.history.count == best)
    #expect(saved.history.allSatisfy { $0.validationLoss?.isNaN == true })
    var checkpoint = try Checkpoint(reading: Checkpoint.path(for: output))
    #expect(checkpoint.state.history.map(\.validationLoss).allSatisfy { $0?.isNaN == true })
    // Going on is possible, too.
    checkpoint.state.settings.epochs = 5
    let resumed = try Trainer(
      resuming: checkpoint, on: split, output: output, backend: .reference)
    #expect(try resumed.run().history.count == 5)

    var report = TrainingReport(title: "NaN", dataSet: "line")
    report.history = outcome.history
    report.bestEpoch = outcome.bestEpoch
    (report.testError, report.testLoss) = (.nan, .nan)
    let page = report.html
    #expect(!page.contains("\"nan") && !page.contains("=\"-nan"))
  }

  /// A first epoch whose loss is no number must not stay the best one for ever.
  @Test func aFiniteLossIsBetterThanOneThatIsNot() throws {
    let split = DataSplit(train: try line(70), validation: try line(70))
    let graph = TrainingGraph(
      Chain([Dense(units: 1)]), sampleShape: [1], standardization: nil, seed: 0, goal: .values)
    func trainer(_ baseline: Score) throws -> Trainer {
      try Trainer(
        graph, on: split, settings: settings(2), output: nil, baseline: baseline,
        backend: .reference
      ) { _ in Model(functions: [:]) }
    }
    for loss in [Double.nan, .infinity] {
      let outcome = try trainer(Score(loss: loss, accuracy: nil)).run()
      #expect(outcome.bestEpoch != nil)
    }
    #expect(try trainer(Score(loss: 0, accuracy: nil)).run().bestEpoch == nil)
  }

  @Test func ofTrainingDataTheFailureSaysWhere() throws {
    let trainer = try Trainer(
      Chain([Dense(units: 2)]), on: DataSplit(train: try classes(50, inputs: [7: .infinity])),
      settings: settings(1), standardization: nil, output: nil, backend: .reference)
    let text = errorText { _ = try trainer.run() }
    #expect(
      text.contains(
        "\n  data: NaN or infinity in the inputs of 1 of 50 training samples, the first is sample 7\n"
      ), "\(text)")
    #expect(
      text.hasSuffix("1. replace the numbers that are NaN or infinite, or leave these samples out"))
    #expect(!text.contains("rate ten times smaller"))
    #expect(
      errorText { _ = try Standardization(of: classes(50, inputs: [7: .infinity]), per: .channel) }
        == "cannot standardise line: NaN or infinity in the inputs of 1 of 50 samples, the first is "
        + "sample 7; replace the numbers that are NaN or infinite, or leave these samples out")
  }
}

/// Collects what a run displays.
private final class Said: Sendable {
  private let parts = Mutex<[String]>([])
  var text: String { parts.withLock { $0.joined() } }
  var output: ProgressOutput {
    ProgressOutput(
      isTerminal: false, style: .init(usesColour: false, usesUnicode: false), width: { 80 },
      write: { [self] part in parts.withLock { $0.append(part) } })
  }
}
