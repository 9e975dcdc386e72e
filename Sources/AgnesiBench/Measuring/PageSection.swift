import ArgumentParser
import Foundation

/// A part of a page of the documentation that a command writes: what stands between two comments.
struct PageSection {
  private let page: String
  private let text: String
  private let range: Range<String.Index>

  /// - Throws: `ValidationError` where the page has no such part.
  init(_ name: String, of page: String) throws {
    let (begin, end) = ("<!-- \(name): begin -->", "<!-- \(name): end -->")
    let text = try String(contentsOfFile: page, encoding: .utf8)
    guard let first = text.range(of: begin),
      let last = text.range(of: end, range: first.upperBound..<text.endIndex)
    else {
      throw ValidationError("\(page) has no lines \(begin) and \(end)")
    }
    (self.page, self.text) = (page, text)
    range = first.upperBound..<last.lowerBound
  }

  /// Writes the page with `content` there.
  func replace(by content: String) throws {
    try text.replacingCharacters(in: range, with: "\n\n\(content)\n\n")
      .write(toFile: page, atomically: true, encoding: .utf8)
  }
}
