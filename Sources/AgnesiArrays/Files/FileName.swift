/// File names as texts, also those that are no UTF-8: the system takes any bytes.
///
/// A byte that belongs to no character of UTF-8 becomes a private-use character, U+10FF00 and the
/// byte; a name that has such characters itself has each of their bytes written so. So every name is
/// a text of its own, and the text leads to the file.
///
/// - Source: the idea is that of Python's PEP 383, which uses surrogates that Swift's texts do not have.
package enum FileName {
  private static let base: UInt32 = 0x10_ff00

  /// A name as the system gives it.
  package static func decoded(_ bytes: some Collection<UInt8>) -> String {
    if !bytes.contains(0xf4), let text = String(validating: bytes, as: UTF8.self) { return text }
    var result = String.UnicodeScalarView()
    var rest = Array(bytes)[...]
    while let first = rest.first {
      let length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
      if let text = String(validating: rest.prefix(length), as: UTF8.self),
        let scalar = text.unicodeScalars.first, text.unicodeScalars.count == 1,
        byte(of: scalar) == nil
      {
        result.append(scalar)
        rest = rest.dropFirst(length)
      } else {
        Unicode.Scalar(base + UInt32(first)).map { result.append($0) }
        rest = rest.dropFirst()
      }
    }
    return String(result)
  }

  /// The bytes by which the system knows a file.
  package static func bytes(of name: String) -> [UInt8] {
    if !hasBytes(name) { return Array(name.utf8) }
    return name.unicodeScalars.flatMap { scalar in
      byte(of: scalar).map { [$0] } ?? Array(String(scalar).utf8)
    }
  }

  /// Runs `body` with the name as the system's calls take it.
  package static func withCString<Result>(
    _ name: String, _ body: (UnsafePointer<CChar>) throws -> Result
  ) rethrows -> Result {
    if !hasBytes(name) { return try name.withCString(body) }
    let characters = bytes(of: name).map { CChar(bitPattern: $0) } + [0]
    return try characters.withUnsafeBufferPointer { buffer in
      guard let start = buffer.baseAddress else { return try name.withCString(body) }
      return try body(start)
    }
  }

  /// The name for a person: a byte that belongs to no character is written as in `caf\xE9.jpg`.
  package static func printable(_ name: String) -> String {
    if !hasBytes(name) { return name }
    return name.unicodeScalars.map { scalar in
      byte(of: scalar).map { "\\x" + String($0, radix: 16, uppercase: true) } ?? String(scalar)
    }.joined()
  }

  /// Whether a name has bytes that are no UTF-8.
  package static func hasBytes(_ name: String) -> Bool {
    name.utf8.contains(0xf4) && name.unicodeScalars.contains { byte(of: $0) != nil }
  }

  /// The byte that a character stands for; nil where it stands for itself.
  private static func byte(of scalar: Unicode.Scalar) -> UInt8? {
    scalar.value >= base + 0x80 ? UInt8(truncatingIfNeeded: scalar.value - base) : nil
  }
}
