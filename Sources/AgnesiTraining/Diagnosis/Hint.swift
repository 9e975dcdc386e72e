/// Something to try when training fails or stands still.
package enum Hint: Sendable, Equatable {
  case lowerRate, otherRates, clipGradients, checkData, checkLabels, scaleInput, guardFormulas
  case initialisation, deadUnits, mendData

  /// The hints as numbered lines under a heading.
  ///
  /// - Parameter clip: what the norm of the gradient is clipped to already.
  package static func lines(
    _ hints: [Hint], learningRate: Double?, clip: Double?
  ) -> [String] {
    ["  what to try, likeliest first:"]
      + hints.enumerated().map { "    \($0 + 1). \($1.text(learningRate, clip: clip))" }
  }

  package func text(_ learningRate: Double?, clip: Double? = nil) -> String {
    switch self {
    case .lowerRate:
      let better = learningRate.map { ", \(Self.rate($0 / 10)) instead of \(Self.rate($0))" }
      return "a learning rate ten times smaller\(better ?? "")"
    case .otherRates:
      let both = learningRate.map { ": \(Self.rate($0 / 10)) and \(Self.rate($0 * 10))" }
      return "learning rates ten times smaller and ten times larger\(both ?? "")"
    case .clipGradients:
      guard let clip else {
        return "clip the norm of the gradients, for example to 1 (--clip 1)"
      }
      let lower = Self.rate(clip / 10)
      return "clip the norm of the gradients to \(lower) instead of \(Self.rate(clip))"
        + " (--clip \(lower))"
    case .checkData:
      return "look for NaN, infinite or huge values in the inputs and targets"
    case .mendData:
      return "replace the numbers that are NaN or infinite, or leave these samples out"
    case .checkLabels:
      return "check that labels belong to their samples, also after shuffling"
    case .scaleInput:
      return "standardise the inputs: mean 0, standard deviation 1"
    case .guardFormulas:
      return "in formulas of your own: log, square root or division at zero, exp of large values"
    case .initialisation:
      return "initial weights of the right size: He for ReLU, Glorot for tanh and sigmoid"
    case .deadUnits:
      return "see whether ReLU units became zero for all samples; a leaky ReLU cannot"
    }
  }

  /// A learning rate without the zeros that say nothing: `0.05`, `0.001`.
  package static func rate(_ value: Double) -> String {
    var text = NumberText.significant(value)
    if text.contains("e") || !text.contains(".") { return text }
    while text.hasSuffix("0") { text.removeLast() }
    return text.hasSuffix(".") ? String(text.dropLast()) : text
  }
}
