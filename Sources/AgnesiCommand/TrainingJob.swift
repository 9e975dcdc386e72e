import Agnesi
import ArgumentParser
import Foundation

/// A run of `agnesi train`, new or resumed: data, trainer, and what is said at the end.
struct TrainingJob {
  private let trainer: Trainer
  private let split: DataSplit
  private let network: Chain
  private let output: String
  private let size: NetworkSize
  /// Whether it goes on from a checkpoint.
  private let isResumed: Bool
  /// Whether it goes on otherwise than it was begun.
  private var isChanged = false

  /// - Parameter network: nil for one that suits the data.
  init(
    _ network: TrainableNetwork?, dataSet: String, data: DataOptions, photoSize: Int,
    validation: Int?,
    standardize: Bool, settings: TrainingSettings, choosesBatchSize: Bool,
    clip: TrainingSettings.Clip, output: String,
    profiling: Profiling, console: Console
  ) throws {
    let whole = try data.open(dataSet, photoSize: photoSize, console: console)
    let count = validation ?? (whole.validation == nil ? min(5000, whole.train.count / 10) : 0)
    try Self.checkNumbers(whole, console)
    split = try whole.holdingOut(.random(count, seed: settings.seed)).checkingLabels()
    for warning in split.labelWarnings { console.note(warning) }
    let network =
      try network?.chain(classes: split.train.classCount) ?? Self.usualNetwork(for: split.train)
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
    let (split, given) = (split, settings)
    size = NetworkSize(
      network, sample: split.train.sampleShape, batch: min(given.batchSize, split.train.count))
    size.note.map(console.note)
    trainer = try size.explaining {
      try Trainer(
        network, on: split, settings: given, standardization: standardization, output: output,
        data: record, backend: profiling.backend)
    }
    trainer.phaseObserver = profiling.profiler?.record
    self.network = network
    self.output = output
    isResumed = false
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
    try Self.checkNumbers(whole, console)
    let settings = checkpoint.state.settings
    split = try Self.holdOut(
      Int(record["validation"] ?? "") ?? 0, of: whole, seed: settings.seed
    ).checkingLabels()
    self.network = network
    output = Self.modelPath(of: path)
    isResumed = true
    isChanged = epochs != nil || rate != nil
    let (split, begun) = (split, checkpoint)
    let output = output
    size = NetworkSize(
      network, sample: split.train.sampleShape, batch: min(settings.batchSize, split.train.count))
    trainer = try size.explaining {
      try Trainer(resuming: begun, on: split, output: output, backend: profiling.backend)
    }
    trainer.phaseObserver = profiling.profiler?.record
    let done = checkpoint.state.epoch
    console.note(
      done < settings.epochs
        ? "going on after epoch \(done) of \(settings.epochs)"
        : "all \(done) epochs are done; --epochs \(done + 1) or more makes the run longer")
  }

  /// Says which samples are no numbers, as they are counted in the user's files; of the training samples
  /// that is an error, since no loss would be a number.
  private static func checkNumbers(_ whole: DataSplit, _ console: Console) throws {
    if let note = whole.train.nonFiniteNotes(part: "training").first {
      throw CommandFailure(
        message: "train: \(note), and so no loss would be a number"
          + "\n  hint: \(Hint.mendData.text(nil))")
    }
    whole.nonFiniteNotesOfHeldOut.forEach(console.note)
  }

  /// Two convolutions where the samples are pictures that are large enough for them, and a layer that has
  /// as many units as there are classes.
  private static func usualNetwork(for data: DataSet) throws -> Chain {
    let (shape, smallest) = (data.sampleShape, 16)
    let isPicture = shape.count == 3 && shape.dropFirst().allSatisfy { $0 >= smallest }
    let beginning = isPicture ? "20C5 MP2 50C5 MP2 " : ""
    return try Notation.parse("\(beginning)256FC D0.5 \(max(data.classCount, 1))FC")
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
    trainer.requests["command"] = command
    let outcome: Trainer.Outcome
    do {
      outcome = try Interruption.whileHandling(
        endingWith: isResumed
          ? "stopped; \(checkpoint) is as it was"
          : "stopped before the first step was done; nothing was written", onlyInSections: true
      ) { interruption in
        try size.explaining {
          try trainer.run(interruption: interruption, display: .standardError())
        }
      }
    } catch let failure as LossFailure {
      let page = try writeReport(
        to: report, trainer.outcomeSoFar,
        ending: "Training ended before its last epoch: \(failure.headline).")
      let advice =
        failure.data.isEmpty
        ? "\n  go on with a smaller rate: agnesi train --resume \(checkpoint) --rate RATE" : ""
      throw CommandFailure(
        message: "\(failure)\n  the last good state is in \(checkpoint)\(advice)"
          + (page.map { "\n  \($0)" } ?? ""))
    }
    if outcome.wasInterrupted {
      let page = try writeReport(
        to: report, outcome, ending: "Training was stopped; this is what it led to until then.")
      if let page { console.note(page) }
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
    ) { _ in try size.explaining { try judge() } }
    if let judged {
      let result = judged.evaluation
      print("\(judged.part) accuracy \(result.accuracyText)")
      BinomialInterval.warning(
        mistakes: result.errorCount, of: result.count, "\(judged.part) samples"
      ).map { console.note($0) }
    }
    if let epoch = outcome.bestEpoch { print("model of epoch \(epoch) saved in \(output)") }
    if let page = try writeReport(to: report, outcome, judged) { print(page) }
    if let constant = trainer.constantPrediction(
      outcome, test: judged?.evaluation, part: judged?.part ?? "test")
    {
      console.note(constant.description)
    }
  }

  /// - Returns: where it is, as a sentence; nil where none was asked for, or there is nothing to report.
  private func writeReport(
    to path: String?, _ outcome: Trainer.Outcome, _ judged: Judgement? = nil, ending: String? = nil
  ) throws -> String? {
    guard let path, !outcome.history.isEmpty else { return nil }
    let page = RunReport(
      trainer: trainer, network: network, split: split, outcome: outcome, judged: judged,
      output: output, ending: ending)
    try page.write(to: path)
    return "report in \(path)"
  }

  /// What repeats the run: the command that began it, then each that changed it.
  private var command: String {
    let begun = isResumed ? trainer.requests["command"] : nil
    guard let begun else { return repeatableCommand }
    return isChanged ? "\(begun)\n\(repeatableCommand)" : begun
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
