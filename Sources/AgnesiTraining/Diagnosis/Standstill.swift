/// A loss that stays where guessing would put it, and what to try.
public struct Standstill: Equatable, Sendable, CustomStringConvertible {
  /// The step after which it was noticed.
  public let step: Int
  /// The median of the last 100 losses.
  public let median: Double
  /// The loss of guessing.
  public let chanceLoss: Double
  /// The lowest median of 100 losses before, where the network had learned something already.
  public let lowestMedian: Double?
  /// The learning rate, where known.
  public let learningRate: Double?
  /// What the norm of the gradient was clipped to; nil where it was not.
  public let clip: Double?

  package init(
    step: Int, median: Double, chanceLoss: Double, lowestMedian: Double?, learningRate: Double?,
    clip: Double? = nil
  ) {
    self.step = step
    self.median = median
    self.chanceLoss = chanceLoss
    self.lowestMedian = lowestMedian
    self.learningRate = learningRate
    self.clip = clip
  }

  public var description: String {
    ([headline] + Hint.lines(hints, learningRate: learningRate, clip: clip)).joined(separator: "\n")
  }

  private var headline: String {
    let (level, chance) = (NumberText.significant(median), NumberText.significant(chanceLoss))
    guard let lowestMedian else {
      return "the network does not learn: after \(step) steps the loss is \(level), "
        + "and guessing gives \(chance)"
    }
    return "the network has forgotten what it learned: by step \(step) the loss is back at "
      + "\(level), after \(NumberText.significant(lowestMedian)), and guessing gives \(chance)"
  }

  /// What to try, likeliest first.
  package var hints: [Hint] {
    lowestMedian == nil
      ? [.otherRates, .checkLabels, .scaleInput, .initialisation]
      : [.lowerRate, .clipGradients, .deadUnits]
  }
}
