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
