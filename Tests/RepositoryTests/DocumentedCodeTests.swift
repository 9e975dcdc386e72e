import Foundation
import Testing

/// Code in documents stands, line for line, in a file that is compiled, and run where it is an example.
@Suite struct DocumentedCodeTests {
  private static let sources: [[String]] = {
    let compiled = ["Snippets", "Sources", "Tests/RepositoryTests/DocumentedCode.swift"]
    let files = Repository.paths(below: compiled).filter { $0.hasSuffix(".swift") }
    return files.compactMap { try? lines(Repository.text($0)) }
  }()

  static let documents: [String] =
    ["README.md", "Documentation/Architecture.md"]
    + Repository.paths(below: ["Sources"]).filter { $0.hasSuffix(".md") }

  @Test(arguments: documents) func swiftBlocksAreCompiled(document: String) throws {
    for block in try Document(document).blocks where block.language == "swift" {
      let wanted = Self.lines(block.lines.joined(separator: "\n"))
      let isFound = Self.sources.contains { Self.contains($0, wanted) }
      #expect(isFound, "\(document):\(block.line): no compiled file has this code")
    }
  }

  /// A patch of the worked examples still applies: its context stands in the file, in one piece.
  @Test func patchesFitTheirFiles() throws {
    let blocks = try Document("CONTRIBUTING.md").blocks.filter { $0.language == "diff" }
    #expect(blocks.count == 4)
    for block in blocks {
      var file: [String] = []
      var hunk: [String] = []
      func check() {
        #expect(hunk.isEmpty || Self.contains(file, hunk), "line \(block.line): \(hunk)")
        hunk = []
      }
      for line in block.lines where !line.hasPrefix("+++") {
        if line.hasPrefix("--- a/") {
          check()
          file = Self.lines(try Repository.text(String(line.dropFirst(6))))
        } else if line.hasPrefix("@@") {
          check()
        } else if !line.hasPrefix("+") {
          hunk += Self.lines(String(line.dropFirst()))
        }
      }
      check()
    }
  }

  @Test func codeIsComparedLineByLine() {
    #expect(Self.contains(["a", "b", "c"], ["b", "c"]))
    #expect(!Self.contains(["a", "b", "c"], ["a", "c"]))
    #expect(!Self.contains(["a"], ["a", "b"]))
    #expect(Self.lines("  a\n\n b ") == ["a", "b"])
  }

  /// Without indentation and empty lines.
  private static func lines(_ text: String) -> [String] {
    text.components(separatedBy: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
      .filter { !$0.isEmpty }
  }

  private static func contains(_ lines: [String], _ part: [String]) -> Bool {
    guard let first = part.first else { return true }
    return lines.indices.contains {
      lines[$0] == first && Array(lines[$0...].prefix(part.count)) == part
    }
  }
}
