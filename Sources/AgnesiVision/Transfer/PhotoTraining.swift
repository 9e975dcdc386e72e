import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiImages
import AgnesiModels
import AgnesiTraining
import Foundation

/// Photos of some classes, taught to a network that has seen others: a new head on features that are
/// computed once, then, if asked for, all of the network on the photos themselves.
///
///     let model = try PictureModel(Zoo.open("efficientnet-lite0"))
///     let training = try PhotoTraining(
///       PictureBody(model), photos: PictureFolder(reading: "ants-and-bees"), on: .cpu)
///     try training.trainHead()
///     try training.trainEverything()
///     try training.model().write(to: "insects.safetensors")
///
/// What a frozen layer is: its parameters and the averages of its batch normalisation stay the same
/// to the bit, and it computes as in inference. Batch normalisation of the other layers keeps its
/// averages too, unless the settings say that they are learned.
public final class PhotoTraining {
  /// How the network is transferred.
  public let settings: TransferSettings
  /// The names of the classes.
  public let classNames: [String]
  /// The photos that are learned from.
  public private(set) var training: [PictureFolder.Photo]
  /// The photos that the network is chosen and judged by.
  public private(set) var validation: [PictureFolder.Photo]
  /// The network, once its head has been trained.
  public private(set) var network: TransferNetwork?
  /// What could not be read and is left out.
  public private(set) var failures: [(path: String, error: any Error)] = []
  /// What each phase led to.
  public private(set) var phases: [Phase] = []
  /// Told of what is going on.
  public var observer: (Progress) -> Void = { _ in }

  /// What the run was asked for besides, such as a report: kept in its checkpoint.
  package var requests: [String: String] = [:]

  private let body: PictureBody
  /// Of the photos that are only looked at in the end, by who has the trained network.
  private let testLabels: [Int]
  private let backend: any Backend

  /// A phase that has ended.
  public struct Phase: Sendable {
    /// `features`, `head` or `everything`.
    public var name: String
    /// Wall-clock seconds.
    public var seconds: Double
    /// Its epochs; none of `features`.
    public var history: [EpochRecord] = []
    /// Counted from 1.
    public var bestEpoch: Int?
    /// On the validation photos, after the phase.
    public var evaluation: Evaluation?
    /// Whether somebody stopped it.
    public var wasInterrupted = false
    /// Whether it ended because no epoch became better any more.
    public var stoppedEarly = false
  }

  /// What is going on.
  public enum Progress: Sendable {
    /// So many photos of all are read.
    case photos(done: Int, count: Int)
    /// A phase begins: a sentence for a person.
    case begins(String)
    /// What may be a mistake in the photos, though training goes on.
    case warning(String)
  }

  /// - Parameters:
  ///   - body: what is kept of a network.
  ///   - folder: photos; its own parts are used as they are, else a fifth of each class is held out.
  /// - Throws: ``TransferError`` where there are not two classes, or a part has no photos.
  public init(
    _ body: PictureBody, photos folder: PictureFolder, settings: TransferSettings = .init(),
    on backend: any Backend
  ) throws {
    let (training, validation) = folder.split(seed: settings.seed)
    guard folder.classNames.count > 1 else {
      throw TransferError("\(folder.path) has photos of one class only")
    }
    guard !training.isEmpty, !validation.isEmpty else {
      throw TransferError(
        "\(folder.path) has \(training.count) photos to learn from and \(validation.count) to "
          + "judge by", hint: "each part needs some")
    }
    if settings.epochs > 0, let batch = body.model.fixedBatch {
      throw TransferError(fixedBatch: batch)
    }
    if settings.epochs > 0 { try body.check(frozenThrough: settings.frozenLayer) }
    self.body = body
    testLabels = (folder.test ?? []).map(\.label)
    self.backend = backend
    self.settings = settings
    self.training = training
    self.validation = validation
    classNames = folder.classNames
    if Set(training.map(\.label)).count < 2 {
      throw TransferError(
        "all \(training.count) training photos of \(folder.path) are of one class",
        hint: "there must be two classes to tell apart")
    }
  }

