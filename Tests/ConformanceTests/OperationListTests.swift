import AgnesiExpressions
import Foundation
import Testing

/// The list of operations against the folder.
@Suite struct OperationListTests {
  private static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Sources/AgnesiExpressions/Operations")

  /// The operations that the files declare, by file.
  private static func declared() throws -> [(file: String, name: String)] {
    let files = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String }
    return try (files ?? []).filter { $0.hasSuffix(".swift") }.flatMap { file in
      let text = try String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8)
      return text.matches(of: #/static let name = "(\w+)"/#).map { (file, String($0.output.1)) }
    }
  }

  @Test func everyOperationOfTheFolderIsListed() throws {
    let declared = try Self.declared()
    #expect(declared.count > 60)
    for (file, name) in declared {
      #expect(
        Operations.byName[name] != nil,
        "\(name), declared in \(file), has no line in Operations/All.swift")
    }
    #expect(Set(declared.map(\.name)) == Set(Operations.byName.keys))
  }

  @Test func everyOperationHasExamples() {
    for operation in Operations.all {
      #expect(!operation.examples.isEmpty, "\(operation.name) has no examples")
      let titles = operation.examples.map(\.title)
      #expect(Set(titles).count == titles.count, "\(operation.name): two examples of one title")
    }
  }

  @Test func everyOperationStandsInItsExamples() {
    for operation in Operations.all {
      let names = ConformanceCase.all.filter { $0.operation == operation.name }.flatMap { item in
        item.built(.float32).outputs.topologicalNodes().map { type(of: $0.operation).name }
      }
      #expect(names.contains(operation.name), "\(operation.name)")
    }
  }
}
