import Agnesi
import Foundation

/// The report of a transferred network.
struct TransferReport {
  let job: TransferJob
  /// On the test part, where there is one.
  let test: PictureEvaluation?
  let wasStopped: Bool
  /// What ended it before its time.
  var failure: LossFailure?

  /// Mistakes shown, and the pixels of their shorter side.
  private static let mistakeCount = 24
  private static let mistakeSize = 112

  func write(to path: String) throws {
    try AtomicFile.write(Array(page().html.utf8), to: path)
  }

  private func page() throws -> TrainingReport {
    let (training, command) = (job.training, job.command)
    let settings = training.settings
    let names = training.classNames.joined(separator: ", ")
    var report = TrainingReport(
      title: command.fromScratch
        ? "A network from scratch" : "\(command.network.model), transferred",
      dataSet: "\(command.folder): \(names)")
    report.command = training.requests["command"] ?? repeatableCommand
    report.settings = [
      .init("cut behind", settings.layer), .init("seed", String(settings.seed)),
      .init("training photos", String(training.training.count)),
      .init("validation photos", String(training.validation.count)),
    ]
    if !command.fromScratch {
      report.settings.append(.init("head: epochs", String(settings.headEpochs)))
    }
    if settings.epochs > 0 {
      report.settings += [
        .init("everything: epochs", String(settings.epochs)),
        .init("everything: batch", String(settings.batchSize)),
        .init("everything: rate of the new end", NumberText.plain(settings.rate)),
        .init("everything: rate of the other layers", NumberText.plain(settings.bodyRate)),
        .init("everything: augmentation", settings.augmentation == nil ? "none" : "usual"),
      ]
    }
    report.machine = .current(threads: CPU.threads)
    report.timing = .init(total: job.seconds)
    let shown = training.phases.last { !$0.history.isEmpty }
    report.history = shown?.history ?? []
    report.phase = shown?.name
    report.bestEpoch = shown?.bestEpoch
    report.classNames = training.classNames
    report.modelFile = command.modelFile
    report.judgedPart = test == nil ? "validation" : "test"
    report.validationCount = training.validation.count
    report.notes = notes(shown)
    if let evaluation = test?.result ?? training.evaluation {
      report.notes += [
        BinomialInterval.warning(
          mistakes: evaluation.errorCount, of: evaluation.count, "\(report.judgedPart) photos")
      ].compactMap { $0 }
      report.testError = evaluation.error
      report.testLoss = evaluation.loss
      report.confusion = try evaluation.confusion(classCount: training.classNames.count)
      report.mistakes = mistakes(evaluation)
    }
    return report
  }

  private func notes(_ shown: PhotoTraining.Phase?) -> [String] {
    var notes = wasStopped ? ["Training was stopped; this is what it led to until then."] : []
    if let failure { notes.append("Training ended before its last epoch: \(failure.headline).") }
    notes += job.training.phases.map { phase in
      let time = String(format: "%.1f s", phase.seconds)
      guard let evaluation = phase.evaluation else { return "Phase “\(phase.name)”: \(time)." }
      let accuracy = String(format: "%.2f %%", evaluation.accuracy * 100)
      return "Phase “\(phase.name)”: \(time), then \(accuracy) of the validation photos right "
        + "(\(evaluation.accuracyInterval.text))."
    }
    if shown?.name == "everything", shown?.bestEpoch == nil {
      notes.append("No epoch of it was better than before, so the network from before is kept.")
    }
    if !job.training.failures.isEmpty {
      notes.append("\(job.training.failures.count) files could not be read.")
    }
    return notes
  }

  /// Those that the evaluation is of, in its order.
  private var judgedPhotos: [PictureFolder.Photo] {
    guard let test else { return job.training.validation }
    let broken = Set(test.failures.map(\.path))
    return (job.folder.test ?? []).filter { !broken.contains($0.path) }
  }

  /// The photos themselves, read again: while training they were only numbers.
  private func mistakes(_ evaluation: Evaluation) -> [TrainingReport.Mistake] {
    let photos = judgedPhotos
    return evaluation.worstMistakes(Self.mistakeCount).compactMap { index in
      guard photos.indices.contains(index),
        let photo = try? Picture(reading: photos[index].path)
      else { return nil }
      let small = photo.resized(shortSide: Self.mistakeSize)
      return TrainingReport.Mistake(
        image: small.centerCropped(width: Self.mistakeSize, height: Self.mistakeSize).planes,
        actual: evaluation.labels[index], predicted: evaluation.predictions[index],
        probability: evaluation.confidences[index], index: index,
        name: job.folder.relativePath(photos[index]))
    }
  }
}
