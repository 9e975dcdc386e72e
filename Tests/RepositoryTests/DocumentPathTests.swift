import Foundation
import Testing

/// Documents name files; the files are there.
@Suite struct DocumentPathTests {
  static let documents = [
    "Documentation/Architecture.md", "CONTRIBUTING.md", "Documentation/Performance.md", "README.md",
    "ROADMAP.md", "CHANGELOG.md",
  ]

  @Test(arguments: documents) func everyPathExists(document: String) throws {
    let spans = try Document(document).codeSpans
    for (number, span) in spans where Self.isPath(span) {
      let found = Self.matches(span)
      #expect(!found.isEmpty, "\(document):\(number): there is no \(span)")
      #expect(found.count < 2, "\(document):\(number): \(span) may be any of \(found)")
    }
  }

  /// The documents that walk through the code do name files.
  @Test(arguments: documents.prefix(2)) func thereArePaths(document: String) throws {
    #expect(try Document(document).codeSpans.filter { Self.isPath($0.text) }.count > 10)
  }

  @Test func pathsAreToldFromOtherCode() {
    #expect(Self.isPath("Graph/Tensor.swift"))
    #expect(Self.isPath("pool.c"))
    #expect(Self.isPath("Sources/AgnesiLoops"))
    #expect(Self.isPath("Rewrites/Stabilize.swift"))
    #expect(!Self.isPath("x / y"))
    #expect(!Self.isPath("make demo"))
    #expect(!Self.isPath("Tests/<Target>Tests"))
    #expect(!Self.isPath("demo/report.html"))
    #expect(Self.matches("Graph/Nowhere.swift").isEmpty)
    #expect(Self.matches("raph/Tensor.swift").isEmpty)
    #expect(Self.matches("Graph/Tensor.swift") == ["Sources/AgnesiExpressions/Graph/Tensor.swift"])
  }

  /// A file by its name or the end of its path, or a path from a folder of the root.
  static func isPath(_ span: String) -> Bool {
    let isPlain = span.allSatisfy { $0.isLetter || $0.isNumber || "_+-./".contains($0) }
    guard isPlain, span.contains(where: \.isLetter) else { return false }
    let endings = [".swift", ".c", ".h", ".md", ".sh", ".docc"]
    if endings.contains(where: { span.hasSuffix($0) && span != $0 }) { return true }
    let folders = [".ci", "Documentation", "Scripts", "Snippets", "Sources", "Tests"]
    return folders.contains { span == $0 || span.hasPrefix("\($0)/") }
  }

  /// The path itself where it stands from the root, else all paths that end in it; those of sources
  /// where there are any.
  static func matches(_ span: String) -> [String] {
    let wanted = span.hasSuffix("/") ? String(span.dropLast()) : span
    if Repository.all.contains(wanted) { return [wanted] }
    let found = Repository.all.filter { $0.hasSuffix("/\(wanted)") }
    let sources = found.filter { $0.hasPrefix("Sources/") }
    return sources.isEmpty ? found : sources
  }
}
