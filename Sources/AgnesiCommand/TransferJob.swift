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
  /// The photos, of which the test part is looked at in the end.
  let folder: PictureFolder
  /// What the run was asked for when it began.
  let requests: [String: String]
  /// What the run took before it was stopped, where it goes on.
  let secondsBefore: Double

  func run() throws {
    training.observer = { [console] progress in
      switch progress {
      case .photos(let done, let count): console.progress("\(done) of \(count) photos")
      case .begins(let text), .warning(let text):
        console.endLine()
        console.note(text)
      }
    }
    let wasStopped = try runPhases()
    // Stopped or not, what was learned so far has its report.
    let test =
      wasStopped
      ? nil
      : try Interruption.whileHandling(
        message: "", endingWith: "stopped; the model is in \(command.modelFile)", after: 0
      ) { _ in try judgeTest() }
    if try writeReport(test, wasStopped: wasStopped), let report, !command.json {
      print("report in \(report)")
    }
    try end(test)
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

  /// Where the report goes: where the run was told to put it when it began, unless it is said again.
  var report: String? { command.report ?? requests["report"] }

  /// - Returns: whether there was one to write.
  @discardableResult
  private func writeReport(
    _ test: PictureEvaluation? = nil, wasStopped: Bool, failure: LossFailure? = nil
  ) throws -> Bool {
    guard training.evaluation != nil, let report else { return false }
    try TransferReport(job: self, test: test, wasStopped: wasStopped, failure: failure)
      .write(to: report)
    return true
  }

  /// How the saved network does on the test part, which nothing was chosen by; nil where there is none.
  private func judgeTest() throws -> PictureEvaluation? {
    guard let photos = folder.test, !photos.isEmpty, training.evaluation != nil else { return nil }
    let model = try PictureModel(try training.model(), path: command.modelFile)
    let stream = PictureStream(
      photos.map(\.path), preprocessing: model.preprocessing, color: model.color)
    let evaluation = try PictureEvaluation(
      of: PictureClassifier(model, on: command.backend.backend()), on: photos,
      classes: Array(training.classNames.indices), stream: stream
    ) { console.progress("\($0) of \(photos.count) test photos") }
    console.endLine()
    let broken = Set(evaluation.failures.map(\.path))
    let read = photos.filter { !broken.contains($0.path) }
    let warnings = PictureFolder.unreadableClasses(
      of: photos, read: read, "test", training.classNames)
    for warning in warnings { console.note(warning) }
    return evaluation
  }

  /// - Returns: whether somebody stopped it.
  private func runPhases() throws -> Bool {
    /// What takes long before anything is learned is not waited for.
    func phase(_ body: (Interruption) throws -> Void) throws -> Bool {
      let kept =
        training.evaluation == nil
        ? command.resume.map { "stopped; \($0) is as it was" } ?? StoppedTransfer().description
        : "stopped; all that was learned is in \(command.modelFile)"
      return try Interruption.whileHandling(endingWith: kept, onlyInSections: true) {
        interruption in
        try body(interruption)
        return interruption.isRequested
      }
    }
    do {
      if !command.fromScratch, command.resume == nil {
        let wasStopped = try phase { interruption in
          try training.trainHead(interruption: interruption)
          try phaseEnded(2)
        }
        if wasStopped { return true }
      }
      guard training.settings.epochs > 0 else { return false }
      // Parts of the next phase do not wait for anybody who stops them.
      try writeReport(wasStopped: true)
      // What training everything takes is in its checkpoint.
      let earlier = requests["seconds"].flatMap(Double.init) ?? 0
      training.requests["seconds"] = String(earlier + Date().timeIntervalSince(start))
      return try phase { interruption in
        try trainEverything(interruption)
        try phaseEnded(1)
      }
    } catch let failure as LossFailure {
      var saved =
        training.evaluation == nil ? "" : "\n  the best so far is in \(command.modelFile)"
      if try writeReport(wasStopped: false, failure: failure), let report {
        saved += "\n  report in \(report)"
      }
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
        let count = training.validation.count
        for record in phase.history { try line(EpochLine(phase: phase.name, record, of: count)) }
        try line(PhaseLine(phase))
      } else if let evaluation = phase.evaluation {
        let kept = phase.bestEpoch == nil ? ", not better than before, so not kept" : ""
        console.note("\(phase.name): \(evaluation.accuracyText), \(text(phase.seconds))\(kept)")
      } else {
        console.note("\(phase.name): \(text(phase.seconds))")
      }
    }
  }

  private func information() throws -> [String: String] {
    [
      "transfer": try JSONText.encoded(training.settings),
      "transferred from": command.network.model,
    ]
  }

  private func end(_ test: PictureEvaluation?) throws {
    for failure in training.failures + (test?.failures ?? []) {
      console.note(String(describing: failure.error))
    }
    guard let evaluation = training.evaluation else { return }
    if command.json {
      try line(
        LastLine(
          accuracy: evaluation.accuracy, accuracyInterval: evaluation.accuracyInterval.ends,
          classes: training.classNames, loss: evaluation.loss, model: command.modelFile,
          seconds: seconds, test: test?.result.count, testAccuracy: test?.result.accuracy,
          testAccuracyInterval: test?.result.accuracyInterval.ends, testLoss: test?.result.loss,
          training: training.training.count, validation: evaluation.count))
    } else {
      print("validation accuracy \(evaluation.accuracyText)")
      if let test { print("test accuracy \(test.result.accuracyText)") }
      print("model saved in \(command.modelFile), \(text(seconds)) in all")
    }
    let (judged, part) = test.map { ($0.result, "test") } ?? (evaluation, "validation")
    BinomialInterval.warning(
      mistakes: judged.errorCount, of: judged.count, "\(part) photos"
    ).map { console.note($0) }
    let constant = ConstantPrediction(judged, part: part, classNames: training.classNames)
    if let constant { console.note(constant.description) }
  }

  /// Of all parts of the run.
  var seconds: Double { secondsBefore + Date().timeIntervalSince(start) }

  private func text(_ seconds: Double) -> String { String(format: "%.1f s", seconds) }

  // MARK: - JSON

  private func line(_ value: some Encodable) throws {
    try printNow(jsonLine(value))
  }

  private struct EpochLine: Encodable {
    var phase: String
    var epoch: Int
    var accuracy: Double?
    /// Both ends of the 95 % interval.
    var accuracyInterval: [Double]?
    var loss: Double?
    var trainingLoss: Double

    /// - Parameter count: how many photos the accuracy is of.
    init(phase: String, _ record: EpochRecord, of count: Int) {
      self.phase = phase
      epoch = record.epoch
      accuracy = record.validationAccuracy
      accuracyInterval = record.validationAccuracy.map { accuracy in
        BinomialInterval(Int((accuracy * Double(count)).rounded()), of: count).ends
      }
      loss = record.validationLoss
      trainingLoss = record.trainingLoss
    }
  }

  private struct PhaseLine: Encodable {
    var phase: String
    var accuracy: Double?
    var accuracyInterval: [Double]?
    var bestEpoch: Int?
    var seconds: Double

    init(_ phase: PhotoTraining.Phase) {
      self.phase = phase.name
      accuracy = phase.evaluation?.accuracy
      accuracyInterval = phase.evaluation?.accuracyInterval.ends
      bestEpoch = phase.bestEpoch
      seconds = phase.seconds
    }
  }

  private struct LastLine: Encodable {
    /// On the validation photos.
    var accuracy: Double
    var accuracyInterval: [Double]
    var classes: [String]
    var loss: Double
    var model: String
    var seconds: Double
    /// Photos of the test part, and how it went; left out where there is none.
    var test: Int?
    var testAccuracy: Double?
    var testAccuracyInterval: [Double]?
    var testLoss: Double?
    var training: Int
    var validation: Int
  }
}
