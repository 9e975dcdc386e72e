import Foundation
import TestSupport
import Testing

/// The snippets, which the build makes executables of, learn what they say.
@Suite(.serialized) struct SnippetTests {
  /// What a snippet printed.
  private struct Report {
    var costs: [Double]
    var accuracy: Double

    init(_ output: String) throws {
      costs = output.matches(of: /cost (\S+)/).compactMap { Double($0.output.1) }
      let found = try #require(output.firstMatch(of: /accuracy (\S+)/))
      accuracy = try #require(Double(found.output.1))
    }
  }

  /// - bound: of the accuracy, on Fashion-MNIST as on pictures that are drawn.
  @Test(arguments: [("LogisticRegression", 0.75), ("MLP", 0.78), ("LeNet", 0.75)])
  func learns(name: String, bound: Double) throws {
    let path = try #require(BuildProducts.path(name), "the build makes no \(name)")
    let outcome = try BuildProducts.run(path)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let report = try Report(outcome.output)
    let (first, last) = (try #require(report.costs.first), try #require(report.costs.last))
    // Ten classes by chance: ln 10, or somewhat more for random weights.
    #expect((2.0...3.5).contains(first))
    #expect(last < first / 2)
    #expect((bound...1).contains(report.accuracy))
  }

  /// The same, where the data set is not installed.
  @Test func picturesThatAreDrawnWillDo() throws {
    let path = try #require(BuildProducts.path("MLP"))
    let nowhere = try TemporaryFolder()
    let outcome = try BuildProducts.run(
      path, ["--drawn"], environment: ["AGNESI_DATA": nowhere.path])
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try Report(outcome.output).accuracy > 0.95)
  }

  @Test func everySnippetIsTested() throws {
    let files = Repository.paths(below: ["Snippets"]).filter { $0.hasSuffix(".swift") }
    #expect(
      files == ["Snippets/LeNet.swift", "Snippets/LogisticRegression.swift", "Snippets/MLP.swift"])
  }
}
