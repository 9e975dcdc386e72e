import Agnesi
import AgnesiTraining
import TestSupport
import Testing

/// A last batch of few samples is computed by the same code in each epoch, so a run that is stopped
/// and resumed repeats the unbroken one where that code is another than for whole batches.
@Suite struct LastBatchTests {
  private let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  struct Case: Sendable, CustomTestStringConvertible {
    var network: String
    var count: Int
    var shape: [Int]
    var classes: Int
    var batch: Int
    var testDescription: String { "\(network), \(count) samples by \(batch)" }
  }

  private static let cases = [
    Case(network: "16FC 3FC", count: 91, shape: [20], classes: 3, batch: 10),
    Case(
      network: "20C5 MP2 50C5 MP2 64FC 10FC", count: 43, shape: [1, 28, 28], classes: 10,
      batch: 20),
    Case(network: "8C3p1 BN MP2 D0.5 4FC", count: 37, shape: [1, 8, 8], classes: 4, batch: 17),
  ]

  private func trainer(_ it: Case, epochs: Int, _ name: String) throws -> Trainer {
    let settings = TrainingSettings(
      epochs: epochs, batchSize: it.batch, seed: 3, optimizer: .adam(), rate: 0.002,
      schedule: .constant)
    return try Trainer(
      Notation.parse(it.network), on: split(it), settings: settings, standardization: nil,
      output: folder.path(name), backend: CPU())
  }

  private func split(_ it: Case) throws -> DataSplit {
    let stream = Philox(seed: 9, name: "samples")
    let values = (0..<(it.count * it.shape.reduce(1, *))).map { index in
      Float(stream.word(UInt64(index))) / 0x1p32
    }
    return DataSplit(
      train: try DataSet(
        name: "samples", inputs: NDArray(values, shape: [it.count] + it.shape),
        targets: NDArray((0..<it.count).map { Int32($0 % it.classes) }),
        classNames: (0..<it.classes).map { "class \($0)" }))
  }

  @Test(arguments: Self.cases, [1, 4])
  func aResumedRunIsTheUnbrokenOne(_ it: Case, stopped: Int) throws {
    let unbroken = try trainer(it, epochs: 5, "whole.safetensors")
    let whole = try unbroken.run()

    _ = try trainer(it, epochs: stopped, "broken.safetensors").run()
    let path = folder.path("broken.safetensors")
    var checkpoint = try Checkpoint(reading: Checkpoint.path(for: path))
    checkpoint.state.settings.epochs = 5
    let resumed = try Trainer(resuming: checkpoint, on: split(it), output: path, backend: CPU())
    let second = try resumed.run()

    #expect(second.history.map(\.trainingLoss) == whole.history.map(\.trainingLoss))
    let values = try resumed.model().parameters()
    for (a, b) in zip(try unbroken.model().parameters(), values) {
      #expect(a.name == b.name && a.value.isIdentical(to: b.value), "\(a.name)")
    }
  }
}
