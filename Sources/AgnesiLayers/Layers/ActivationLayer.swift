import AgnesiExpressions

/// A nonlinearity as a layer of its own.
public struct ActivationLayer: Layer {
  public static let kind = "activation"

  /// The function that is applied.
  public var activation: Activation

  /// A layer that applies `activation`.
  public init(_ activation: Activation) { self.activation = activation }

  public func build(_ input: Tensor) -> Tensor { activation(input) }

  public var details: String { activation.description }
}

extension ActivationLayer: Codable {
  private enum Keys: String, CodingKey, CaseIterable { case activation }

  public init(from decoder: any Decoder) throws {
    self.init(try LayerReader(decoder, Self.kind, Keys.self).required(.activation))
  }

  public func encode(to encoder: any Encoder) throws {
    var fields = LayerWriter(encoder, Keys.self)
    try fields.write(.activation, activation)
  }
}

/// Images enlarged by whole factors.
public struct Upsample2D: Layer {
  public static let kind = "upsample"

  /// What height and width are multiplied by, each at least 1.
  public var factors: Extent2D
  /// What stands between the elements.
  public var mode: Upsampling

  /// A layer that enlarges images `factors` times; by default each element fills its block.
  public init(by factors: Extent2D = 2, mode: Upsampling = .repeated) {
    self.factors = factors
    self.mode = mode
  }

  public func build(_ input: Tensor) -> Tensor {
    rankMistake(input)
      ?? upsampled2D(input, by: factors.numbers, mode: mode)
  }

  public var details: String { mode == .repeated ? "\(factors)" : "\(factors), \(mode.rawValue)" }
}

extension Upsample2D: Codable {
  private enum Keys: String, CodingKey, CaseIterable { case factors, mode }

  public init(from decoder: any Decoder) throws {
    let fields = try LayerReader(decoder, Self.kind, Keys.self)
    self.init(
      by: try fields.value(.factors, or: 2), mode: try fields.value(.mode, or: .repeated))
  }

  public func encode(to encoder: any Encoder) throws {
    var fields = LayerWriter(encoder, Keys.self)
    try fields.write(.factors, factors)
    try fields.write(.mode, mode, unless: .repeated)
  }
}