  /// What the network does on the validation photos after the last phase.
  public var evaluation: Evaluation? { phases.last(where: { $0.evaluation != nil })?.evaluation }

  // MARK: - The head

  /// Computes the features of all photos with the body as it is, and trains the head on them.
  public func trainHead(interruption: Interruption = Interruption()) throws {
    let (known, held) = try interruption.losingNothing { try computeFeatures(interruption) }
    let standardization =
      known.inputs.rank == 2 ? try Standardization(of: known, per: .global) : nil
    let network = try TransferNetwork(
      body, head: .classes(classNames.count), standardization: standardization,
      seed: settings.seed)
    observer(.begins("train the head"))
    let start = monotonicSeconds()
    let trainer = try Trainer(
      network.headGraph, on: DataSplit(train: known, validation: held),
      settings: settings.headTraining, output: nil, backend: backend
    ) { [classNames] _ in try network.model(classNames: classNames) }
    let outcome = try trainer.run(interruption: interruption)
    // The problem is convex and weights are kept small: the last epoch is the solution, and nothing is
    // chosen by the photos that it is judged by.
    self.network = network
    phases.append(
      Phase(
        name: "head", seconds: monotonicSeconds() - start, history: outcome.history,
        bestEpoch: outcome.history.last?.epoch, evaluation: try trainer.evaluate(held),
        wasInterrupted: outcome.wasInterrupted))
  }

  private func computeFeatures(_ interruption: Interruption) throws -> (DataSet, DataSet) {
    observer(.begins("compute features"))
    let start = monotonicSeconds()
    let extractor = try FeatureExtractor(body, on: backend)
    let count = training.count + validation.count
    func features(
      _ photos: [PictureFolder.Photo], _ name: String, from first: Int
    ) throws -> PhotoFeatures {
      try extractor.features(
        of: photos, name: name, classNames: classNames, interruption: interruption
      ) { [observer] in observer(.photos(done: first + $0, count: count)) }
    }
    let known = try features(training, "training photos", from: 0)
    let held = try features(validation, "validation photos", from: training.count)
    try check(DataSplit(train: known.dataSet, validation: held.dataSet), known.photos, held.photos)
    (training, validation) = (known.photos, held.photos)
    failures = known.failures + held.failures
    phases.append(Phase(name: "features", seconds: monotonicSeconds() - start))
    return (known.dataSet, held.dataSet)
  }

  /// Says what is wrong with the classes of the photos that could be read.
  private func check(
    _ split: DataSplit, _ known: [PictureFolder.Photo], _ held: [PictureFolder.Photo]
  ) throws {
    for (all, read, part) in [(training, known, "training"), (validation, held, "validation")] {
      let warnings = PictureFolder.unreadableClasses(of: all, read: read, part, classNames)
      for text in warnings { observer(.warning(text)) }
    }
    if Set(known.map(\.label)).count < 2 {
      throw TransferError(
        "of the \(training.count) training photos those that can be read, \(known.count), are of one "
          + "class only", hint: "there must be two classes to tell apart")
    }
    let others = testLabels.isEmpty ? [] : [(name: "test", labels: testLabels)]
    for text in split.labelWarnings(besides: others) { observer(.warning(text)) }
  }

  // MARK: - Everything

