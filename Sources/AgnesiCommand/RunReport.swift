import Agnesi
import Foundation

/// The report of a training run.
struct RunReport {
  let trainer: Trainer
  let network: Chain
  let split: DataSplit
  let outcome: Trainer.Outcome
  let judged: TrainingJob.Judgement?
  let output: String
  /// Why it ended before its last epoch, where it did.
  var ending: String?

  /// Mistakes shown.
  private static let mistakeCount = 24

  func write(to path: String) throws {
    try AtomicFile.write(Array(page().html.utf8), to: path)
  }

  private func page() throws -> TrainingReport {
    let settings = trainer.settings
    var report = TrainingReport(
      title: "Training on \(split.train.name)", dataSet: split.train.name)
    report.notation = try? Notation.text(of: network)
    report.command = trainer.requests["command"] ?? repeatableCommand
    report.layers = layers()
    report.settings = [
      .init("epochs", String(settings.epochs)), .init("batch", String(settings.batchSize)),
      .init("optimiser", settings.optimizer.name),
      .init("largest rate", NumberText.plain(settings.rate)),
      .init("schedule", settings.schedule.name),
      .init("largest gradient norm", settings.clip.map(NumberText.plain) ?? "any"),
      .init("seed", String(settings.seed)),
      .init("training samples", String(split.train.count)),
      .init("validation samples", String(split.validation?.count ?? 0)),
    ]
    report.machine = .current(threads: CPU.threads)
    report.timing = timing()
    report.history = outcome.history
    report.bestEpoch = outcome.bestEpoch
    report.classNames = split.train.classNames
    report.modelFile = output
    report.firstLayer = firstLayer()
    let constant = trainer.constantPrediction(
      outcome, test: judged?.evaluation, part: judged?.part ?? "test")
    report.notes =
      [ending].compactMap { $0 } + split.notes + split.labelWarnings + split.nonFiniteNotes
      + [constant?.description].compactMap { $0 }
    report.validationCount = split.validation?.count
    if let judged {
      let test = judged.evaluation
      report.judgedPart = judged.part
      report.notes += [
        BinomialInterval.warning(
          mistakes: test.errorCount, of: test.count, "\(judged.part) samples")
      ].compactMap { $0 }
      report.testError = test.error
      report.testLoss = test.loss
      report.confusion = try test.confusion(classCount: split.train.classCount)
      report.mistakes = mistakes(judged)
    }
    return report
  }

  private func layers() -> [TrainingReport.Layer] {
    let summary = Summary(network, input: split.train.sampleShape.map { Size($0) })
    return summary.rows.map { row in
      TrainingReport.Layer(
        name: row.layer, outputShape: row.outputShape.compactMap(\.known),
        parameters: row.parameterCount, multiplyAdds: row.multiplyAdds?.known,
        receptiveField: row.receptiveField)
    }
  }

  private func timing() -> TrainingReport.Timing {
    let timing = trainer.timing
    return TrainingReport.Timing(
      total: timing.before + timing.total, firstStep: timing.firstStep,
      samplesPerSecond: timing.total > 0 ? Double(timing.samples) / timing.total : nil)
  }

  /// The first parameter that looks at the input itself.
  private func firstLayer() -> FirstLayer? {
    let weights = trainer.graph.output.parameters(.regularizable)
    guard let first = weights.first?.parameter, first.shape.count == 2 || first.shape.count == 4
    else { return nil }
    return FirstLayer(weights: first.value, inputShape: split.train.sampleShape)
  }

  private func mistakes(_ judged: TrainingJob.Judgement) -> [TrainingReport.Mistake] {
    let (data, test) = (judged.data, judged.evaluation)
    return test.worstMistakes(Self.mistakeCount).map { index in
      TrainingReport.Mistake(
        image: data.inputs[rows: index..<(index + 1)].reshaped(data.sampleShape),
        actual: test.labels[index], predicted: test.predictions[index],
        probability: test.confidences[index], index: index,
        name: data.sampleNames.isEmpty ? nil : data.sampleNames[index])
    }
  }
}
