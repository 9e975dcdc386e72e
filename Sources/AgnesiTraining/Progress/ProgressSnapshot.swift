/// Where a training run is, for showing.
public struct ProgressSnapshot: Sendable, Equatable {
  /// The running epoch, from 1.
  public var epoch: Int
  /// All epochs of the run.
  public var epochs: Int
  /// Steps of this epoch that are done.
  public var step: Int
  /// Steps of an epoch.
  public var stepsPerEpoch: Int
  /// Samples of a full mini-batch.
  public var batchSize: Int
  /// The mean loss of this epoch so far.
  public var loss: Double?
  /// The fraction of this epoch's samples classified rightly so far, 0...1.
  public var accuracy: Double?
  /// Measured over the last seconds.
  public var secondsPerStep: Double?
  /// Until the end of the last epoch.
  public var secondsLeft: Double?

  /// A snapshot with the given parts.
  public init(
    epoch: Int, epochs: Int, step: Int, stepsPerEpoch: Int, batchSize: Int, loss: Double? = nil,
    accuracy: Double? = nil, secondsPerStep: Double? = nil, secondsLeft: Double? = nil
  ) {
    self.epoch = epoch
    self.epochs = epochs
    self.step = step
    self.stepsPerEpoch = stepsPerEpoch
    self.batchSize = batchSize
    self.loss = loss
    self.accuracy = accuracy
    self.secondsPerStep = secondsPerStep
    self.secondsLeft = secondsLeft
  }

  /// The part of this epoch that is done, 0...1.
  package var fraction: Double {
    stepsPerEpoch > 0 ? min(max(Double(step) / Double(stepsPerEpoch), 0), 1) : 0
  }
}
