import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLayers
import AgnesiModels

/// Trains a network: the loop over epochs and batches, with everything that makes it safe to leave
/// alone. The best model so far is always on disk; so is the state to go on from.
public final class Trainer {
  public let graph: TrainingGraph
  public let settings: TrainingSettings
  let split: DataSplit
  private let output: String?
  private let step: Function
  private let rate: Tensor
  private let measures: Measures
  /// All parameters that the step changes, with the network's own.
  private let parameters: [Parameter]
  private var state: Checkpoint.State
  private var best: [String: NDArray] = [:]
  /// How the best epoch of this process did on the validation part; nil where it was one before.
  package private(set) var bestEvaluation: Evaluation?
  private var hasValidated = false
  /// The values at the last point where all was well.
  private var lastGood: [String: NDArray] = [:]
  private var lastGoodState: Checkpoint.State
  private var monitor: LossMonitor
  private let makeModel: (_ history: [EpochRecord]) throws -> Model
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
    /// What the parts of the run before took, where it goes on from a checkpoint.
    public var before = 0.0
    /// Since when the part at hand runs, by the monotonic clock; nil while none does.
    fileprivate var start: Double?
    /// All parts of the run, up to now.
    var all: Double { before + total + (start.map { monotonicSeconds() - $0 } ?? 0) }
  }

  /// What came out of a run.
  public struct Outcome: Sendable {
    public var history: [EpochRecord]
    /// Counted from 1; nil where no epoch was completed.
    public var bestEpoch: Int?
    public var wasInterrupted: Bool
    /// Whether it ended before its last epoch because no epoch became better any more.
    public var stoppedEarly = false
    /// That the network took every validation sample for one class at the end; nil where it did not.
    public var constantPrediction: ConstantPrediction?
  }

  /// A chain of layers that becomes a classifier.
  ///
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

  /// Any network, for any goal.
  ///
  /// - Parameters:
  ///   - graph: the network; its parameters are what learns.
  ///   - output: where the best model goes; its checkpoint lies beside it. Nil keeps both in memory.
  ///   - data: what the data were, recorded for a person and for resuming.
  ///   - standardization: part of the graph, recorded for resuming.
  ///   - baseline: what the network does on the validation part as it is; only an epoch that is better
  ///     is saved, and until then its values count as the best. Nil if any epoch is better.
  ///   - model: makes the model that is saved, from what the epochs led to so far.
  /// - Throws: ``TrainingError``, ``GraphError`` where the network does not fit the data.
  public convenience init(
    _ graph: TrainingGraph, on split: DataSplit, settings: TrainingSettings, output: String?,
    data: [String: String] = [:], standardization: Standardization? = nil,
    baseline: Score? = nil, backend: any Backend,
    model: @escaping (_ history: [EpochRecord]) throws -> Model
  ) throws {
    let state = Checkpoint.State(
      settings: settings, standardization: standardization, data: data, baseline: baseline)
    try self.init(state, graph, split: split, output: output, backend: backend, model: model)
    if baseline != nil { best = lastGood.filter { modelNames.contains($0.key) } }
  }

  /// Goes on where a checkpoint stopped, to the same bits as if it had not: what the backend chose then,
  /// it chooses again.
  package convenience init(
    resuming checkpoint: Checkpoint, on split: DataSplit, output: String?, backend: any Backend
  ) throws {
    try self.init(
      checkpoint.state, split: split, output: output, backend: checkpoint.backend(from: backend))
    try takeOver(checkpoint)
  }

  /// The same for a network that is no chain, built again as it was.
  package convenience init(
    resuming checkpoint: Checkpoint, _ graph: TrainingGraph, on split: DataSplit, output: String?,
    backend: any Backend, model: @escaping (_ history: [EpochRecord]) throws -> Model
  ) throws {
    try self.init(
      checkpoint.state, graph, split: split, output: output,
      backend: checkpoint.backend(from: backend), model: model)
    try takeOver(checkpoint)
  }

  private convenience init(
    _ state: Checkpoint.State, split: DataSplit, output: String?, backend: any Backend
  ) throws {
    guard let network = state.network else {
      throw TrainingError("the checkpoint does not say what its network is")
    }
    try state.settings.check()
    let settings = state.settings
    let sampleShape = try Batches.sampleShape(of: split.train, settings.augmentation)
    let graph = TrainingGraph(
      network, sampleShape: sampleShape, standardization: state.standardization,
      seed: settings.seed)
    try self.init(state, graph, split: split, output: output, backend: backend) { history in
      try ClassifierFile(
        graph: graph, network: network, classNames: split.train.classNames, history: history,
        settings: settings, data: state.data, scaling: split.train.scaling
      ).model()
    }
  }

  private init(
    _ state: Checkpoint.State, _ graph: TrainingGraph, split: DataSplit, output: String?,
    backend: any Backend, model: @escaping ([EpochRecord]) throws -> Model
  ) throws {
    try state.settings.check()
    if let output { try Self.checkWritable(output) }
    self.state = state
    lastGoodState = state
    settings = state.settings
    self.output = output
    self.backend = backend
    self.graph = graph
    makeModel = model
    if let failure = graph.output.failure { throw failure }
    if let mistake = graph.goal.mistake(graph.output, split.train) {
      throw TrainingError(mistake.message, hint: mistake.hint)
    }
    self.split = try split.checkingLabels()
    for (part, data) in split.parts.dropFirst() where graph.goal != .classes {
      if let mistake = graph.goal.mistake(graph.output, data) {
        throw TrainingError("of the \(part) samples, \(mistake.message)", hint: mistake.hint)
      }
    }
    let objective = TrainingObjective(graph, settings)
    rate = objective.rate
    step = try compile(
      [graph.input, graph.target, rate],
      to: [graph.loss] + (graph.mistakes.map { [$0] } ?? []),
      updates: objective.updates, options: CompileOptions(name: "training step"), on: backend)
    measures = try Measures(graph, on: backend)
    let changed = objective.updates.pairs.compactMap(\.parameter.parameter)
    let used = graph.output.parameters().compactMap(\.parameter)
    parameters = Set(changed + used).sorted { $0.name < $1.name }
    monitor =
      graph.goal == .classes
      ? LossMonitor(classCount: split.train.classCount) : LossMonitor()
    monitor.clip = settings.clip
    try checkMemory()
    lastGood = currentValues()
  }

  /// What a run holds beside the data: the parameters with the state of the update rule, as they are
  /// and as they were when all was well, those of the best epoch, and batches.
  private func checkMemory() throws {
    let (own, best) = (parameters, modelNames)
    let kept = own + own.filter { best.contains($0.name) }
    let shape =
      [min(settings.batchSize, split.train.count)]
      + (try Batches.sampleShape(of: split.train, settings.augmentation))
    let demands =
      own.filter { !$0.hasValue }.map(\.demand) + kept.map(\.demand)
      + [Memory.Demand("a batch", .float32, shape)]
    try Memory.check(
      demands, of: "parameters, those of the last and of the best epoch, and a batch", for: "train")
  }

  private func takeOver(_ checkpoint: Checkpoint) throws {
    try restore(checkpoint.parameters)
    best = checkpoint.best
    lastGood = currentValues()
    step.callCount = state.calls
    timing.before = checkpoint.seconds
  }

  /// Trains until the last epoch, an interruption, or the end of the patience that the settings give.
  ///
  /// - Throws: ``LossFailure`` after restoring the last good state, and errors of the file system.
  public func run(
    interruption: Interruption = Interruption(),
    display: ProgressOutput = .none
  ) throws -> Outcome {
    let batches = try Batches(
      of: split.train, size: settings.batchSize, order: .shuffled(seed: settings.seed),
      augmentation: settings.augmentation.map { ($0, seed: settings.seed) })
    var display = ProgressDisplay(
      epochs: settings.epochs, stepsPerEpoch: batches.count, batchSize: settings.batchSize,
      output: display)
    defer { display.finish() }
    let start = monotonicSeconds()
    timing.start = start
    defer {
      timing.total += monotonicSeconds() - start
      timing.start = nil
    }
    let stream = batches.epochs(state.epoch..<settings.epochs, from: state.batch)
    defer { stream.cancel() }
    while state.epoch < settings.epochs, !isOutOfPatience {
      let isComplete =
        try runEpoch(stream, batches.count, interruption, &display)
        && inPhase("end of the epoch") { try finishEpoch(interruption, &display) }
      guard isComplete else {
        try saveCheckpoint()
        return outcome(wasInterrupted: true)
      }
    }
    return outcome(wasInterrupted: false)
  }

  private func inPhase<Result>(_ name: String, _ body: () throws -> Result) rethrows -> Result {
    guard let phaseObserver else { return try body() }
    let start = ContinuousClock.now
    defer { phaseObserver(name, start, .now) }
    return try body()
  }

  /// What a run that ended before its time led to.
  package var outcomeSoFar: Outcome { outcome(wasInterrupted: true) }

  private func outcome(wasInterrupted: Bool) -> Outcome {
    Outcome(
      history: state.history, bestEpoch: state.bestEpoch, wasInterrupted: wasInterrupted,
      stoppedEarly: !wasInterrupted && state.epoch < settings.epochs,
      constantPrediction: ConstantPrediction(
        state.history, on: split.validation, settings: settings))
  }

  private var isOutOfPatience: Bool {
    guard let patience = settings.patience,
      let best = state.bestEpoch ?? state.baseline.map({ _ in 0 })
    else { return false }
    return state.epoch - best >= patience
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
      if timing.firstStep == nil {
        // It compiles, which may take long, and what is on disk is what the run began with.
        try interruption.losingNothing { try runStep(batch, of: count, &display) }
      } else {
        try runStep(batch, of: count, &display)
      }
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
    case .failed(var failure):
      try goBack()
      failure.data = split.train.nonFiniteNotes(part: "training")
      throw failure
    case .standsStill(let standstill): display.note(standstill.description)
    case nil: break
    }
    state.batch += 1
    state.calls = step.callCount
    state.lossSum += loss * Double(batch.count)
    if let mistakes = graph.mistakes { state.mistakes += results[mistakes].scalar }
    state.samples += batch.count
    timing.samples += batch.count
    display.stepEnded(
      epoch: state.epoch + 1, step: state.batch, loss: state.lossSum / Double(state.samples),
      accuracy: trainingAccuracy)
  }

  /// Of the epoch so far.
  private var trainingAccuracy: Double? {
    graph.mistakes.map { _ in 1 - state.mistakes / Double(max(state.samples, 1)) }
  }

  /// Validation, the record of the epoch, the best model, the checkpoint. False where validation was
  /// interrupted: a run that goes on begins with it.
  private func finishEpoch(
    _ interruption: Interruption, _ display: inout ProgressDisplay
  ) throws -> Bool {
    let start = monotonicSeconds()
    let measured: Measures.Measured?
    do {
      measured = try split.validation.map { try validated($0, interruption) }
    } catch is StoppedEvaluation {
      state.secondsInEpoch += monotonicSeconds() - start
      return false
    }
    let validation = measured?.score
    if let validation { noteNonFinite(validation, &display) }
    let samples = Double(max(state.samples, 1))
    let total = settings.epochs * max(1, state.batch)
    let lastRate =
      settings.rate
      * settings.schedule.factor(step: (state.epoch + 1) * state.batch - 1, of: total)
    let record = EpochRecord(
      epoch: state.epoch + 1, trainingLoss: state.lossSum / samples,
      trainingAccuracy: trainingAccuracy, validationLoss: validation?.loss,
      validationAccuracy: validation?.accuracy, constantPrediction: measured?.constant,
      seconds: state.secondsInEpoch + monotonicSeconds() - start, learningRate: lastRate)
    let isBest = record.isBetter(
      than: state.bestEpoch.map { state.history[$0 - 1].score } ?? state.baseline)
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
      bestEvaluation = measured?.evaluation
      if let output { try model().write(to: output) }
    }
    try saveCheckpoint()
    display.epochEnded(record, isBest: isBest && split.validation != nil)
    return true
  }

  /// The first time it compiles, which may take long: then everything is on disk before.
  private func validated(
    _ data: DataSet, _ interruption: Interruption
  ) throws -> Measures.Measured {
    guard !hasValidated, let checkpointPath else { return try measures(data, interruption) }
    try saveCheckpoint()
    hasValidated = true
    return try interruption.losingNothing(farewell: "stopped; the state is in \(checkpointPath)") {
      try measures(data, interruption)
    }
  }

  /// Says, the first time, why the loss on the validation part is not finite.
  private func noteNonFinite(_ score: Score, _ display: inout ProgressDisplay) {
    guard !score.loss.isFinite,
      state.history.allSatisfy({ $0.validationLoss?.isFinite ?? true })
    else { return }
    let data = split.validation?.nonFiniteNotes(part: "validation") ?? []
    let others = ["the data are finite, what the network makes of them is not"]
    let reasons = data.isEmpty ? others : data
    display.note(
      "the validation loss is \(NumberText.significant(score.loss)) after epoch "
        + "\(state.epoch + 1): \(reasons.joined(separator: "; "))")
  }

  // MARK: States

  /// Whether a file can be written, found out by beginning one; nothing of it remains.
  package static func checkWritable(_ path: String) throws(FileError) {
    try AtomicFile(path).discard()
  }

  private var modelNames: Set<String> {
    Set(graph.output.parameters().compactMap { $0.parameter?.name })
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
    state.seconds = timing.all
    let checkpoint = Checkpoint(state: state, parameters: currentValues(), best: best)
    try checkpoint.write(to: Checkpoint.path(for: output))
  }

  /// Whether there are values that count as the best: those of an epoch, or of before.
  package var hasBest: Bool { !best.isEmpty }

  /// Puts the parameters of the best epoch into the network.
  public func useBest() throws {
    for parameter in parameters {
      if let value = best[parameter.name] { try parameter.assign(value) }
    }
  }

  /// Evaluates the classifier as it is now.
  ///
  /// - Throws: ``TrainingError`` where the network's goal is not to tell classes; see ``score(_:)``.
  public func evaluate(_ dataSet: DataSet) throws -> Evaluation {
    guard let evaluation = try measures(dataSet).evaluation else {
      throw TrainingError("the network tells no classes of \(dataSet.name)")
    }
    return evaluation
  }

  /// Measures the network as it is now, whatever its goal is.
  public func score(_ dataSet: DataSet) throws -> Score { try measures(dataSet).score }

  /// The network as it is now, ready to be saved.
  public func model() throws -> Model { try makeModel(state.history) }

  /// What the run was asked for besides, kept in the checkpoint.
  package var requests: [String: String] {
    get { state.requests ?? [:] }
    set {
      state.requests = newValue
      lastGoodState.requests = newValue
    }
  }

  /// Where the state to go on from lies.
  public var checkpointPath: String? { output.map { Checkpoint.path(for: $0) } }
}

extension EpochRecord {
  /// On the validation part; nil without one.
  fileprivate var score: Score? {
    validationLoss.map { Score(loss: $0, accuracy: validationAccuracy) }
  }

  /// By validation error, then validation loss, or by that alone. A loss that is finite is better than
  /// one that is not; where neither says anything, as without validation, the later epoch is better.
  fileprivate func isBetter(than other: Score?) -> Bool {
    guard let other, let score else { return true }
    if score.loss.isFinite != other.loss.isFinite { return score.loss.isFinite }
    if let accuracy = score.accuracy, let best = other.accuracy, accuracy != best {
      return accuracy > best
    }
    if !score.loss.isFinite { return true }
    return score.accuracy == nil ? score.loss < other.loss : score.loss <= other.loss
  }
}
