import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLayers
import AgnesiModels

/// Trains a classifier: the loop over epochs and batches, with everything that makes it safe to
/// leave alone. The best model so far is always on disk; so is the state to go on from.
public final class Trainer {
  public let graph: ClassifierGraph
  public let settings: TrainingSettings
  private let split: DataSplit
  private let output: String?
  private let step: Function
  private let rate: Tensor
  private let evaluator: Evaluator
  /// All parameters that the step changes, with the network's own.
  private let parameters: [Parameter]
  private var state: Checkpoint.State
  private var best: [String: NDArray] = [:]
  /// The values at the last point where all was well.
  private var lastGood: [String: NDArray] = [:]
  private var lastGoodState: Checkpoint.State
  private var monitor: LossMonitor
  private let network: Chain
  private let backend: any Backend
  public private(set) var timing = Timing()
  /// Told of what a run does besides its steps: waiting for a batch, and the end of each epoch.
  public var phaseObserver:
    ((_ name: String, _ start: ContinuousClock.Instant, _ end: ContinuousClock.Instant) -> Void)?

  /// Wall-clock seconds of a run.
  public struct Timing: Sendable {
    /// From the beginning of the first step to its end, compilation for its sizes included.
    public var firstStep: Double?
    public var total = 0.0
    public var samples = 0
  }

  /// What came out of a run.
  public struct Outcome: Sendable {
    public var history: [EpochRecord]
    /// Counted from 1; nil where no epoch was completed.
    public var bestEpoch: Int?
    public var wasInterrupted: Bool
  }

  /// - Parameters:
  ///   - standardization: of the inputs; part of the saved model.
  ///   - output: where the best model goes; its checkpoint lies beside it. Nil keeps both in memory.
  ///   - data: what the data were, recorded for a person and for resuming.
  /// - Throws: ``TrainingError``, ``GraphError`` where the network does not fit the data.
  public convenience init(
    _ network: Chain, on split: DataSplit, settings: TrainingSettings,
    standardization: Standardization?, output: String?, data: [String: String] = [:],
    backend: any Backend
  ) throws {
    let state = Checkpoint.State(
      settings: settings, network: network, standardization: standardization, data: data)
    try self.init(state, split: split, output: output, backend: backend)
  }

  /// Goes on where a checkpoint stopped, to the same bits as if it had not: what the backend chose then,
  /// it chooses again.
  package convenience init(
    resuming checkpoint: Checkpoint, on split: DataSplit, output: String?, backend: any Backend
  ) throws {
    try self.init(
      checkpoint.state, split: split, output: output,
      backend: checkpoint.state.choices.map { backend.repeating($0) } ?? backend)
    try restore(checkpoint.parameters)
    best = checkpoint.best
    lastGood = currentValues()
    step.callCount = state.calls
  }

  private init(
    _ state: Checkpoint.State, split: DataSplit, output: String?, backend: any Backend
  ) throws {
    try state.settings.check()
    if let output { try Self.checkWritable(output) }
    let classes = split.train.classCount
    guard split.train.isClassification, classes > 0 else {
      throw TrainingError("the data set \(split.train.name) has no class labels")
    }
    self.state = state
    lastGoodState = state
    settings = state.settings
    network = state.network
    self.split = split
    self.output = output
    self.backend = backend
    graph = ClassifierGraph(
      state.network, sampleShape: split.train.sampleShape,
      standardization: state.standardization, seed: settings.seed)
    if let failure = graph.logits.failure { throw failure }
    guard graph.logits.rank == 2, graph.logits.shape[1].known == classes else {
      throw TrainingError(
        "the network's output is \(graph.logits.type), the data have \(classes) classes",
        hint: "the last layer must have \(classes) units, as in \(classes)FC")
    }
    let objective = Objective(graph, settings)
    rate = objective.rate
    step = try compile(
      [graph.image, graph.label, rate], to: [graph.loss, graph.mistakes],
      updates: objective.updates, options: CompileOptions(name: "training step"), on: backend)
    evaluator = try Evaluator(
      image: graph.image, probabilities: graph.probabilities, on: backend)
    let changed = objective.updates.pairs.compactMap(\.parameter.parameter)
    let used = graph.logits.parameters().compactMap(\.parameter)
    parameters = Set(changed + used).sorted { $0.name < $1.name }
    monitor = LossMonitor(classCount: classes)
    lastGood = currentValues()
  }