  /// Trains all layers but the frozen ones, the head at a rate of its own; the best epoch's values
  /// stay, or those from before where no epoch is better. Without ``trainHead(interruption:)`` before,
  /// the head begins with drawn values: so a network learns from nothing.
  ///
  /// - Parameters:
  ///   - output: where the best model goes; beside it lies a checkpoint, from which
  ///     ``resume(_:output:information:interruption:display:)`` goes on. Nil for neither.
  ///   - information: kept in that file; see ``model(information:)``.
  ///   - display: where epochs are shown.
  /// - Throws: `LossFailure` where the loss explodes; the network then is the best so far.
  ///   ``StoppedTransfer`` where it was stopped before there was anything to keep.
  public func trainEverything(
    output: String? = nil, information: [String: String] = [:],
    interruption: Interruption = Interruption(), display: ProgressOutput = .none
  ) throws {
    let network =
      try self.network
      ?? TransferNetwork(body, head: .classes(classNames.count), seed: settings.seed)
    self.network = network
    let baseline = evaluation.map { Score(loss: $0.loss, accuracy: $0.accuracy) }
    try learn(network, interruption: interruption, display: display) { split, settings in
      try Trainer(
        graph(of: network), on: split, settings: settings, output: output,
        data: record(), standardization: network.standardization, baseline: baseline,
        backend: backend
      ) { [classNames] _ in
        try network.model(classNames: classNames, information: information)
      }
    }
  }

  /// Goes on where ``trainEverything(output:information:interruption:display:)`` was stopped, to the
  /// same bits as if it had not been.
  ///
  /// - Parameters:
  ///   - path: the checkpoint; the settings are to be those of ``settings(ofCheckpoint:)``, with more
  ///     epochs if the run is to become longer: the rates then are from there on those of a run of so
  ///     many epochs.
  ///   - output: where the best model goes.
  /// - Throws: ``TransferError`` where the checkpoint is that of another run; else as when it began.
  public func resume(
    _ path: String, output: String? = nil, information: [String: String] = [:],
    interruption: Interruption = Interruption(), display: ProgressOutput = .none
  ) throws {
    var checkpoint = try Checkpoint(reading: path)
    let begun = try Self.settings(ofCheckpoint: path)
    var record = try record()
    record[Self.settingsKey] = try JSONText.encoded(settings.with(epochs: begun.epochs))
    // Checkpoints of before do not tell the pixels.
    if checkpoint.state.data[Self.pixelsKey] == nil { record[Self.pixelsKey] = nil }
    for (key, value) in record.sorted(by: { $0.key < $1.key }) {
      if checkpoint.state.data[key] == value { continue }
      throw TransferError(
        "the checkpoint \(path) is of another run: its \(key) are "
          + "\(checkpoint.state.data[key] ?? "not told"), not \(value)")
    }
    if settings.epochs != begun.epochs { try checkpoint.setEpochs(settings.epochs) }
    checkpoint.state.data = try self.record()
    let network = try TransferNetwork(
      body, head: .classes(classNames.count), standardization: checkpoint.state.standardization,
      seed: settings.seed)
    self.network = network
    try learn(network, interruption: interruption, display: display) { split, _ in
      try Trainer(
        resuming: checkpoint, graph(of: network), on: split, output: output, backend: backend
      ) { [classNames] _ in
        try network.model(classNames: classNames, information: information)
      }
    }
  }

  /// The settings of the run that a checkpoint belongs to.
  ///
  /// - Throws: ``TransferError`` where it is no checkpoint of a transfer.
  public static func settings(ofCheckpoint path: String) throws -> TransferSettings {
    let data = try Checkpoint(reading: path).state.data
    guard let text = data[Self.settingsKey],
      let settings: TransferSettings = try? JSONText.decoded(from: text)
    else { throw TransferError("\(path) is no checkpoint of a transfer") }
    return settings
  }

  /// What the run of a checkpoint was asked for besides; see ``requests``.
  package static func requests(ofCheckpoint path: String) throws -> [String: String] {
    try Checkpoint(reading: path).state.requests ?? [:]
  }

  /// What the run of a checkpoint took up to there, in seconds.
  package static func seconds(ofCheckpoint path: String) throws -> Double {
    let checkpoint = try Checkpoint(reading: path)
    let before = checkpoint.state.requests?["seconds"].flatMap(Double.init) ?? 0
    return before + checkpoint.seconds
  }

