import Testing

/// Modules import what the manifest says, and only from below.
@Suite struct ImportTests {
  private let manifest: PackageManifest
  private let names: Set<String>

  init() throws {
    manifest = try PackageManifest()
    names = Set(manifest.targets.map(\.name)).union(["ArgumentParser"])
  }

  @Test func theManifestIsRead() throws {
    let command = try #require(manifest.targets.first { $0.name == "AgnesiCommand" })
    #expect(command.kind == "executableTarget")
    #expect(command.dependencies == ["Agnesi", "CAgnesiStart", "ArgumentParser"])
    #expect(command.folder == "Sources/AgnesiCommand")
    let support = try #require(manifest.targets.first { $0.name == "TestSupport" })
    #expect(support.folder == "Tests/TestSupport")
    #expect(manifest.targets.first?.kind == "systemLibrary")
  }

  @Test func dependenciesPointDownward() {
    var above: Set<String> = ["ArgumentParser"]
    for target in manifest.targets {
      let upward = target.dependencies.filter { !above.contains($0) }
      #expect(upward.isEmpty, "\(target.name) stands before \(upward), which it needs")
      above.insert(target.name)
    }
  }

  /// The compiler accepts an import that is only reachable through another target.
  @Test func importsAreDeclared() throws {
    for target in modules {
      let foreign = try imports(of: target).subtracting(target.dependencies)
      #expect(foreign.isEmpty, "\(target.name) imports \(foreign.sorted()) without saying so")
    }
  }

  @Test func declarationsAreImported() throws {
    for target in modules {
      let unused = Set(target.dependencies).subtracting(try imports(of: target))
      #expect(unused.isEmpty, "\(target.name) never imports \(unused.sorted())")
    }
  }

  @Test func everyFolderIsATarget() {
    let folders = Set(
      Repository.sources.compactMap { path in
        path.split(separator: "/").dropFirst().first.map { "Sources/\($0)" }
      })
    let declared = Set(manifest.targets.map(\.folder))
    #expect(folders.subtracting(declared).isEmpty)
  }

  @Test func importsAreToldFromOtherLines() {
    #expect(Self.imported("import AgnesiArrays") == "AgnesiArrays")
    #expect(Self.imported("  @_exported import AgnesiCPU") == "AgnesiCPU")
    #expect(Self.imported("public import struct AgnesiLoops.Size") == "AgnesiLoops")
    #expect(Self.imported("// import AgnesiArrays") == nil)
    #expect(Self.imported("important()") == nil)
  }

  /// The Swift modules of `Sources`; C targets include headers instead.
  private var modules: [PackageManifest.Target] {
    manifest.targets.filter { $0.name.hasPrefix("Agnesi") && $0.folder.hasPrefix("Sources/") }
  }

  private func imports(of target: PackageManifest.Target) throws -> Set<String> {
    let files = Repository.sources.filter { $0.hasPrefix("\(target.folder)/") }
    let lines = try files.flatMap { try Repository.text($0).split(separator: "\n") }
    // Almost no line is an import, and a regular expression takes its time.
    let candidates = lines.filter { $0.contains("import ") }
    return Set(candidates.compactMap { Self.imported(String($0)) }).intersection(names)
  }

  private static func imported(_ line: String) -> String? {
    let pattern = /^\s*(?:@?\w+ )*import (?:(?:struct|class|enum|protocol|func|var) )?(\w+)/
    return line.firstMatch(of: pattern).map { String($0.output.1) }
  }
}
