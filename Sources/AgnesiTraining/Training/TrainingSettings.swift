import AgnesiLayers

/// How a network is trained: everything that, with the data and the network, determines the result.
public struct TrainingSettings: Codable, Sendable, Hashable {
  public var epochs: Int
  /// Samples of a mini-batch.
  public var batchSize: Int
  /// Of initial values, the order of samples, dropout, and the part held out for validation.
  public var seed: UInt64
  public var optimizer: Optimizer
  /// The largest learning rate; the schedule multiplies it.
  public var rate: Double
  public var schedule: Schedule
  /// The weight of the sum of squared weights in the loss.
  public var weightPenalty: Double
  /// The largest norm of the gradient of all parameters together; a longer one is shortened to it,
  /// its direction stays. Nil for any length. Source: Pascanu et al. 2013, §3.2.
  public var clip: Double?
  /// Ends the run after so many epochs without a better one; nil trains to the last epoch.
  public var patience: Int?
  /// Factors of the rate for parameters whose names begin with these words; the longest beginning
  /// counts, and `""` begins every name. With a factor of 0 a parameter stays as it is. Nil: all learn
  /// at the same rate.
  public var rateFactors: [String: Double]?
  /// What happens to each training sample, anew in each epoch; nil for nothing.
  public var augmentation: Augmentation?

  /// What the gradient's norm is clipped to unless something else is said: 2 for mini-batches of 100
  /// samples or more.
  ///
  /// Without a limit single mini-batches can have gradients of a norm of 30 to 100; at a rate that suits
  /// the others, one such step throws the weights to where no unit of a ReLU network answers any more.
  /// Smaller mini-batches have noisier gradients, and an epoch has more of them: the limit falls with the
  /// root of their size, so that random steps lead equally far in an epoch.
  public static func usualClip(batchSize: Int) -> Double {
    2 * min(1, Double(max(batchSize, 1)) / 100).squareRoot()
  }

  /// Samples of a mini-batch that suit a data set: 100, and of small sets so few that an epoch has
  /// about 50 steps, at least 10.
  ///
  /// - Parameter samples: those to learn from.
  public static func usualBatchSize(samples: Int) -> Int { min(100, max(10, samples / 50)) }

  /// How a gradient is limited, before it is known how large a mini-batch is.
  public enum Clip: Hashable, Sendable {
    /// To ``usualClip(batchSize:)``.
    case usual
    /// Not at all.
    case none
    /// To this norm.
    case norm(Double)

    /// The norm, where there is a limit.
    public func limit(batchSize: Int) -> Double? {
      switch self {
      case .usual: usualClip(batchSize: batchSize)
      case .none: nil
      case .norm(let limit): limit
      }
    }
  }

  /// Settings with these numbers; the defaults are those of `agnesi train` for 5,000 samples or more.
  ///
  /// - Parameter rate: by default the optimiser's usual one.
  public init(
    epochs: Int = 25, batchSize: Int = 100, seed: UInt64 = 0, optimizer: Optimizer = .nesterov(),
    rate: Double? = nil, schedule: Schedule = .oneCycle(), weightPenalty: Double = 0,
    clip: Clip = .usual, patience: Int? = nil,
    rateFactors: [String: Double]? = nil, augmentation: Augmentation? = nil
  ) {
    self.epochs = epochs
    self.batchSize = batchSize
    self.seed = seed
    self.optimizer = optimizer
    self.rate = rate ?? optimizer.usualRate
    self.schedule = schedule
    self.weightPenalty = weightPenalty
    self.clip = clip.limit(batchSize: batchSize)
    self.patience = patience
    self.rateFactors = rateFactors
    self.augmentation = augmentation
  }

  /// What is wrong with the settings, if anything: a sentence.
  package var mistake: String? {
    if epochs < 1 { return "epochs is \(epochs), it must be at least 1" }
    if batchSize < 1 { return "the batch size is \(batchSize), it must be at least 1" }
    if batchSize > Int(Int32.max) {
      return "the batch size is \(batchSize), it must be at most \(Int32.max)"
    }
    if !(rate.isFinite && rate > 0) { return "the learning rate is \(rate), it must be positive" }
    if !(weightPenalty >= 0) {
      return "the weight penalty is \(weightPenalty), it must not be negative"
    }
    if let clip, !(clip.isFinite && clip > 0) {
      return "the gradient is clipped to a norm of \(clip), it must be positive"
    }
    if let patience, patience < 1 { return "the patience is \(patience), it must be at least 1" }
    if let wrong = rateFactors?.first(where: { !($0.value.isFinite && $0.value >= 0) }) {
      return "the rate's factor for \"\(wrong.key)\" is \(wrong.value), it must not be negative"
    }
    if let mistake = augmentation?.mistake { return mistake }
    return nil
  }

  /// - Throws: ``TrainingError`` for a setting that cannot be.
  package func check() throws(TrainingError) {
    if let mistake { throw TrainingError(mistake) }
  }
}

/// A mistake in how training was asked for.
public struct TrainingError: Error, Sendable, Hashable, CustomStringConvertible {
  public var message: String
  public var hint: String?

  package init(_ message: String, hint: String? = nil) {
    self.message = message
    self.hint = hint
  }

  public var description: String {
    let first = "train: \(message)"
    return hint.map { "\(first)\n  hint: \($0)" } ?? first
  }
}