  private static let settingsKey = "settings"
  private static let pixelsKey = "pixels"

  /// What a run that goes on must share with the one that began.
  private func record() throws -> [String: String] {
    [
      Self.settingsKey: try JSONText.encoded(settings),
      "photos": "\(training.count) and \(validation.count)",
      "classes": classNames.joined(separator: ", "),
      Self.pixelsKey: body.model.pixels.shape.dropFirst().map(\.description)
        .joined(separator: "×"),
    ]
  }

  private func graph(of network: TransferNetwork) throws -> TrainingGraph {
    try network.graph(
      frozenThrough: settings.frozenLayer, learnsAverages: settings.learnsAverages)
  }

  /// The phase itself, with a trainer that is new or goes on.
  private func learn(
    _ network: TransferNetwork, interruption: Interruption, display: ProgressOutput,
    _ makeTrainer: (DataSplit, TrainingSettings) throws -> Trainer
  ) throws {
    let start = monotonicSeconds()
    let pixels = network.body.model.pixels.shape
    let augmentation = settings.augmentation?.augmentation(
      height: pixels[2].known ?? 0, width: pixels[3].known ?? 0)
    observer(.begins("read the photos"))
    let (split, trainer) = try interruption.losingNothing {
      let split = try planes(augmentation, interruption)
      let settings = settings.training(network, augmentation: augmentation)
      return (split, try makeTrainer(split, settings))
    }
    observer(.begins("train everything"))
    trainer.requests = requests
    let before = evaluation
    func end(_ outcome: Trainer.Outcome) throws {
      guard trainer.hasBest else { return }
      try trainer.useBest()
      // Who stopped it does not wait for what is known.
      let known = trainer.bestEvaluation ?? (outcome.wasInterrupted ? before : nil)
      phases.append(
        Phase(
          name: "everything", seconds: trainer.timing.before + monotonicSeconds() - start,
          history: outcome.history, bestEpoch: outcome.bestEpoch,
          evaluation: try known ?? split.validation.map { try trainer.evaluate($0) },
          wasInterrupted: outcome.wasInterrupted, stoppedEarly: outcome.stoppedEarly))
    }
    do {
      try end(trainer.run(interruption: interruption, display: display))
    } catch let failure as LossFailure {
      try end(trainer.outcomeSoFar)
      throw failure
    }
    if !trainer.hasBest { throw StoppedTransfer() }
  }

  private func planes(
    _ augmentation: Augmentation?, _ interruption: Interruption
  ) throws -> DataSplit {
    let (model, count) = (body.model, training.count + validation.count)
    let wide =
      augmentation?.cropHeight.map {
        model.preprocessing.widened(height: $0, width: augmentation?.cropWidth ?? $0)
      } ?? model.preprocessing
    func planes(
      _ photos: [PictureFolder.Photo], _ name: String, _ preprocessing: PicturePreprocessing,
      from first: Int
    ) throws -> PhotoPlanes {
      try PhotoPlanes(
        reading: photos, name: name, classNames: classNames, preprocessing: preprocessing,
        color: model.color, interruption: interruption
      ) { [observer] in observer(.photos(done: first + $0, count: count)) }
    }
    let known = try planes(training, "training photos", wide, from: 0)
    let held = try planes(
      validation, "validation photos", model.preprocessing, from: training.count)
    let split = DataSplit(train: known.dataSet, validation: held.dataSet)
    // After the head, all of this is known.
    if phases.isEmpty { try check(split, known.photos, held.photos) }
    return split
  }

  // MARK: - The model

  /// The network as it is now, with the new classes.
  ///
  /// - Throws: ``TransferError`` where nothing was trained yet.
  public func model(information: [String: String] = [:]) throws -> Model {
    guard let network else { throw TransferError("no head was trained yet") }
    return try network.model(classNames: classNames, information: information)
  }
}
