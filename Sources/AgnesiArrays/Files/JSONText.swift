#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The one way in which values become JSON and come back.
///
/// Members are sorted, so that equal values are equal texts. JSON has no NaN and no infinity; what
/// becomes of them is settled here and nowhere else.
package enum JSONText {
  /// What stands for a number that is not finite.
  package enum NonFinite {
    /// `"nan"`, `"inf"` or `"-inf"`, which ``decoded(_:from:)`` reads back: in files of our own.
    case named
    /// `null`: in what other programs read.
    case null
  }

  private static let names = (positive: "inf", negative: "-inf", nan: "nan")

  /// A value as text.
  ///
  /// - Parameter isPretty: over several lines, for files that people compare.
  /// - Throws: `EncodingError` where the value itself refuses.
  package static func encoded(
    _ value: some Encodable, nonFinite: NonFinite = .named, isPretty: Bool = false
  ) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if isPretty { encoder.outputFormatting.insert(.prettyPrinted) }
    switch nonFinite {
    case .named:
      encoder.nonConformingFloatEncodingStrategy = .convertToString(
        positiveInfinity: names.positive, negativeInfinity: names.negative, nan: names.nan)
      return String(decoding: try encoder.encode(value), as: UTF8.self)
    case .null:
      // The encoder can write texts only; this one is no other's.
      let mark = "not finite \(UUID().uuidString)"
      encoder.nonConformingFloatEncodingStrategy = .convertToString(
        positiveInfinity: mark, negativeInfinity: mark, nan: mark)
      let text = String(decoding: try encoder.encode(value), as: UTF8.self)
      return text.replacing("\"\(mark)\"", with: "null")
    }
  }

  /// The value of a text that ``encoded(_:nonFinite:isPretty:)`` wrote, its NaN and infinities too.
  ///
  /// - Throws: `DecodingError` where the text is another.
  package static func decoded<Value: Decodable>(
    _ type: Value.Type = Value.self, from text: String
  ) throws -> Value {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: names.positive, negativeInfinity: names.negative, nan: names.nan)
    return try decoder.decode(type, from: Data(text.utf8))
  }
}
