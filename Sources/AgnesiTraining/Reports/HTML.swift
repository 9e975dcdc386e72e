/// A piece of a page whose inserted texts are escaped.
///
/// Only literals reach the page as they are: `let cell: HTML = "<td>\(name)</td>"` escapes `name`.
/// So a class name such as `<b>` cannot change the page, and no place can forget to escape.
package struct HTML: Sendable, Equatable, ExpressibleByStringInterpolation {
  package private(set) var text: String

  package init(stringLiteral value: String) { text = value }

  package init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

  private init(markup: String) { text = markup }

  /// `text` with the characters that mean something in HTML or XML replaced.
  package init(escaping text: String) { self.text = Self.escaped(text) }

  package static let empty = HTML(markup: "")

  package static func + (left: HTML, right: HTML) -> HTML { HTML(markup: left.text + right.text) }

  /// The escaped text, fit for content and for quoted attributes.
  ///
  /// Control characters, which neither HTML nor XML allows, become U+FFFD.
  package static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case "\n", "\t": result.unicodeScalars.append(scalar)
      case "\u{00}"..."\u{1F}", "\u{7F}"..."\u{9F}": result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  package struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var text = ""

    package init(literalCapacity: Int, interpolationCount: Int) {
      text.reserveCapacity(literalCapacity + 16 * interpolationCount)
    }

    package mutating func appendLiteral(_ literal: String) { text += literal }
    package mutating func appendInterpolation(_ value: String) { text += HTML.escaped(value) }
    package mutating func appendInterpolation(_ value: Int) { text += String(value) }
    package mutating func appendInterpolation(_ value: HTML) { text += value.text }
    package mutating func appendInterpolation(_ values: [HTML]) {
      for value in values { text += value.text }
    }
  }
}

extension [HTML] {
  /// The pieces with a separator between neighbours.
  package func joined(separator: HTML) -> HTML {
    guard var result = first else { return .empty }
    for piece in dropFirst() { result = result + separator + piece }
    return result
  }
}
