import Testing

/// Every error says in `localizedDescription` what it says in its description: Foundation's own
/// sentence for a type that it does not know tells nobody anything.
@Suite struct ErrorTypeTests {
  private let sources: [(path: String, text: String)]

  init() throws {
    sources = try Repository.sources.filter { $0.hasSuffix(".swift") }
      .map { ($0, try Repository.text($0)) }
  }

  private static func module(_ path: String) -> String {
    path.split(separator: "/").dropFirst().first.map { String($0) } ?? ""
  }

  @Test func everyErrorIsALocalizedError() {
    let declarations = sources.flatMap { source in
      Self.conformances(in: source.text).map { (Self.module(source.path), $0) }
    }
    let localized = Set(
      declarations.filter { $0.1.protocols.contains("LocalizedError") }
        .map { "\($0.0).\($0.1.type)" })
    let errors = declarations.filter { $0.1.protocols.contains("Error") }
      .map { "\($0.0).\($0.1.type)" }
    #expect(errors.count > 30)
    let others = errors.filter { !localized.contains($0) }
    #expect(others.isEmpty, "\(others.joined(separator: ", ")) are errors but no LocalizedErrors")
  }

  @Test func conformancesAreRead() {
    let text = """
      public struct A: Error, Hashable {
      }
      extension A: LocalizedError {}
      enum B {
        private struct C: Error, LocalizedError {
        }
      }
      public final class D<T: Error>: Sendable {
      """
    let found = Self.conformances(in: text)
    #expect(found.map(\.type) == ["A", "A", "B.C", "D"])
    #expect(
      found.map(\.protocols) == [
        ["Error", "Hashable"], ["LocalizedError"], ["Error", "LocalizedError"], ["Sendable"],
      ])
  }

  /// The declarations and extensions of a file that name protocols, nested ones by their full names.
  static func conformances(in text: String) -> [(type: String, protocols: [String])] {
    let head =
      #/^(?<indent> *)[a-z()\ ]*?(?:struct|enum|class|actor|extension) (?<type>[A-Z][\w.]*)(?<rest>.*)$/#
    var enclosing: [(indent: Int, name: String)] = []
    var found: [(type: String, protocols: [String])] = []
    for line in text.split(separator: "\n") {
      guard let match = line.wholeMatch(of: head) else { continue }
      let indent = match.indent.count
      enclosing.removeAll { $0.indent >= indent }
      let name = (enclosing.map(\.name) + [String(match.type)]).joined(separator: ".")
      enclosing.append((indent, String(match.type)))
      let rest = match.rest.replacing(/^<[^>]*>/, with: "")
      guard rest.hasPrefix(":") else { continue }
      let list = rest.dropFirst().prefix { $0 != "{" }.split(separator: " where ").first ?? ""
      let protocols = list.split(separator: ",").map { $0.filter { $0 != " " } }
      found.append((name, protocols))
    }
    return found
  }
}