  /// Trains until the last epoch or an interruption.
  ///
  /// - Throws: ``LossFailure`` after restoring the last good state, and errors of the file system.
  public func run(
    interruption: Interruption = Interruption(),
    display: ProgressOutput = .none
  ) throws -> Outcome {
    let batches = try Batches(
      of: split.train, size: settings.batchSize, order: .shuffled(seed: settings.seed))
    var display = ProgressDisplay(
      epochs: settings.epochs, stepsPerEpoch: batches.count, batchSize: settings.batchSize,
      output: display)
    defer { display.finish() }
    let start = monotonicSeconds()
    defer { timing.total += monotonicSeconds() - start }
    let stream = batches.epochs(state.epoch..<settings.epochs, from: state.batch)
    defer { stream.cancel() }
    while state.epoch < settings.epochs {
      let isComplete = try runEpoch(stream, batches.count, interruption, &display)
      guard isComplete else {
        try saveCheckpoint()
        return outcome(wasInterrupted: true)
      }
      try inPhase("end of the epoch") { try finishEpoch(&display) }
    }
    return outcome(wasInterrupted: false)
  }

  private func inPhase<Result>(_ name: String, _ body: () throws -> Result) rethrows -> Result {
    guard let phaseObserver else { return try body() }
    let start = ContinuousClock.now
    defer { phaseObserver(name, start, .now) }
    return try body()
  }

  private func outcome(wasInterrupted: Bool) -> Outcome {
    Outcome(
      history: state.history, bestEpoch: state.bestEpoch, wasInterrupted: wasInterrupted)
  }

  // MARK: Epochs

  /// False where the epoch was interrupted.
  private func runEpoch(
    _ stream: BatchStream, _ count: Int, _ interruption: Interruption,
    _ display: inout ProgressDisplay
  ) throws -> Bool {
    let start = monotonicSeconds()
    defer { state.secondsInEpoch += monotonicSeconds() - start }
    while state.batch < count {
      if interruption.isRequested { return false }
      guard let batch = inPhase("wait for a batch", { stream.next() }) else { break }
      try runStep(batch, of: count, &display)
    }
    return true
  }

  private func runStep(_ batch: Batch, of count: Int, _ display: inout ProgressDisplay) throws {
    let number = state.epoch * count + state.batch
    let learningRate =
      settings.rate
      * settings.schedule.factor(step: number, of: settings.epochs * count)
    let start = monotonicSeconds()
    let results = try step(batch.inputs, batch.targets, NDArray(scalar: Float(learningRate)))
    if timing.firstStep == nil { timing.firstStep = monotonicSeconds() - start }
    let loss = results[0].scalar
    let finding = monitor.observe(
      loss, step: number + 1, epoch: state.epoch + 1, learningRate: learningRate)
    switch finding {
    case .failed(let failure):
      try goBack()
      throw failure
    case .standsStill(let standstill): display.note(standstill.description)
    case nil: break
    }
    state.batch += 1
    state.calls = step.callCount
    state.lossSum += loss * Double(batch.count)
    state.mistakes += results[1].scalar
    state.samples += batch.count
    timing.samples += batch.count
    display.stepEnded(
      epoch: state.epoch + 1, step: state.batch, loss: state.lossSum / Double(state.samples),
      accuracy: 1 - state.mistakes / Double(state.samples))
  }

