/// What one pass over the training data led to.
public struct EpochRecord: Sendable, Equatable, Codable {
  /// Counted from 1.
  public var epoch: Int
  /// The mean loss over the epoch's mini-batches, while the parameters changed.
  public var trainingLoss: Double
  /// The fraction of training samples classified rightly, 0...1, while the parameters changed.
  public var trainingAccuracy: Double?
  /// The mean loss on the validation set after the epoch.
  public var validationLoss: Double?
  /// The fraction of the validation set classified rightly, 0...1, after the epoch.
  public var validationAccuracy: Double?
  /// The class that every sample of the validation set was taken for, where they are of several; nil
  /// where predictions differed.
  public var constantPrediction: Int?
  /// Wall-clock seconds, validation included.
  public var seconds: Double
  /// The learning rate of the epoch's last step.
  public var learningRate: Double?

  /// A record with the given parts.
  public init(
    epoch: Int, trainingLoss: Double, trainingAccuracy: Double? = nil,
    validationLoss: Double? = nil, validationAccuracy: Double? = nil,
    constantPrediction: Int? = nil, seconds: Double, learningRate: Double? = nil
  ) {
    self.epoch = epoch
    self.trainingLoss = trainingLoss
    self.trainingAccuracy = trainingAccuracy
    self.validationLoss = validationLoss
    self.validationAccuracy = validationAccuracy
    self.constantPrediction = constantPrediction
    self.seconds = seconds
    self.learningRate = learningRate
  }
}
