import AgnesiArrays
import AgnesiExpressions

extension CodingUserInfoKey {
  /// Layers of one's own (`[any Layer.Type]`) that a decoder reads beside those here.
  public static let layerTypes = CodingUserInfoKey(rawValue: "agnesi.layers") ?? fallback

  // The initializer never fails; its type is optional all the same.
  private static var fallback: CodingUserInfoKey {
    internalError("a key of user info has no name")
  }
}

/// A layer with its kind, as one object: `{"kind": "dense", "units": 10}`.
private struct DescribedLayer: Codable {
  let layer: any Layer

  static let known: [any Layer.Type] = [
    ActivationLayer.self, AveragePool2D.self, BatchNormalization.self, Chain.self,
    Convolution2D.self, Dense.self, Dropout.self, Flatten.self, GlobalAveragePool2D.self,
    MaxPool2D.self, Reshape.self, TransposedConvolution2D.self, Upsample2D.self,
  ]

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: AnyKey.self)
    try container.encode(type(of: layer).kind, forKey: .kind)
    try layer.encode(to: encoder)
  }

  init(_ layer: any Layer) { self.layer = layer }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: AnyKey.self)
    let kind = try container.decode(String.self, forKey: .kind)
    let own = decoder.userInfo[.layerTypes] as? [any Layer.Type] ?? []
    guard let type = (own + Self.known).first(where: { $0.kind == kind }) else {
      let kinds = (own + Self.known).map { $0.kind }
      let hint = NearestNames.question(
        kind, in: kinds, otherwise: "there are \(kinds.joined(separator: ", "))")
      throw DecodingError.dataCorruptedError(
        forKey: .kind, in: container,
        debugDescription: "no layer is called \"\(kind)\"; \(hint)")
    }
    layer = try type.init(from: decoder)
  }
}

extension Chain: Codable {
  private enum Keys: String, CodingKey, CaseIterable { case layers, name }

  /// `{"layers": [{"kind": "dense", "units": 10}]}`
  ///
  /// Layers of one's own are named to the decoder by ``CodingUserInfoKey/layerTypes``.
  public init(from decoder: any Decoder) throws {
    let fields = try LayerReader(decoder, Self.kind, Keys.self)
    let layers: [DescribedLayer] = try fields.required(.layers)
    self.init(layers.map(\.layer), name: try fields.optional(.name))
  }

  public func encode(to encoder: any Encoder) throws {
    var fields = LayerWriter(encoder, Keys.self)
    try fields.write(.layers, layers.map(DescribedLayer.init))
    try fields.write(.name, ifAny: name)
  }
}
