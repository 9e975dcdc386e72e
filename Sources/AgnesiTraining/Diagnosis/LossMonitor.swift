#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Watches the loss of each training step, and says when training has failed or stands still.
///
/// **NaN and infinity** are failures at once.
///
/// **Explosion** is measured against the loss that the run began with. Losses of mini-batches are
/// noisy, and towards the end single ones are a hundred times the usual, so neither the last loss
/// nor the lowest can be the measure. With a known ``chanceLoss``, the measure is the larger of it and
/// the first loss (so a resumed run with tiny losses is judged no stricter); otherwise the median of
/// the first 25 losses. Training has failed when
///
/// - one loss is more than 1000 times the measure, or
/// - the median of the last 25 losses is more than 10 times the measure: thirteen of the last 25
///   batches were that bad, which noise around a sound level does not bring about.
///
/// **Standstill**: after 500 steps, the median of the last 100 losses is within 2 % of
/// ``chanceLoss``. It is reported once, as advice: some tasks do start after a long plateau.
public struct LossMonitor: Sendable {
  /// The loss of a network that knows nothing but how frequent the classes are: `ln(classes)` for
  /// equally frequent ones and cross-entropy; nil where there is no such level.
  public let chanceLoss: Double?
  /// What the norm of the gradient is clipped to, for the text; nil where it is not.
  public var clip: Double?

  package static let suddenFactor = 1000.0
  package static let lastingFactor = 10.0
  package static let window = 25
  package static let plateau = 100
  package static let patience = 500

  private var seen = 0
  private var recent: [Double] = []
  private var measure: LossFailure.Measure?
  private var lowestMedian = Double.infinity
  private var hasReportedStandstill = false

  /// A monitor for any loss; `chanceLoss` where the loss of guessing is known.
  public init(chanceLoss: Double? = nil) { self.chanceLoss = chanceLoss }

  /// A monitor for the mean cross-entropy (in nats) over equally frequent classes.
  public init(classCount: Int) { self.init(chanceLoss: log(Double(max(classCount, 2)))) }

  /// What a step's loss tells.
  public enum Finding: Sendable, Equatable {
    /// Training has failed and cannot go on from here.
    case failed(LossFailure)
    /// Training goes on, but learns nothing.
    case standsStill(Standstill)
  }

  /// Takes the loss of a step, in order.
  ///
  /// - Parameters:
  ///   - loss: the mean over the mini-batch.
  ///   - step: for the text; counted over the whole run.
  ///   - epoch: for the text.
  ///   - learningRate: for the text, which names a better one.
  /// - Returns: nil as long as all is well.
  /// - Complexity: a few comparisons; now and then a median of 25 or 100 numbers.
  public mutating func observe(
    _ loss: Double, step: Int, epoch: Int? = nil, learningRate: Double? = nil
  ) -> Finding? {
    if let reason = failure(loss) {
      return .failed(
        LossFailure(
          reason: reason, step: step, epoch: epoch, loss: loss, before: recent.suffix(5),
          course: course, learningRate: learningRate, clip: clip))
    }
    remember(loss)
    return standstill(step: step, learningRate: learningRate).map { .standsStill($0) }
  }

  private func failure(_ loss: Double) -> LossFailure.Reason? {
    if loss.isNaN { return .notANumber }
    if loss.isInfinite { return .infinite }
    guard let measure, measure.level > 0 else { return nil }
    if loss > Self.suddenFactor * measure.level { return .suddenExplosion(measure) }
    let limit = Self.lastingFactor * measure.level
    guard loss > limit, recent.count + 1 >= Self.window else { return nil }
    let median = Self.median(recent.suffix(Self.window - 1) + [loss])
    return median > limit ? .lastingExplosion(measure, median: median) : nil
  }

  private mutating func remember(_ loss: Double) {
    seen += 1
    recent.append(loss)
    if recent.count > Self.plateau { recent.removeFirst() }
    if measure == nil { measure = newMeasure() }
  }

  private func newMeasure() -> LossFailure.Measure? {
    if let chanceLoss, let first = recent.first {
      return first > chanceLoss ? .start(first) : .chance(chanceLoss)
    }
    guard recent.count >= Self.window else { return nil }
    return .start(Self.median(recent.map(abs)))
  }

  /// How the losses went before a failure.
  private var course: LossFailure.Course {
    guard let last = recent.last else { return .none }
    return last > 3 * Self.median(recent) ? .rising : .calm
  }

  private mutating func standstill(step: Int, learningRate: Double?) -> Standstill? {
    guard let chanceLoss, chanceLoss > 0, seen % Self.plateau == 0 else { return nil }
    let median = Self.median(recent)
    defer { lowestMedian = min(lowestMedian, median) }
    guard seen >= Self.patience, !hasReportedStandstill,
      abs(median - chanceLoss) <= 0.02 * chanceLoss
    else { return nil }
    hasReportedStandstill = true
    let hadLearned = lowestMedian < 0.9 * chanceLoss
    return Standstill(
      step: step, median: median, chanceLoss: chanceLoss,
      lowestMedian: hadLearned ? lowestMedian : nil, learningRate: learningRate, clip: clip)
  }

  private static func median(_ values: some Collection<Double>) -> Double {
    let sorted = values.sorted()
    return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
  }
}
