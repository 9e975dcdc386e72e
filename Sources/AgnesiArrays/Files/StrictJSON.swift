/// A JSON value that keeps the order of its members and the spelling of its numbers.
package enum StrictJSON {
  case object([(key: String, value: StrictJSON)])
  case array([StrictJSON])
  case string(String)
  case number(String)
  case bool(Bool)
  case null

  /// Where and why a text is refused.
  package struct Problem: Error, CustomStringConvertible {
    package let reason: String
    /// Bytes before the place.
    package let position: Int

    package var description: String { "\(reason) at byte \(position)" }
  }

  /// The value of a text.
  ///
  /// Foundation's parser takes the last of two members with one name, and loses their order; a file
  /// from elsewhere must not be read in two ways.
  ///
  /// - Parameter depth: how deeply arrays and objects may nest.
  package init(_ bytes: [UInt8], depth: Int = 8) throws(Problem) {
    var parser = StrictJSONParser(bytes: bytes, depth: depth)
    self = try parser.document()
  }

  /// `text` in quotes, with what JSON demands escaped.
  package static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case "\u{0}"..<"\u{20}":
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}

/// A recursive-descent parser of RFC 8259 that refuses a name that occurs twice.
private struct StrictJSONParser {
  let bytes: [UInt8]
  var depth: Int
  var position = 0

  typealias Problem = StrictJSON.Problem

  init(bytes: [UInt8], depth: Int) {
    self.bytes = bytes
    self.depth = depth
  }

  mutating func document() throws(Problem) -> StrictJSON {
    let result = try value()
    skipSpace()
    if position < bytes.count { throw problem("other text follows the value") }
    return result
  }

  private mutating func value() throws(Problem) -> StrictJSON {
    skipSpace()
    guard let byte = current else { throw problem("a value is missing") }
    switch byte {
    case UInt8(ascii: "{"): return try nested { parser throws(Problem) in try parser.object() }
    case UInt8(ascii: "["): return try nested { parser throws(Problem) in try parser.array() }
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(number())
    default: return try word()
    }
  }

  private mutating func nested(
    _ body: (inout StrictJSONParser) throws(Problem) -> StrictJSON
  ) throws(Problem) -> StrictJSON {
    if depth == 0 { throw problem("values nest too deeply") }
    depth -= 1
    position += 1
    let result = try body(&self)
    depth += 1
    return result
  }

  private mutating func object() throws(Problem) -> StrictJSON {
    var members: [(key: String, value: StrictJSON)] = []
    var seen: Set<String> = []
    if accept("}") { return .object([]) }
    repeat {
      skipSpace()
      let start = position
      guard current == UInt8(ascii: "\"") else { throw problem("a name in quotes is missing") }
      let key = try string()
      if !seen.insert(key).inserted {
        throw Problem(reason: "the name \(StrictJSON.quoted(key)) occurs twice", position: start)
      }
      if !accept(":") { throw problem("':' is missing") }
      members.append((key, try value()))
    } while accept(",")
    if !accept("}") { throw problem("'}' is missing") }
    return .object(members)
  }

  private mutating func array() throws(Problem) -> StrictJSON {
    var items: [StrictJSON] = []
    if accept("]") { return .array([]) }
    repeat { items.append(try value()) } while accept(",")
    if !accept("]") { throw problem("']' is missing") }
    return .array(items)
  }

  private mutating func number() -> String {
    let start = position
    while let byte = current, "+-.eE0123456789".utf8.contains(byte) { position += 1 }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  private mutating func word() throws(Problem) -> StrictJSON {
    let words: [(String, StrictJSON)] = [
      ("true", .bool(true)), ("false", .bool(false)), ("null", .null),
    ]
    for (word, value) in words where bytes[position...].starts(with: word.utf8) {
      position += word.utf8.count
      return value
    }
    throw problem("a value is missing")
  }

  // MARK: Strings

  private mutating func string() throws(Problem) -> String {
    let start = position
    position += 1
    var units: [UInt8] = []
    while let byte = current, byte != UInt8(ascii: "\"") {
      if byte < 0x20 { throw problem("a control character stands in a string") }
      if byte == UInt8(ascii: "\\") {
        units += Array(String(try escape()).utf8)
      } else {
        units.append(byte)
        position += 1
      }
    }
    guard current != nil else { throw Problem(reason: "a string has no end", position: start) }
    position += 1
    guard let text = String(validating: units, as: UTF8.self) else {
      throw Problem(reason: "a string is not UTF-8", position: start)
    }
    return text
  }

  private mutating func escape() throws(Problem) -> Character {
    let start = position
    position += 2
    let simple: [UInt8: Character] = [
      UInt8(ascii: "\""): "\"", UInt8(ascii: "\\"): "\\", UInt8(ascii: "/"): "/",
      UInt8(ascii: "b"): "\u{8}", UInt8(ascii: "f"): "\u{c}", UInt8(ascii: "n"): "\n",
      UInt8(ascii: "r"): "\r", UInt8(ascii: "t"): "\t",
    ]
    let code = position <= bytes.count ? bytes[position - 1] : 0
    if let character = simple[code] { return character }
    guard code == UInt8(ascii: "u"), var value = hexadecimal() else {
      throw Problem(reason: "an escape is unknown", position: start)
    }
    if 0xd800..<0xdc00 ~= value, bytes[position...].starts(with: "\\u".utf8) {
      position += 2
      if let low = hexadecimal(), 0xdc00..<0xe000 ~= low {
        value = 0x10000 + ((value - 0xd800) << 10 | (low - 0xdc00))
      }
    }
    guard let scalar = Unicode.Scalar(value) else {
      throw Problem(reason: "half of a surrogate pair stands alone", position: start)
    }
    return Character(scalar)
  }

  private mutating func hexadecimal() -> UInt32? {
    guard position + 4 <= bytes.count else { return nil }
    let digits = bytes[position..<(position + 4)]
    guard digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else { return nil }
    position += 4
    return UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
  }

  // MARK: Bytes

  private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpace() {
    while let byte = current, byte == 0x20 || 0x09...0x0a ~= byte || byte == 0x0d { position += 1 }
  }

  private mutating func accept(_ character: Character) -> Bool {
    skipSpace()
    guard current == character.asciiValue else { return false }
    position += 1
    return true
  }

  private func problem(_ reason: String) -> Problem { Problem(reason: reason, position: position) }
}
