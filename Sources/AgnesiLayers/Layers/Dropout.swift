import AgnesiExpressions

/// In training, each element becomes 0 with probability `rate` and the others grow by
/// `1 / (1 − rate)`; nothing happens in inference.
///
/// Source: Srivastava et al., *Dropout*, JMLR 2014.
public struct Dropout: Layer {
  public static let kind = "dropout"

  /// In `0..<1`.
  public var rate: Double
  /// Axes along which all elements share their fate: `[2, 3]` drops whole channels of images.
  public var sharedAxes: [Int]
  /// What the name of the random stream begins with; kind and number where nil.
  public var name: String?

  /// Half of the elements, each on its own, unless said otherwise.
  public init(_ rate: Double = 0.5, sharedAxes: [Int] = [], name: String? = nil) {
    self.rate = rate
    self.sharedAxes = sharedAxes
    self.name = name
  }

  public func build(_ input: Tensor) -> Tensor {
    dropout(input, rate: rate, sharedAxes: sharedAxes, name: "mask")
  }

  public var details: String { "\(rate)" }
}

extension Dropout: Codable {
  private enum Keys: String, CodingKey, CaseIterable { case rate, sharedAxes, name }

  public init(from decoder: any Decoder) throws {
    let fields = try LayerReader(decoder, Self.kind, Keys.self)
    self.init(
      try fields.value(.rate, or: 0.5), sharedAxes: try fields.value(.sharedAxes, or: []),
      name: try fields.optional(.name))
  }

  public func encode(to encoder: any Encoder) throws {
    var fields = LayerWriter(encoder, Keys.self)
    try fields.write(.rate, rate)
    try fields.write(.sharedAxes, sharedAxes, unless: [])
    try fields.write(.name, ifAny: name)
  }
}
