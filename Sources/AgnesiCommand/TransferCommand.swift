import Agnesi
import ArgumentParser
import Foundation

/// `agnesi transfer`.
struct TransferCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "transfer",
    abstract: "Teach a network that knows pictures other classes, from a few photos.",
    discussion: HelpText.discussion(
      """
      FOLDER holds a folder of photos for each class, or such folders in `train`, `val` and `test`.
      Without `val` a fifth of each class is held out, drawn by the seed; the network is chosen and
      judged by it. Photos in `test` are only counted in the end.

      First the end of the network is cut off, and a new one learns from what the rest says of each
      photo, which is computed once. Then all layers learn a little, those from before at a smaller
      rate, from photos that are randomly cut, mirrored and coloured in each epoch. What is best on
      the photos held out is saved; Ctrl-C stops and keeps it too. Beside it lies a checkpoint, from
      which training everything goes on with --resume.

      With --from-scratch the network may also be in the literature's notation, without its end.
      """,
      examples: [
        "agnesi transfer efficientnet-lite0 ants-and-bees --head-only",
        "agnesi transfer efficientnet-lite0 ants-and-bees --output"
          + " insects.safetensors --report insects.html",
        "agnesi transfer efficientnet-lite0 ants-and-bees --resume insects.checkpoint.safetensors",
        "agnesi classify insects.safetensors garden.jpg",
        #"agnesi transfer "32C3p1 BN MP2 64C3p1 BN MP2 128C3p1 BN MP2 128FC D0.5""#
          + #" ants-and-bees --from-scratch --no-augment"#,
      ]))

  @OptionGroup var network: PictureNetworkOptions

  @Argument(help: "A folder of photos.")
  var folder: String

  @Flag(help: "Train the new end alone.")
  var headOnly = false

  @Flag(help: "Forget what the network has learned, to see what that was worth.")
  var fromScratch = false

  @Option(help: ArgumentHelp("The last layer that is kept.", valueName: "layer"))
  var cut = "features"

  @Option(
    help: ArgumentHelp("The layers up to this one stay as they are.", valueName: "layer"))
  var freeze: String?

  @Option(
    parsing: .unconditional,
    help: "Passes over the photos when everything is trained; by default 6, from scratch 40.")
  var epochs: Int?

  @Option(parsing: .unconditional, help: "Photos of a mini-batch.")
  var batch = 32

  @Option(
    parsing: .unconditional,
    help: "The largest learning rate of the new end; by default 3e-4, from scratch 1e-3.")
  var rate: Double?

  @Option(
    parsing: .unconditional,
    help: "That of the other layers; by default a tenth of it, from scratch the same.")
  var bodyRate: Double?

  @Option(
    parsing: .unconditional,
    help: "Epochs without a better one after which training ends; by default 4, from scratch 10.")
  var patience: Int?

  @Flag(inversion: .prefixedNo, help: "Change the training photos randomly.")
  var augment = true

  @Option(
    parsing: .unconditional,
    help: "Pixels of the shorter side, for a network in notation.")
  var size = 64

  @Option(help: "Of first values, order, augmentation, and the photos held out.")
  var seed: UInt64 = 0

  @Option(help: ArgumentHelp("Where the model goes.", valueName: "file"))
  var output = "model.safetensors"

  @Option(help: ArgumentHelp("Write a report that a browser opens.", valueName: "file.html"))
  var report: String?

  @Option(
    help: ArgumentHelp(
      """
      Go on from a checkpoint of the same network and folder; it holds all settings. --epochs makes \
      the run longer.
      """,
      valueName: "file"))
  var resume: String?

  @Flag(
    help: ArgumentHelp(
      "Print a JSON object for each epoch and phase.",
      discussion: "The last one has the accuracy on the photos held out: {\"accuracy\":0.948,…}."))
  var json = false

  @OptionGroup var threads: ThreadOptions
  @OptionGroup var backend: BackendOptions
  @OptionGroup var profile: ProfileOptions

  func validate() throws {
    if headOnly, fromScratch {
      throw ValidationError("--head-only trains on what a network knows, --from-scratch forgets it")
    }
    if fromScratch, network.weights != nil {
      throw ValidationError("--from-scratch forgets weights, so --weights has no meaning")
    }
    if headOnly, resume != nil {
      throw ValidationError("--resume goes on with training everything, --head-only does not")
    }
    if headOnly, freeze != nil {
      throw ValidationError("--freeze is for training everything, not for --head-only")
    }
    if headOnly, epochs != nil {
      throw ValidationError("--epochs is for training everything, not for --head-only")
    }
    if let epochs, epochs < 1 {
      throw ValidationError("--epochs is \(epochs), it must be at least 1")
    }
    if batch < 1 { throw ValidationError("--batch is \(batch), it must be at least 1") }
    for (name, rate) in [("--rate", rate), ("--body-rate", bodyRate)] {
      guard let rate else { continue }
      if !(rate.isFinite && rate > 0) {
        throw ValidationError("\(name) is \(rate), it must be positive")
      }
    }
    if let patience, patience < 1 {
      throw ValidationError("--patience is \(patience), it must be at least 1")
    }
    if !(8...1024).contains(size) {
      throw ValidationError("--size is \(size), it must be in 8...1024")
    }
  }

  func run() throws {
    try reportingErrors {
      threads.apply()
      let console = Console()
      if resume == nil { try checkingUse { try ModelOutput.check(output, of: "transfer") } }
      // Minutes of training must not end at a path that never could be written.
      let requests = try resume.map { try PhotoTraining.requests(ofCheckpoint: $0) } ?? [:]
      threads.goOn(with: requests["threads"], console)
      let page = (report ?? requests["report"]).map {
        OutputFile(option: "--report", path: $0, kind: .page)
      }
      try OutputFile.check(
        [
          OutputFile(option: "--output", path: modelFile, kind: .model),
          OutputFile(option: "the checkpoint", path: Checkpoint.path(for: modelFile), kind: .model),
        ] + [page].compactMap { $0 }, reading: resume == nil ? [network.model] : [], of: "transfer")
      let photos = try PictureFolder(reading: folder)
      for note in photos.notes { console.note(note) }
      console.note(photos.summary)
      let profiling = try profile.profiling(backend, console)
      let settings = try resume.map { try resumedSettings($0) } ?? settings
      let training = try PhotoTraining(
        try PictureBody(try opened(), cutAt: settings.layer), photos: photos, settings: settings,
        on: profiling.backend)
      let job = TransferJob(
        training: training, command: self, console: console, start: Date(), folder: photos,
        requests: requests,
        secondsBefore: try resume.map { try PhotoTraining.seconds(ofCheckpoint: $0) } ?? 0)
      let begun = resume == nil ? nil : requests["command"]
      training.requests["command"] =
        begun.map { epochs == nil ? $0 : "\($0)\n\(repeatableCommand)" } ?? repeatableCommand
      training.requests["report"] = job.report.map(TrainingJob.absolute)
      training.requests["threads"] = String(CPU.threads)
      try profiling.reporting { try job.run() }
    }
  }

  /// The settings of a run that goes on. Options may repeat them; another value is refused, but for the
  /// number of epochs.
  private func resumedSettings(_ checkpoint: String) throws -> TransferSettings {
    var begun = try PhotoTraining.settings(ofCheckpoint: checkpoint)
    let (given, asked) = (GivenOptions(), settings)
    func text(_ value: Any?) -> String {
      if let number = value as? Double { return NumberText.plain(number) }
      return value.map { "\($0)" } ?? "none"
    }
    let values: [(option: String, begun: String, asked: String)] = [
      ("--cut", begun.layer, asked.layer), ("--freeze", text(begun.frozenLayer), text(freeze)),
      ("--batch", text(begun.batchSize), text(asked.batchSize)),
      ("--rate", text(begun.rate), text(asked.rate)),
      ("--body-rate", text(begun.bodyRate), text(asked.bodyRate)),
      ("--patience", text(begun.patience), text(asked.patience)),
      ("--seed", text(begun.seed), text(asked.seed)),
      ("--augment", text(begun.augmentation != nil), text(augment)),
      ("--no-augment", text(begun.augmentation != nil), text(augment)),
      ("--from-scratch", text(begun.learnsAverages), text(fromScratch)),
      ("--output", modelFile, output),
    ]
    for value in values where given.contains(value.option) && value.asked != value.begun {
      throw CommandFailure(
        message: """
          transfer: \(value.option) is \(value.asked), the run that goes on was begun with \(value.begun)
            hint: leave it out; \(checkpoint) holds the settings
          """)
    }
    if given.contains("--epochs"), let epochs { begun.epochs = epochs }
    return begun
  }

  /// Where the model goes: to what it was called when the run began.
  var modelFile: String { resume.map(TrainingJob.modelPath) ?? output }

  private var settings: TransferSettings {
    let rate = rate ?? (fromScratch ? 1e-3 : 3e-4)
    return TransferSettings(
      layer: cut, seed: seed, epochs: headOnly ? 0 : epochs ?? (fromScratch ? 40 : 6),
      batchSize: batch, rate: rate, bodyRate: bodyRate ?? (fromScratch ? rate : rate / 10),
      patience: patience ?? (fromScratch ? 10 : 4), frozenLayer: freeze,
      learnsAverages: fromScratch,
      augmentation: augment ? .usual : nil)
  }

  private func opened() throws -> PictureModel {
    guard fromScratch else { return try network.open() }
    FileWorkers.shared.prepare()
    let model = network.model
    if let known = Zoo.network(model) {
      return try PictureModel(try Scope.seeded(seed) { try known.model() }, path: model)
    }
    if FileManager.default.fileExists(atPath: model) {
      throw CommandFailure(
        message: """
          transfer: the file \(model) does not say how its first values were drawn
            hint: --from-scratch takes a name of the zoo, or a network in notation
          """)
    }
    let chain = try checkingUse { try Notation.parse(model) }
    return try PictureModel(untrained: chain, size: size, seed: seed)
  }
}
