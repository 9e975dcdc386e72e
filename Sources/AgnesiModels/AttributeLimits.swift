import AgnesiExpressions

/// Decodes to nothing, and throws where a whole number among an operation's attributes is larger than
/// any that makes sense: type rules may add and multiply what is left without overflowing.
struct AttributeLimits: Decodable {
  private static let limit = 1 << 30

  private struct Key: CodingKey {
    var stringValue: String
    var intValue: Int?
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  init(from decoder: any Decoder) throws {
    if let keyed = try? decoder.container(keyedBy: Key.self) {
      // A seed is 64 random bits, which nothing calculates with.
      for key in keyed.allKeys where key.stringValue != "seed" && key.stringValue != "key" {
        _ = try keyed.decode(AttributeLimits.self, forKey: key)
      }
    } else if var list = try? decoder.unkeyedContainer() {
      while !list.isAtEnd { _ = try list.decode(AttributeLimits.self) }
    } else if let number = try? decoder.singleValueContainer().decode(Double.self) {
      guard abs(number) <= Double(Self.limit) else {
        throw ModelFormatError("an attribute is \(number), which is beyond ±2³⁰")
      }
    }
  }
}
