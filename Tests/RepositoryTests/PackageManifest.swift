import Foundation

/// The targets of `Package.swift`, read from its text in the order in which they stand.
struct PackageManifest {
  struct Target {
    var kind: String
    var name: String
    var dependencies: [String]
    var folder: String
  }

  let targets: [Target]

  init(_ text: String) {
    let kinds = ["systemLibrary", "executableTarget", "testTarget", "target"]
    // What follows each `.kind(` up to the next one holds the target's arguments.
    let pattern = /\.(systemLibrary|executableTarget|testTarget|target)\(/
    let starts = text.matches(of: pattern)
    targets = starts.indices.compactMap { index in
      let kind = String(starts[index].output.1)
      let end = index + 1 < starts.count ? starts[index + 1].range.lowerBound : text.endIndex
      let body = text[starts[index].range.upperBound..<end]
      guard kinds.contains(kind), let name = body.firstMatch(of: /name: "(\w+)"/) else {
        return nil
      }
      let path = body.firstMatch(of: /path: "([^"]+)"/).map { String($0.output.1) }
      let parent = kind == "testTarget" ? "Tests" : "Sources"
      return Target(
        kind: kind, name: String(name.output.1), dependencies: Self.dependencies(body),
        folder: path ?? "\(parent)/\(name.output.1)")
    }
  }

  init() throws { self.init(try Repository.text("Package.swift")) }

  /// Names in the list; of a product, its own name.
  private static func dependencies(_ body: Substring) -> [String] {
    guard let start = body.firstRange(of: "dependencies: [") else { return [] }
    var depth = 1
    let list = body[start.upperBound...].prefix { character in
      if character == "[" { depth += 1 }
      if character == "]" { depth -= 1 }
      return depth > 0
    }
    let names = list.replacing(/, package: "[^"]+"/, with: "")
    return names.matches(of: /"([\w-]+)"/).map { String($0.output.1) }
  }
}
