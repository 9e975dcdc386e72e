/// A table in text, as spreadsheets write it: fields between commas, semicolons or tabs, in quotes where
/// they hold such characters or ends of lines.
///
/// - Source: RFC 4180; beyond it, other separators, lines that end in any way, a first line `sep=;` as
///   Excel reads it, and spaces around fields, which are left out where there are no quotes.
package struct SeparatedValues: Sendable {
  /// A row and the line that it begins in, from 1.
  package struct Row: Sendable, Equatable {
    package var line: Int
    package var fields: [String]

    package init(line: Int, fields: [String]) {
      self.line = line
      self.fields = fields
    }
  }

  /// The rows that have a field that is not empty.
  package private(set) var rows: [Row] = []
  /// What stands between fields.
  package let separator: Character

  private static let separators: [Character] = [",", ";", "\t"]

  /// - Parameters:
  ///   - path: the file's name, for errors.
  ///   - format: what the table is, for errors.
  /// - Throws: ``FormatError`` where a quote is not closed.
  package init(_ text: String, path: String, format: String) throws(FormatError) {
    var rest = text[...]
    var line = 1
    if let end = rest.firstIndex(where: \.isNewline), let told = Self.toldSeparator(rest[..<end]) {
      separator = told
      rest = rest[rest.index(after: end)...]
      line = 2
    } else {
      separator = Self.likeliestSeparator(rest)
    }
    while !rest.isEmpty {
      let begin = line
      guard let fields = Self.takeRow(&rest, separator, &line) else {
        throw FormatError(
          path: path, format: format, reason: "line \(begin) has a quote that is never closed")
      }
      if fields.contains(where: { !$0.isEmpty }) { rows.append(Row(line: begin, fields: fields)) }
    }
  }

  private static func toldSeparator(_ line: Substring) -> Character? {
    let text = line.trimmingQuotes()
    guard text.count == 5, text.lowercased().hasPrefix("sep=") else { return nil }
    return text.last
  }

  /// The one that the first line has most of, outside of quotes.
  private static func likeliestSeparator(_ text: Substring) -> Character {
    var counts: [Character: Int] = [:]
    var isQuoted = false
    for character in text {
      if character == "\"" { isQuoted.toggle() }
      if isQuoted { continue }
      if character.isNewline {
        if counts.isEmpty { continue }
        break
      }
      if separators.contains(character) { counts[character, default: 0] += 1 }
    }
    let most = counts.values.max()
    return separators.first { most != nil && counts[$0] == most } ?? ","
  }

  /// The fields up to the end of a row; nil where a quote is not closed.
  private static func takeRow(
    _ rest: inout Substring, _ separator: Character, _ line: inout Int
  ) -> [String]? {
    var fields: [String] = []
    while true {
      guard let field = takeField(&rest, separator, &line) else { return nil }
      fields.append(field)
      guard let next = rest.popFirst() else { return fields }
      if next.isNewline {
        line += 1
        return fields
      }
    }
  }

  /// The field up to a separator or an end of line, which stays.
  private static func takeField(
    _ rest: inout Substring, _ separator: Character, _ line: inout Int
  ) -> String? {
    func isBlank(_ character: Character) -> Bool {
      character != separator && (character == " " || character == "\t")
    }
    var quoted = ""
    let inner = rest.drop(while: isBlank)
    if inner.first == "\"" {
      rest = inner.dropFirst()
      guard let text = takeQuoted(&rest, &line) else { return nil }
      quoted = text
    }
    let plain = rest.prefix { $0 != separator && !$0.isNewline }
    rest = rest[plain.endIndex...]
    let start = plain.drop(while: isBlank)
    let end = start.lastIndex { !isBlank($0) }
    return quoted + (end.map { start[...$0] } ?? "")
  }

  /// The text up to the closing quote, which is taken too; a quote inside is written twice.
  private static func takeQuoted(_ rest: inout Substring, _ line: inout Int) -> String? {
    var text = ""
    while let character = rest.popFirst() {
      if character == "\"" {
        guard rest.first == "\"" else { return text }
        rest.removeFirst()
      }
      if character.isNewline { line += 1 }
      text.append(character)
    }
    return nil
  }
}

extension Substring {
  /// Without spaces and quotes at its ends.
  fileprivate func trimmingQuotes() -> Substring {
    let isEdge = { (character: Character) in character == " " || character == "\"" }
    let start = drop(while: isEdge)
    return start.lastIndex { !isEdge($0) }.map { start[...$0] } ?? ""
  }
}
