import Agnesi
import ArgumentParser
import Foundation

/// A run of `agnesi transfer`: its phases, and what is said of them.
struct TransferJob {
  let training: PhotoTraining
  let command: TransferCommand
  let console: Console
  /// When the command began.
  let start: Date

  func run() throws {
    training.observer = { [console] progress in
      switch progress {
      case .photos(let done, let count): console.progress("\(done) of \(count) photos")
      case .begins(let text):
        console.endLine()
        console.note(text)
      }
    }
    let message = "stopping after this step; press Ctrl-C once more to end at once"
    let wasStopped = try Interruption.whileHandling(message: message) { try run($0) }
    if !wasStopped, let report = command.report {
      try TransferReport(job: self).write(to: report)
      if !command.json { print("report in \(report)") }
    }
    try end()
    if wasStopped {
      if training.phases.last?.name == "everything" {
        let checkpoint = Checkpoint.path(for: command.modelFile)
        console.note("stopped; go on with the same command and --resume \(checkpoint)")
      } else {
        console.note("stopped; all that was learned is in \(command.modelFile)")
      }
      throw ExitCode(130)
    }
  }

  /// - Returns: whether somebody stopped it.
  private func run(_ interruption: Interruption) throws -> Bool {
    do {
      if !command.fromScratch, command.resume == nil {
        try training.trainHead(interruption: interruption)
        try phaseEnded(2)
      }
      if training.settings.epochs > 0, !interruption.isRequested {
        try trainEverything(interruption)
        try phaseEnded(1)
      }
      return interruption.isRequested
    } catch let failure as LossFailure {
      let saved =
        training.evaluation == nil ? "" : "\n  the best so far is in \(command.modelFile)"
      throw CommandFailure(message: "\(failure)\(saved)")
    } catch let stopped as StoppedTransfer {
      console.endLine()
      guard training.evaluation != nil else {
        console.note(
          command.resume.map { "stopped; \($0) is as it was" } ?? stopped.description)
        throw ExitCode(130)
      }
      return true
    }
  }

  private func trainEverything(_ interruption: Interruption) throws {
    let display: ProgressOutput = command.json ? .none : .standardError()
    let (path, information) = (command.modelFile, try information())
    if let checkpoint = command.resume {
      try training.resume(
        checkpoint, output: path, information: information, interruption: interruption,
        display: display)
    } else {
      try training.trainEverything(
        output: path, information: information, interruption: interruption, display: display)
    }
  }

  /// Saves what was learned, and says what the last `count` phases led to.
  private func phaseEnded(_ count: Int) throws {
    console.endLine()
    try training.model(information: try information()).write(to: command.modelFile)
    for phase in training.phases.suffix(count) {
      if command.json {
        for record in phase.history { try line(EpochLine(phase: phase.name, record)) }
        try line(PhaseLine(phase))
      } else if let evaluation = phase.evaluation {
        let kept = phase.bestEpoch == nil ? ", not better than before, so not kept" : ""
        console.note("\(phase.name): \(text(evaluation)), \(text(phase.seconds))\(kept)")
      } else {
        console.note("\(phase.name): \(text(phase.seconds))")
      }
    }
  }

  private func information() throws -> [String: String] {
    ["transfer": try jsonLine(training.settings), "transferred from": command.network.model]
  }

  private func end() throws {
    for failure in training.failures { console.note(String(describing: failure.error)) }
    guard let evaluation = training.evaluation else { return }
    if command.json {
      try line(
        LastLine(
          accuracy: evaluation.accuracy, classes: training.classNames, loss: evaluation.loss,
          model: command.modelFile, seconds: seconds, training: training.training.count,
          validation: evaluation.count))
    } else {
      print("validation accuracy \(text(evaluation))")
      print("model saved in \(command.modelFile), \(text(seconds)) in all")
    }
  }

  var seconds: Double { Date().timeIntervalSince(start) }

  private func text(_ seconds: Double) -> String { String(format: "%.1f s", seconds) }

  private func text(_ evaluation: Evaluation) -> String {
    String(format: "%.2f %%", evaluation.accuracy * 100)
      + " (\(evaluation.errorCount) of \(evaluation.count) wrong)"
  }

  // MARK: - JSON

  private func line(_ value: some Encodable) throws {
    try printNow(jsonLine(value))
  }

  private struct EpochLine: Encodable {
    var phase: String
    var epoch: Int
    var accuracy: Double?
    var loss: Double?
    var trainingLoss: Double

    init(phase: String, _ record: EpochRecord) {
      self.phase = phase
      epoch = record.epoch
      accuracy = record.validationAccuracy
      loss = record.validationLoss
      trainingLoss = record.trainingLoss
    }
  }

  private struct PhaseLine: Encodable {
    var phase: String
    var accuracy: Double?
    var bestEpoch: Int?
    var seconds: Double

    init(_ phase: PhotoTraining.Phase) {
      self.phase = phase.name
      accuracy = phase.evaluation?.accuracy
      bestEpoch = phase.bestEpoch
      seconds = phase.seconds
    }
  }

  private struct LastLine: Encodable {
    var accuracy: Double
    var classes: [String]
    var loss: Double
    var model: String
    var seconds: Double
    var training: Int
    var validation: Int
  }
}
