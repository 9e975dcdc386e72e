import AgnesiExpressions

// How the layers here are written and read: fields at their usual values are left out, missing ones
// get their usual values, and a field that the layer does not have is a mistake.

typealias LayerKeys = CodingKey & CaseIterable & RawRepresentable<String>

/// Reads the fields of a layer.
struct LayerReader<Keys: LayerKeys> {
  private let container: KeyedDecodingContainer<Keys>

  init(_ decoder: any Decoder, _ kind: String, _: Keys.Type) throws {
    container = try decoder.container(keyedBy: Keys.self)
    let given = try decoder.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue)
    let known = Keys.allCases.map(\.rawValue)
    for key in given.sorted() where !known.contains(key) && key != AnyKey.kind.stringValue {
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: decoder.codingPath,
          debugDescription: "\(kind) has no field \"\(key)\"; its fields are "
            + known.joined(separator: ", ")))
    }
  }

  func required<Value: Decodable>(_ key: Keys) throws -> Value {
    try container.decode(Value.self, forKey: key)
  }

  func optional<Value: Decodable>(_ key: Keys) throws -> Value? {
    try container.decodeIfPresent(Value.self, forKey: key)
  }

  func value<Value: Decodable>(_ key: Keys, or usual: Value) throws -> Value {
    try container.decodeIfPresent(Value.self, forKey: key) ?? usual
  }

  /// `null` says that there is none; a missing field is the usual one.
  func value<Value: Decodable>(_ key: Keys, orNil usual: Value?) throws -> Value? {
    container.contains(key) ? try container.decodeIfPresent(Value.self, forKey: key) : usual
  }
}

/// Writes the fields of a layer.
struct LayerWriter<Keys: LayerKeys> {
  private var container: KeyedEncodingContainer<Keys>

  init(_ encoder: any Encoder, _: Keys.Type) { container = encoder.container(keyedBy: Keys.self) }

  mutating func write<Value: Encodable>(_ key: Keys, _ value: Value) throws {
    try container.encode(value, forKey: key)
  }

  mutating func write<Value: Encodable>(_ key: Keys, ifAny value: Value?) throws {
    try container.encodeIfPresent(value, forKey: key)
  }

  mutating func write<Value: Encodable & Equatable>(
    _ key: Keys, _ value: Value, unless usual: Value
  ) throws {
    if value != usual { try container.encode(value, forKey: key) }
  }
}

/// Any key of an object.
struct AnyKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }

  init?(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
  private init(_ text: String) { stringValue = text }

  /// The key that tells which layer an object describes.
  static let kind = AnyKey("kind")
}

/// A padding as descriptions write it: a word, a number, two numbers, or four by name.
struct PaddingField: Codable, Equatable {
  let padding: Padding2D

  init(_ padding: Padding2D) { self.padding = padding }

  private struct Sides: Codable {
    var top: Int
    var bottom: Int
    var left: Int
    var right: Int
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch padding {
    case .valid: try container.encode("valid")
    case .same: try container.encode("same")
    case .full: try container.encode("full")
    case .symmetric(let height, let width):
      try container.encode(Extent2D(height: height, width: width))
    case .explicit(let top, let bottom, let left, let right):
      try container.encode(Sides(top: top, bottom: bottom, left: left, right: right))
    }
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let word = try? container.decode(String.self) {
      let words: [String: Padding2D] = ["valid": .valid, "same": .same, "full": .full]
      guard let found = words[word] else {
        throw DecodingError.dataCorruptedError(
          in: container, debugDescription: "no padding is called \"\(word)\"")
      }
      padding = found
    } else if let sides = try? container.decode(Sides.self) {
      padding = .explicit(
        top: sides.top, bottom: sides.bottom, left: sides.left, right: sides.right)
    } else {
      let extent = try container.decode(Extent2D.self)
      guard extent.numbers.count == 2 else {
        throw DecodingError.dataCorruptedError(
          in: container, debugDescription: "a padding is one number or two")
      }
      padding = .symmetric(extent.height, extent.width)
    }
  }
}
