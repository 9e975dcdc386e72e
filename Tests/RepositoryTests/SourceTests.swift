import Foundation
import Testing

/// What the sources promise about themselves.
@Suite struct SourceTests {
  @Test func filesStaySmall() throws {
    for path in Repository.sources {
      let count = try Repository.text(path).split(separator: "\n", omittingEmptySubsequences: false)
        .count
      #expect(count <= 501, "\(path) has \(count - 1) lines; split it by topic")
    }
  }

  /// Swift cannot list the conforming types, and an operation that the list lacks is neither tested
  /// nor read from files.
  @Test func everyOperationIsListed() throws {
    let folder = "Sources/AgnesiExpressions/Operations"
    let list = "\(folder)/All.swift"
    let files = Repository.sources.filter { $0.hasPrefix("\(folder)/") && $0 != list }
    // The struct that a `static let name` belongs to is the last one opened before it.
    let declaration = /struct (\w+): [^{]+\{|static let name = "/
    var declared: [String: String] = [:]
    for path in files {
      var current: String?
      for match in try Repository.text(path).matches(of: declaration) {
        if let name = match.output.1 {
          current = String(name)
        } else if let name = current {
          declared[name] = path
        }
      }
    }
    let listed = Set(
      try Repository.text(list).matches(of: /(\w+)\.self/).map { String($0.output.1) })
    let missing = declared.filter { !listed.contains($0.key) }
    #expect(missing.isEmpty, "add to All.swift: \(missing)")
    let gone = listed.subtracting(declared.keys)
    #expect(gone.isEmpty, "no file of the folder declares \(gone.sorted())")
    #expect(declared.count > 10)
  }

  @Test func everyLibraryModuleHasACatalogue() throws {
    let manifest = try PackageManifest()
    let libraries = manifest.targets.filter {
      $0.kind == "target" && $0.folder == "Sources/\($0.name)" && $0.name.hasPrefix("Agnesi")
    }
    #expect(!libraries.isEmpty)
    for name in libraries.map(\.name) {
      let text = try Repository.text("Sources/\(name)/\(name).docc/\(name).md")
      #expect(text.hasPrefix("# ``\(name)``\n"))
    }
  }
}