  /// Validation, the record of the epoch, the best model, the checkpoint.
  private func finishEpoch(_ display: inout ProgressDisplay) throws {
    let start = monotonicSeconds()
    let validation = try split.validation.map { try evaluator($0) }
    let samples = Double(max(state.samples, 1))
    let total = settings.epochs * max(1, state.batch)
    let lastRate =
      settings.rate
      * settings.schedule.factor(step: (state.epoch + 1) * state.batch - 1, of: total)
    let record = EpochRecord(
      epoch: state.epoch + 1, trainingLoss: state.lossSum / samples,
      trainingAccuracy: 1 - state.mistakes / samples, validationLoss: validation?.loss,
      validationAccuracy: validation?.accuracy,
      seconds: state.secondsInEpoch + monotonicSeconds() - start, learningRate: lastRate)
    let isBest = record.isBetter(than: state.bestEpoch.map { state.history[$0 - 1] })
    state.history.append(record)
    state.epoch += 1
    (state.batch, state.samples, state.secondsInEpoch) = (0, 0, 0)
    (state.lossSum, state.mistakes) = (0, 0)
    lastGood = currentValues()
    lastGoodState = state
    if isBest {
      state.bestEpoch = record.epoch
      lastGoodState.bestEpoch = record.epoch
      best = lastGood.filter { modelNames.contains($0.key) }
      if let output { try model().write(to: output) }
    }
    try saveCheckpoint()
    display.epochEnded(record, isBest: isBest && split.validation != nil)
  }

  // MARK: States

  /// Whether a file can be written, found out by beginning one; nothing of it remains.
  package static func checkWritable(_ path: String) throws(FileError) {
    try AtomicFile(path).discard()
  }

  private var modelNames: Set<String> {
    Set(graph.logits.parameters().compactMap { $0.parameter?.name })
  }

  private func currentValues() -> [String: NDArray] {
    Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0.value) })
  }

  private func restore(_ values: [String: NDArray]) throws {
    for parameter in parameters {
      guard let value = values[parameter.name] else {
        throw TrainingError("the checkpoint has no value for parameter \"\(parameter.name)\"")
      }
      try parameter.assign(value)
    }
  }

  /// Back to the end of the last epoch that went well, also on disk.
  private func goBack() throws {
    try restore(lastGood)
    state = lastGoodState
    step.callCount = state.calls
    try saveCheckpoint()
  }

  private func saveCheckpoint() throws {
    guard let output else { return }
    state.choices = backend.choices
    let checkpoint = Checkpoint(state: state, parameters: currentValues(), best: best)
    try checkpoint.write(to: Checkpoint.path(for: output))
  }

  /// Puts the parameters of the best epoch into the network.
  public func useBest() throws {
    for parameter in parameters {
      if let value = best[parameter.name] { try parameter.assign(value) }
    }
  }

  /// Evaluates the network as it is now.
  public func evaluate(_ dataSet: DataSet) throws -> Evaluation { try evaluator(dataSet) }

  /// The network as it is now, ready to be saved.
  public func model() throws -> Model {
    try ClassifierFile(
      graph: graph, network: network, classNames: split.train.classNames,
      history: state.history, settings: settings, data: state.data,
      scaling: split.train.scaling
    ).model()
  }

  /// Where the state to go on from lies.
  public var checkpointPath: String? { output.map { Checkpoint.path(for: $0) } }
}

extension EpochRecord {
  /// By validation error, then validation loss; without validation the later epoch is better.
  fileprivate func isBetter(than other: EpochRecord?) -> Bool {
    guard let other, let accuracy = validationAccuracy, let best = other.validationAccuracy else {
      return true
    }
    if accuracy != best { return accuracy > best }
    return (validationLoss ?? 0) <= (other.validationLoss ?? 0)
  }
}

/// What is minimised, and how.
private struct Objective {
  let rate: Tensor
  let updates: Updates

  init(_ graph: ClassifierGraph, _ settings: TrainingSettings) {
    rate = .input("learningRate", [])
    var cost = graph.loss
    if settings.weightPenalty > 0 {
      cost = cost + settings.weightPenalty * l2(graph.logits.parameters(.regularizable))
    }
    updates = settings.optimizer.updates(
      of: cost, parameters: graph.logits.parameters(.trainable), rate: rate)
  }
}
