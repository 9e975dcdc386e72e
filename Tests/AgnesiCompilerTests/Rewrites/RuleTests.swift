import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiReference
import Testing

private let allCases =
  canonicalCases + stableCases + arithmeticCases + viewCases + reductionCases + functionCases
  + moveCases + convolutionCases + rectifierCases

@Suite struct RuleTests {
  @Test(arguments: allCases) func makesTheGraph(_ item: RuleCase) throws {
    let rule = try #require(Rewrites.all.first { $0.name == item.rule })
    let (tensors, _) = item.arguments()
    let before = item.before(tensors)
    var log = RewriteLog()
    let result = Rewriter([rule]).rewrite([before], log: &log)[0]
    guard let after = item.after else {
      #expect(log.firings.isEmpty, "the rule must decline \(before.formula())")
      return
    }
    let expected = after(tensors)
    #expect(log.isComplete)
    #expect(
      areEqual(result, expected),
      "\(before.formula()) became\n\(result.listing())\ninstead of\n\(expected.listing())")
  }

  @Test(arguments: allCases) func keepsTheNumbers(_ item: RuleCase) throws {
    let rule = try #require(Rewrites.all.first { $0.name == item.rule })
    let (tensors, values) = item.arguments()
    let before = item.before(tensors)
    let after = Rewriter([rule]).rewrite([before])[0]
    let arrays = try ReferenceExecutor.run(outputs: [before, after], inputs: values)
    #expect(difference(arrays[0], arrays[1]) <= item.tolerance, "\(arrays)")
  }

  /// All rules together, in all passes, keep the numbers too.
  @Test(arguments: allCases) func keepsTheNumbersInThePipeline(_ item: RuleCase) throws {
    let (tensors, values) = item.arguments()
    let before = item.before(tensors)
    for level in RewriteLevel.allCases {
      var log = RewriteLog()
      let after = try Pipeline(level: level, isVerifying: true).apply(to: [before], log: &log)
      #expect(log.isComplete)
      let arrays = try ReferenceExecutor.run(outputs: [before] + after, inputs: values)
      #expect(difference(arrays[0], arrays[1]) <= item.tolerance + 4, "\(level): \(arrays)")
    }
  }

  @Test func everyRuleHasACase() {
    let tested = Set(allCases.filter { $0.after != nil }.map { $0.rule })
    let untested = Rewrites.all.map(\.name).filter { !tested.contains($0) }
    #expect(untested.isEmpty)
  }

  @Test func namesAreUnique() {
    let names = Rewrites.all.map(\.name)
    #expect(Set(names).count == names.count)
  }
}
