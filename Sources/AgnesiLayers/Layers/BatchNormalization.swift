import AgnesiArrays
import AgnesiExpressions

/// Each channel with mean 0 and deviation 1 over the mini-batch, then scaled and shifted by learned
/// numbers; in inference by running averages of the statistics.
///
/// Input `[batch, channels, …]`, or `[batch, features]`. Parameters, one number for each channel:
/// `scale`, `offset`, `runningMean`, `runningVariance`. The running averages change in a step whose
/// update rule changes `scale` or `offset` (see `Updates`).
///
/// In a ``Chain`` it stands directly behind a dense or convolution layer, which then has no bias (the
/// mean would take it away) and whose nonlinearity follows the normalisation.
///
/// Source: Ioffe & Szegedy, *Batch Normalization*, 2015.
public struct BatchNormalization: Layer {
  public static let kind = "batchNormalization"

  /// Added to the variance.
  public var epsilon: Double
  /// The weight of the new batch in the running averages, in `0...1`.
  public var weightOfNew: Double
  /// Nil for none. Not subject to weight penalties.
  public var scale: ParameterSource?
  /// Nil for none.
  public var offset: ParameterSource?
  /// What parameters' names begin with; kind and number where nil.
  public var name: String?

  /// The usual numbers fit most networks; `scale` and `offset` begin at 1 and 0.
  public init(
    epsilon: Double = 1e-5, weightOfNew: Double = 0.1, scale: ParameterSource? = .ones,
    offset: ParameterSource? = .zeros, name: String? = nil
  ) {
    self.epsilon = epsilon
    self.weightOfNew = weightOfNew
    self.scale = scale
    self.offset = offset
    self.name = name
  }

  public func build(_ input: Tensor) -> Tensor {
    guard input.rank >= 2 else {
      return mistake("needs at least 2 axes, [batch, channels, …], got \(input.type)", input)
    }
    guard input.dtype.isFloating else {
      return mistake(
        "needs floating input, got \(input.dtype)", input,
        hint: input.dtype.conversionHint(to: .float32))
    }
    guard input.shape[1].known != nil else {
      return mistake("needs a known number of channels, got \(input.shape[1])", input)
    }
    func vector(_ source: ParameterSource, _ name: String, _ tags: ParameterTags) -> Tensor {
      // Statistics of 16-bit floats are float32.
      source.tensor(name, [input.shape[1]], input.dtype.computed, tags)
    }
    return batchNormalized(
      input, scale: scale.map { vector($0, "scale", .trainable) },
      offset: offset.map { vector($0, "offset", .trainable) },
      runningMean: vector(.zeros, "runningMean", .statistic),
      runningVariance: vector(.ones, "runningVariance", .statistic),
      epsilon: epsilon, weightOfNew: weightOfNew
    ).output
  }
}

extension BatchNormalization: Codable {
  private enum Keys: String, CodingKey, CaseIterable {
    case epsilon, weightOfNew, scale, offset, name
  }

  public init(from decoder: any Decoder) throws {
    let fields = try LayerReader(decoder, Self.kind, Keys.self)
    self.init(
      epsilon: try fields.value(.epsilon, or: 1e-5),
      weightOfNew: try fields.value(.weightOfNew, or: 0.1),
      scale: try fields.value(.scale, orNil: .ones),
      offset: try fields.value(.offset, orNil: .zeros), name: try fields.optional(.name))
  }

  public func encode(to encoder: any Encoder) throws {
    var fields = LayerWriter(encoder, Keys.self)
    try fields.write(.epsilon, epsilon, unless: 1e-5)
    try fields.write(.weightOfNew, weightOfNew, unless: 0.1)
    try fields.write(.scale, scale, unless: .ones)
    try fields.write(.offset, offset, unless: .zeros)
    try fields.write(.name, ifAny: name)
  }
}
