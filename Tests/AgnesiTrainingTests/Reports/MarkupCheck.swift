/// Finds tags that are opened but not closed, or closed in another order.
struct MarkupCheck {
  private static let void: Set<String> = ["meta", "img", "br"]

  /// Nil for balanced markup; otherwise what is wrong.
  static func problem(in page: String) -> String? {
    var open: [String] = []
    for piece in page.split(separator: "<", omittingEmptySubsequences: false).dropFirst() {
      guard let end = piece.firstIndex(of: ">") else {
        return "unfinished tag <\(piece.prefix(30))"
      }
      let tag = piece[..<end]
      if tag.hasPrefix("!") || tag.hasSuffix("/") { continue }
      let name = String(tag.drop { $0 == "/" }.prefix { $0.isLetter || $0.isNumber })
      if void.contains(name) { continue }
      if !tag.hasPrefix("/") {
        open.append(name)
      } else if open.popLast() != name {
        return "</\(name)> closes something else"
      }
    }
    return open.isEmpty ? nil : "never closed: \(open)"
  }
}
