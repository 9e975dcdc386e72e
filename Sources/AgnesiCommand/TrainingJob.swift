import Agnesi
import ArgumentParser
import Foundation

/// A run of `agnesi train`, new or resumed: data, trainer, and what is said at the end.
struct TrainingJob {
  private let trainer: Trainer
  private let split: DataSplit
  private let network: Chain
  private let output: String

  init(
    _ network: TrainableNetwork, dataSet: String, data: DataOptions, photoSize: Int,
    validation: Int?,
    standardize: Bool, settings: TrainingSettings, choosesBatchSize: Bool,
    clip: TrainingSettings.Clip, output: String,
    profiling: Profiling, console: Console
  ) throws {
    let whole = try data.open(dataSet, photoSize: photoSize, console: console)
    let count = validation ?? (whole.validation == nil ? min(5000, whole.train.count / 10) : 0)
    split = try whole.holdingOut(.random(count, seed: settings.seed)).checkingLabels()
    for warning in split.labelWarnings { console.note(warning) }
    split.nonFiniteNotes.forEach(console.note)
    let network = try network.chain(classes: split.train.classCount)
    let standardization =
      standardize ? try Standardization(of: split.train, per: .channel) : nil
    var settings = settings
    if choosesBatchSize {
      settings.batchSize = TrainingSettings.usualBatchSize(samples: split.train.count)
      settings.clip = clip.limit(batchSize: settings.batchSize)
    }
    var record = ["name": dataSet, "validation": String(count)]
    record["parts"] = whole.parts.map(\.name).joined(separator: ", ")
    record["folder"] = data.folder.map(Self.absolute)
    record["photo size"] = PictureFolder.isOne(dataSet) ? String(photoSize) : nil
    trainer = try Trainer(
      network, on: split, settings: settings, standardization: standardization, output: output,
      data: record, backend: profiling.backend)
    trainer.phaseObserver = profiling.profiler?.record
    self.network = network
    self.output = output
  }

  /// - Parameters:
  ///   - rate: nil keeps the rate that the run was begun with.
  ///   - epochs: of the whole run; nil as it was begun.
  init(
    resuming path: String, rate: Double?, epochs: Int?, data: DataOptions, threads: ThreadOptions,
    profiling: Profiling, console: Console
  ) throws {
    var checkpoint = try Checkpoint(reading: path)
    threads.goOn(with: checkpoint.state.requests?["threads"], console)
    guard let network = checkpoint.state.network else {
      throw CommandFailure(
        message: "train: \(path) is not a checkpoint of `agnesi train`\n"
          + "  hint: one of transfer goes on with agnesi transfer --resume")
    }
    if let epochs { try checkpoint.setEpochs(epochs) }
    checkpoint.state.settings.rate = rate ?? checkpoint.state.settings.rate
    try checkpoint.state.settings.check()
    let record = checkpoint.state.data
    var data = data
    data.folder = data.folder ?? record["folder"]
    var whole = try data.open(
      record["name"] ?? "", photoSize: Int(record["photo size"] ?? "") ?? 64, console: console)
    if record["parts"] == nil, record["photo size"] != nil, whole.validation != nil {
      // Runs of before parts were recorded took the validation part of a folder of photos for the test.
      whole.test = whole.validation
      whole.validation = nil
    }
    let settings = checkpoint.state.settings
    split = try Self.holdOut(
      Int(record["validation"] ?? "") ?? 0, of: whole, seed: settings.seed
    ).checkingLabels()
    split.nonFiniteNotes.forEach(console.note)
    self.network = network
    output = Self.modelPath(of: path)
    trainer = try Trainer(
      resuming: checkpoint, on: split, output: output, backend: profiling.backend)
    trainer.phaseObserver = profiling.profiler?.record
    let done = checkpoint.state.epoch
    console.note(
      done < settings.epochs
        ? "going on after epoch \(done) of \(settings.epochs)"
        : "all \(done) epochs are done; --epochs \(done + 1) or more makes the run longer")
  }

  private static func holdOut(
    _ count: Int, of whole: DataSplit, seed: UInt64
  ) throws -> DataSplit {
    guard whole.validation == nil else { return whole }
    return try whole.holdingOut(.random(count, seed: seed))
  }

  /// The model that belongs to a checkpoint.
  static func modelPath(of checkpoint: String) -> String {
    let suffix = ".checkpoint.safetensors"
    let base = checkpoint.hasSuffix(suffix) ? checkpoint.dropLast(suffix.count) : checkpoint[...]
    return base + ".safetensors"
  }

  static func absolute(_ path: String) -> String {
    URL(fileURLWithPath: path).path
  }

  /// - Parameter report: where a report goes; nil where the run was told to put it, if it was.
  func run(report: String?, console: Console) throws {
    let checkpoint = trainer.checkpointPath ?? ""
    let report = report ?? trainer.requests["report"]
    if let report { try Trainer.checkWritable(report) }
    trainer.requests["report"] = report.map(Self.absolute)
    trainer.requests["threads"] = String(CPU.threads)
    let message = "stopping after this step; press Ctrl-C once more to end at once"
    let outcome: Trainer.Outcome
    do {
      outcome = try Interruption.whileHandling(message: message) { interruption in
        try trainer.run(interruption: interruption, display: .standardError())
      }
    } catch let failure as LossFailure {
      throw CommandFailure(
        message: """
          \(failure)
            the last good state is in \(checkpoint)
            go on with a smaller rate: agnesi train --resume \(checkpoint) --rate RATE
          """)
    }
    if outcome.wasInterrupted {
      console.note("stopped; the state is in \(checkpoint)")
      if outcome.bestEpoch != nil { console.note("the best model so far is in \(output)") }
      console.note("go on with: agnesi train --resume \(checkpoint)")
      throw ExitCode(130)
    }
    if outcome.stoppedEarly, let last = outcome.history.last?.epoch {
      console.note(
        "no epoch was better for \(last - (outcome.bestEpoch ?? 0)) epochs, so that was all")
    }
    try trainer.useBest()
    // The model is in its file; the test alone can take long.
    let judged = try Interruption.whileHandling(
      message: "", endingWith: "stopped; the model is in \(output)", after: 0
    ) { _ in try judge() }
    if let judged {
      let result = judged.evaluation
      print("\(judged.part) accuracy \(result.accuracyText)")
      BinomialInterval.warning(
        mistakes: result.errorCount, of: result.count, "\(judged.part) samples"
      ).map { console.note($0) }
    }
    if let epoch = outcome.bestEpoch { print("model of epoch \(epoch) saved in \(output)") }
    if let report {
      let page = RunReport(
        trainer: trainer, network: network, split: split, outcome: outcome, judged: judged,
        output: output)
      try page.write(to: report)
      print("report in \(report)")
    }
    if let constant = trainer.constantPrediction(
      outcome, test: judged?.evaluation, part: judged?.part ?? "test")
    {
      console.note(constant.description)
    }
  }

  /// How the kept network does on the test part, or else on that by which it was chosen.
  struct Judgement {
    /// `test` or `validation`.
    var part: String
    var data: DataSet
    var evaluation: Evaluation
  }

  private func judge() throws -> Judgement? {
    guard let (part, data) = split.parts.last(where: { $0.name != "training" }) else { return nil }
    return Judgement(part: part, data: data, evaluation: try trainer.evaluate(data))
  }
}
