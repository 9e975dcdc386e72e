import Foundation

/// The working tree that the tests were built from.
enum Repository {
  static let root = String(
    URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path)

  /// The whole text of a file.
  static func text(_ path: String) throws -> String {
    try String(contentsOfFile: "\(root)/\(path)", encoding: .utf8)
  }

  /// Files and folders below the given folders, as paths from the root, sorted.
  static func paths(below folders: [String]) -> [String] {
    folders.flatMap { folder -> [String] in
      let below = FileManager.default.enumerator(atPath: "\(root)/\(folder)")
      return [folder] + (below?.compactMap { $0 as? String } ?? []).map { "\(folder)/\($0)" }
    }.sorted()
  }

  /// Source files of the package's targets.
  static var sources: [String] {
    paths(below: ["Sources"]).filter { path in
      [".swift", ".c", ".h"].contains { path.hasSuffix($0) }
    }
  }

  /// Everything that a document may name, the files of the root included.
  static let all: [String] = {
    let folders = [".ci", "Documentation", "Scripts", "Snippets", "Sources", "Tests"]
    let files = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
    return files + paths(below: folders)
  }()
}

/// A Markdown document, taken apart line by line.
struct Document {
  /// A fenced block of code.
  struct Block {
    /// What stands after the opening fence: `swift`, `diff`, `sh` or nothing.
    var language: String
    /// The number of its first line in the document, counted from 1.
    var line: Int
    var lines: [String]
  }

  let path: String
  private(set) var blocks: [Block] = []
  /// The lines outside of fences, with their numbers.
  private(set) var prose: [(number: Int, text: String)] = []

  init(_ path: String) throws {
    self.path = path
    var open: Block?
    for (index, line) in try Repository.text(path).components(separatedBy: "\n").enumerated() {
      let isFence = line.hasPrefix("```")
      if var block = open {
        if isFence { blocks.append(block) } else { block.lines.append(line) }
        open = isFence ? nil : block
      } else if isFence {
        open = Block(language: String(line.dropFirst(3)), line: index + 2, lines: [])
      } else {
        prose.append((index + 1, line))
      }
    }
  }

  /// What stands between single backticks, with the line's number.
  var codeSpans: [(number: Int, text: String)] {
    prose.flatMap { number, line in
      line.components(separatedBy: "`").enumerated()
        .filter { $0.offset % 2 == 1 && !$0.element.isEmpty }
        .map { (number, $0.element) }
    }
  }
}
