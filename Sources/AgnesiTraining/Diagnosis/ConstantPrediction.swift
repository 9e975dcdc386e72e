/// A classifier that takes every sample for the same class, though they are of several: units that
/// died, or inputs that say nothing.
public struct ConstantPrediction: Hashable, Sendable, CustomStringConvertible {
  /// The class, from 0.
  public let label: Int
  /// Its name, or its number.
  public let className: String
  /// What the samples are of, such as `test`.
  public let part: String
  /// How many samples there are.
  public let count: Int
  /// The epoch after which it began, of a run that ended so; nil for a model.
  public let sinceEpoch: Int?
  /// How the network was trained, where that is known.
  public let settings: TrainingSettings?
  /// What is wrong with the samples where it is they that are to blame: most of them are no numbers.
  public let cause: String?

  /// Of a model.
  ///
  /// - Parameters:
  ///   - evaluation: what it said of the samples.
  ///   - part: what they are of, such as `test`.
  ///   - settings: how it was trained, which says what to try.
  ///   - data: the samples, which may be to blame.
  /// - Returns: nil where predictions differ, or all samples are of one class.
  public init?(
    _ evaluation: Evaluation, part: String, classNames: [String],
    settings: TrainingSettings? = nil, data: DataSet? = nil
  ) {
    guard let label = evaluation.constantPrediction else { return nil }
    self.init(
      label, part: part, count: evaluation.count, classNames: classNames, settings: settings,
      data: data)
  }

  /// Of a run that ended so, after each epoch from some epoch on.
  init?(_ history: [EpochRecord], on validation: DataSet?, settings: TrainingSettings) {
    guard let validation, let label = history.last?.constantPrediction else { return nil }
    let first = history.reversed().prefix { $0.constantPrediction != nil }.last
    self.init(
      label, part: "validation", count: validation.count, classNames: validation.classNames,
      sinceEpoch: first?.epoch, settings: settings, data: validation)
  }

  private init(
    _ label: Int, part: String, count: Int, classNames: [String], sinceEpoch: Int? = nil,
    settings: TrainingSettings?, data: DataSet?
  ) {
    self.label = label
    self.part = part
    self.count = count
    self.sinceEpoch = sinceEpoch
    self.settings = settings
    // What is no number says nothing, and of nothing the network says one class.
    let isToBlame = data.map { data in
      NonFiniteSamples(data.inputs).map { 2 * $0.count > data.count } ?? false
    }
    cause = isToBlame == true ? data?.nonFiniteNotes(part: part).first : nil
    className = classNames.indices.contains(label) ? classNames[label] : String(label)
  }

  /// One sentence: what is the case, and what to try.
  public var description: String {
    let subject = sinceEpoch.map { "from epoch \($0) on the network takes" } ?? "the model takes"
    let fact = "\(subject) all \(count) \(part) samples for class \"\(className)\""
    return (cause ?? settings.map(advice)).map { "\(fact): \($0)" } ?? fact
  }

  private func advice(_ settings: TrainingSettings) -> String {
    let rate = Hint.lowerRate.text(settings.rate)
    let clip = settings.clip == nil ? " clip the norm of the gradients (--clip 1)," : ""
    return "try \(rate),\(clip) and see whether the inputs differ"
  }
}

extension Trainer {
  /// What a person must know of a run that ended: that the model takes all test samples for one class,
  /// or the network of the last epoch all validation samples. Nil where neither is so.
  public func constantPrediction(
    _ outcome: Outcome, test: Evaluation?, part: String = "test"
  ) -> ConstantPrediction? {
    let names = split.train.classNames
    let data = split.parts.first { $0.name == part }?.data
    return test.flatMap {
      ConstantPrediction($0, part: part, classNames: names, settings: settings, data: data)
    } ?? outcome.constantPrediction
  }
}
