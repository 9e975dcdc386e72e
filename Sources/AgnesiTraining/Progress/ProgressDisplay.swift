/// Shows how training goes: on a terminal one line, redrawn at most ten times a second, above which
/// finished epochs stay; elsewhere a line for each epoch and, in between, at most one every ten
/// seconds.
///
/// The cursor is never hidden and colours are reset at the end of each write, so whatever ends the
/// process leaves the terminal in order.
public struct ProgressDisplay: Sendable {
  private static let redrawInterval = 0.1
  private static let lineInterval = 10.0

  private let epochs: Int
  private let stepsPerEpoch: Int
  private let batchSize: Int
  private let output: ProgressOutput
  private let clock: @Sendable () -> Double
  private var estimate = TimeEstimate()
  /// When something was last written; before that, when the first step ended.
  private var lastWritten: Double?
  /// Whether the cursor stands behind a line that may be overwritten.
  private var hasOpenLine = false

  /// A display for a run.
  ///
  /// - Parameters:
  ///   - epochs: of the whole run, those before a resumption included.
  ///   - stepsPerEpoch: mini-batches of an epoch.
  ///   - batchSize: samples of a full mini-batch.
  public init(
    epochs: Int, stepsPerEpoch: Int, batchSize: Int,
    output: ProgressOutput = .standardError()
  ) {
    self.init(
      epochs: epochs, stepsPerEpoch: stepsPerEpoch, batchSize: batchSize, output: output,
      clock: { monotonicSeconds() })
  }

  package init(
    epochs: Int, stepsPerEpoch: Int, batchSize: Int, output: ProgressOutput,
    clock: @escaping @Sendable () -> Double
  ) {
    self.epochs = epochs
    self.stepsPerEpoch = stepsPerEpoch
    self.batchSize = batchSize
    self.output = output
    self.clock = clock
  }

  /// Counts a finished step, and shows it if it is time to.
  ///
  /// - Parameters:
  ///   - epoch: from 1.
  ///   - step: steps of this epoch that are done, from 1.
  ///   - loss: the mean of this epoch so far.
  ///   - accuracy: the fraction of this epoch so far, 0...1.
  public mutating func stepEnded(
    epoch: Int, step: Int, loss: Double? = nil, accuracy: Double? = nil
  ) {
    let now = clock()
    estimate.stepEnded(at: now)
    guard isDue(now) else { return }
    lastWritten = now
    let snapshot = snapshot(epoch: epoch, step: step, loss: loss, accuracy: accuracy)
    if output.isTerminal {
      // The last column stays free: some terminals go to the next line when it is filled.
      let line = ProgressLine.live(snapshot, width: output.width() - 1, style: output.style)
      output.write("\r\(line)\u{1B}[K")
      hasOpenLine = true
    } else {
      output.write(ProgressLine.plain(snapshot) + "\n")
    }
  }

  /// Writes the line of a finished epoch.
  public mutating func epochEnded(_ record: EpochRecord, isBest: Bool = false) {
    let now = clock()
    estimate.epochEnded(at: now)
    lastWritten = output.isTerminal ? nil : now
    writeLine(ProgressLine.epoch(record, of: epochs, isBest: isBest))
  }

  /// Writes a line that stays.
  public mutating func note(_ text: String) {
    writeLine(text)
    // The line that was overwritten comes back with the next step.
    if output.isTerminal { lastWritten = nil }
  }

  /// Ends the line that is being redrawn, if there is one.
  public mutating func finish() {
    if hasOpenLine { output.write("\n") }
    hasOpenLine = false
  }

  private mutating func writeLine(_ text: String) {
    output.write((hasOpenLine ? "\r\u{1B}[K" : "") + text + "\n")
    hasOpenLine = false
  }

  private mutating func isDue(_ now: Double) -> Bool {
    guard let lastWritten else {
      // A terminal shows the first step at once; lines begin after the first interval.
      if !output.isTerminal { self.lastWritten = now }
      return output.isTerminal
    }
    return now - lastWritten >= (output.isTerminal ? Self.redrawInterval : Self.lineInterval)
  }

  private func snapshot(
    epoch: Int, step: Int, loss: Double?, accuracy: Double?
  ) -> ProgressSnapshot {
    let epochsLeft = max(epochs - epoch, 0)
    return ProgressSnapshot(
      epoch: epoch, epochs: epochs, step: step, stepsPerEpoch: stepsPerEpoch,
      batchSize: batchSize, loss: loss, accuracy: accuracy,
      secondsPerStep: estimate.secondsPerStep,
      secondsLeft: estimate.secondsLeft(
        steps: max(stepsPerEpoch - step, 0) + epochsLeft * stepsPerEpoch,
        epochEnds: epochsLeft + 1))
  }
}
