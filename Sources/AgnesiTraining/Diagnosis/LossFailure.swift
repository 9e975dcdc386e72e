#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A loss from which training cannot go on: where, what came before, and what to try.
public struct LossFailure: Error, Equatable, Sendable, CustomStringConvertible, LocalizedError {
  /// What is wrong with the loss.
  public enum Reason: Sendable, Equatable {
    /// It is no number.
    case notANumber
    /// It is infinite.
    case infinite
    /// It alone is more than 1000 times the measure.
    case suddenExplosion(Measure)
    /// The median of the last 25 losses is more than 10 times the measure.
    case lastingExplosion(Measure, median: Double)
  }

  /// What an exploding loss is compared with.
  public enum Measure: Sendable, Equatable {
    /// The level at the start of the run.
    case start(Double)
    /// The loss of guessing.
    case chance(Double)

    /// The loss itself.
    public var level: Double {
      switch self {
      case .start(let level), .chance(let level): level
      }
    }

    fileprivate var text: String {
      switch self {
      case .start(let level): "the \(NumberText.significant(level)) of the start"
      case .chance(let level): "the \(NumberText.significant(level)) of guessing"
      }
    }
  }

  /// How the losses before went, which says where to look first.
  public enum Course: Sendable, Equatable {
    /// There were none.
    case none
    /// They were as always.
    case calm
    /// They were growing already.
    case rising
  }

  /// What is wrong.
  public let reason: Reason
  /// The step whose loss it is.
  public let step: Int
  /// The epoch, where known.
  public let epoch: Int?
  /// The loss of the step.
  public let loss: Double
  /// The last losses before, at most five, oldest first.
  public let before: [Double]
  /// How the losses before went.
  public let course: Course
  /// The learning rate of the step, where known.
  public let learningRate: Double?
  /// What the norm of the gradient was clipped to; nil where it was not.
  public let clip: Double?
  /// Which training samples are not finite: sentences, where there are such samples.
  public var data: [String] = []

  package init(
    reason: Reason, step: Int, epoch: Int?, loss: Double, before: some Sequence<Double>,
    course: Course, learningRate: Double?,
    clip: Double? = nil
  ) {
    self.reason = reason
    self.step = step
    self.epoch = epoch
    self.loss = loss
    self.before = Array(before)
    self.course = course
    self.learningRate = learningRate
    self.clip = clip
  }

  public var description: String {
    let losses = before.map { NumberText.significant($0) }.joined(separator: ", ")
    var lines = [headline]
    lines.append("  losses before: \(before.isEmpty ? "none, this is the first" : losses)")
    if let learningRate { lines.append("  learning rate: \(Hint.rate(learningRate))") }
    lines += data.map { "  data: \($0)" }
    lines += Hint.lines(hints, learningRate: learningRate, clip: clip)
    return lines.joined(separator: "\n")
  }

  public var errorDescription: String? { description }

  /// What happened, and when.
  package var headline: String {
    let place = "step \(step)\(epoch.map { " (epoch \($0))" } ?? "")"
    switch reason {
    case .notANumber: return "the loss became NaN at \(place)"
    case .infinite: return "the loss became infinite at \(place)"
    case .suddenExplosion(let measure):
      return "the loss exploded at \(place): \(NumberText.significant(loss)), "
        + "more than 1000 times \(measure.text)"
    case .lastingExplosion(let measure, let median):
      return "the loss exploded by \(place): the median of the last 25 losses is "
        + "\(NumberText.significant(median)), more than 10 times \(measure.text)"
    }
  }

  /// What to try, likeliest first.
  package var hints: [Hint] {
    // With such samples no rate leads to a loss that is a number.
    if !data.isEmpty { return [.mendData] }
    return switch (course, reason) {
    case (.none, _):
      // No update has happened yet, so neither rate nor gradients can be at fault.
      [.checkData, .scaleInput, .guardFormulas, .initialisation]
    case (_, .lastingExplosion), (.rising, _):
      [.lowerRate, .clipGradients, .scaleInput, .initialisation]
    case (.calm, .notANumber):
      [.checkData, .guardFormulas, .lowerRate, .clipGradients]
    case (.calm, _):
      [.lowerRate, .clipGradients, .checkData, .guardFormulas]
    }
  }
}
