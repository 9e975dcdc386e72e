import Agnesi
import ArgumentParser
import Foundation

/// `agnesi train`.
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a network on a data set and save it.",
    discussion: HelpText.discussion(
      """
      The network is written in the literature's notation: 20C5 is a convolution of 20 kernels of
      5×5, MP2 max pooling of 2×2, 256FC a dense layer of 256 units, D0.5 dropout, BN batch
      normalisation. ReLU follows every layer but the last.

      A folder of photos has a folder for each class, or parts `train`, `val` and `test` of that
      form. For a few hundred photos, `agnesi transfer` learns more.

      The model that is saved is the one of the epoch with the fewest mistakes on the samples held
      out for validation; the test samples are only used at the end. Beside it lies a checkpoint,
      from which a stopped run goes on: Ctrl-C stops after the current step or batch of the
      validation samples, and a second one at once, with the files as they are.
      """,
      examples: [
        "agnesi train fashion-mnist --epochs 5 --report report.html",
        #"agnesi train mnist --data folder --network "256FC D0.5 256FC D0.5 10FC""#
          + #" --epochs 25 --seed 7 --output digits.safetensors"#,
        "agnesi train cifar10 --mirror --shift 4 --patience 5",
        #"agnesi train ants-and-bees --size 64 --mirror --network "32C3p1 BN MP2"#
          + #" 64C3p1 BN MP2 128C3p1 BN MP2 128FC D0.5 2FC""#,
        "agnesi train --resume digits.checkpoint.safetensors",
      ]))

  @Argument(help: "A known data set (see `agnesi data`) or the path of a folder, also of photos.")
  var dataSet: String?

  @OptionGroup var data: DataOptions
  @OptionGroup var photos: PhotoSizeOptions
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var backend: BackendOptions
  @OptionGroup var profile: ProfileOptions

  @Option(
    help: ArgumentHelp(
      """
      The network, in the literature's notation, or \(TrainableNetwork.names); by default 20C5 MP2 50C5 MP2 \
      256FC D0.5 and as many units as there are classes, without convolutions for samples that are no \
      pictures or small ones.
      """, valueName: "network"))
  var network: String?

  // Unconditional, so that a negative number is told from an option and refused with its reason.
  @Option(parsing: .unconditional, help: "Passes over the training samples.")
  var epochs = 25

  @Option(
    parsing: .unconditional,
    help: "Samples of a mini-batch; by default a fiftieth of the training samples, 10 to 100.")
  var batch: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The largest learning rate; by default the optimiser's usual one, twice that for sigmoids."))
  var rate: Double?

  @Option(help: "\(Optimizer.names.joined(separator: ", ")).")
  var optimizer = "nesterov"

  @Option(help: "How the rate changes: \(Schedule.names.joined(separator: ", ")).")
  var schedule = "one-cycle"

  @Option(
    name: .customLong("weight-penalty"), parsing: .unconditional,
    help: "Times the sum of squared weights.")
  var weightPenalty = 0.0

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The largest norm of the gradient of all parameters, longer ones are shortened; or none; by "
        + "default 2, less for small mini-batches.",
      valueName: "norm"))
  var clip: GradientClip?

  @Option(
    parsing: .unconditional,
    help: "Epochs without a better one after which training ends; by default none.")
  var patience: Int?

  @OptionGroup(title: "Augmentation") var augmentation: AugmentationOptions

  @Option(
    parsing: .unconditional,
    help: "Training samples held out to choose the epoch by; by default a tenth, at most 5000.")
  var validation: Int?

  @Flag(
    inversion: .prefixedNo,
    help: "Subtract the mean of the training samples and divide by their deviation.")
  var standardize = true

  @Option(help: "Of initial values, order, dropout and the held-out samples.")
  var seed: UInt64 = 0

  @Option(help: ArgumentHelp("Where the model goes.", valueName: "file"))
  var output = "model.safetensors"

  @Option(help: ArgumentHelp("Write a report that a browser opens.", valueName: "file.html"))
  var report: String?

  @Option(
    help: ArgumentHelp(
      """
      Go on from a checkpoint, as the run was begun; --rate, --strict and --report may be another, \
      and --epochs makes it longer.
      """,
      valueName: "file"))
  var resume: String?

  func validate() throws {
    if resume == nil, dataSet == nil {
      throw ValidationError("name a data set, such as fashion-mnist, or --resume a checkpoint")
    }
    if resume != nil, dataSet != nil {
      throw ValidationError("the checkpoint names its data set; --data says where it is now")
    }
    if resume != nil, epochs < 1 {
      throw ValidationError("--epochs is \(epochs), it must be at least 1")
    }
    if resume != nil, let rate, !(rate.isFinite && rate > 0) {
      throw ValidationError("--rate is \(rate), it must be positive")
    }
    if let validation, validation < 0 {
      throw ValidationError("--validation is \(validation), it must not be negative")
    }
  }

  func run() throws {
    try reportingErrors {
      threads.apply()
      let console = Console()
      let given = GivenOptions()
      if let resume {
        try checkingUse { try given.refuse(allBut: Self.resumable, goingOnFrom: resume) }
      }
      // Hours of training must not end at a path that never could be written.
      if resume == nil { try checkingUse { try ModelOutput.check(output, of: "train") } }
      let model = resume.map(TrainingJob.modelPath) ?? output
      let results = [
        OutputFile(option: "--output", path: model, kind: .model),
        OutputFile(option: "the checkpoint", path: Checkpoint.path(for: model), kind: .model),
      ]
      let others = [
        report.map { OutputFile(option: "--report", path: $0, kind: .page) },
        profile.trace.map { OutputFile(option: "--trace", path: $0, kind: .trace) },
      ]
      try OutputFile.check(results + others.compactMap { $0 }, of: "train")
      let profiling = try profile.profiling(backend, console)
      let job =
        try resume.map {
          try TrainingJob(
            resuming: $0, rate: rate, epochs: given.contains("--epochs") ? epochs : nil,
            data: data, threads: threads, profiling: profiling, console: console)
        } ?? newJob(profiling, console)
      try profiling.reporting { try job.run(report: report, console: console) }
    }
  }

  /// The options that may be given when a run goes on.
  private static let resumable: Set<String> = [
    "--resume", "--rate", "--epochs", "--report", "--data", "--threads", "--strict", "--profile",
    "--trace",
  ]

  /// - Parameter network: nil for the one that suits the data.
  private func newSettings(_ network: TrainableNetwork?) throws -> TrainingSettings {
    let kind = try Optimizer.named(optimizer)
    // How many classes there will be makes no difference to the rate.
    let chain = try network?.chain(classes: 10)
    let settings = TrainingSettings(
      epochs: epochs, batchSize: batch ?? 100, seed: seed, optimizer: kind,
      rate: rate ?? chain.map { kind.usualRate(for: $0) }, schedule: try Schedule.named(schedule),
      weightPenalty: weightPenalty, clip: clip?.setting ?? .usual, patience: patience,
      augmentation: augmentation.augmentation)
    try settings.check()
    return settings
  }

  private func newJob(_ profiling: Profiling, _ console: Console) throws -> TrainingJob {
    let network = try checkingUse { try self.network.map { try TrainableNetwork($0) } }
    let settings = try checkingUse { try newSettings(network) }
    return try TrainingJob(
      network, dataSet: dataSet ?? "", data: data, photoSize: photos.size,
      validation: validation, standardize: standardize, settings: settings,
      choosesBatchSize: batch == nil, clip: clip?.setting ?? .usual, output: output,
      profiling: profiling, console: console)
  }
}
