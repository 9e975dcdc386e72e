import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops
import Testing

@Suite struct RewriterTests {
  private let x = Tensor.input("x", [3, 4])
  private let y = Tensor.input("y", [3, 4])

  @Test func aWildcardThatOccursTwiceStandsForOneTensor() {
    let any = Tensor.any("any")
    let rewriter = Rewriter([rule("itself", any + any, any * 2)])
    #expect(areEqual(rewriter.rewrite([x + x])[0], x * 2))
    #expect(rewriter.rewrite([x + y])[0].label == "add")
  }

  @Test func commutativeOperandsMatchInBothOrders() {
    let (a, b) = (Tensor.any("a"), Tensor.any("b"))
    let rewriter = Rewriter([rule("factor out", a * b + exp(a), exp(a))])
    for formula in [x * y + exp(x), y * x + exp(x), exp(x) + x * y, exp(x) + y * x] {
      #expect(areEqual(rewriter.rewrite([formula])[0], exp(x)))
    }
    #expect(rewriter.rewrite([x * y + exp(x + 1)])[0].label == "add")
  }

  @Test func numbersMatchThroughBroadcastsAndConversions() {
    let any = Tensor.any("any")
    let rewriter = Rewriter([rule("plus one", any + 1, -any)])
    let one = Tensor.constant(1, .float64).cast(to: .float32).reshaped([1, 1])
    #expect(areEqual(rewriter.rewrite([x + one])[0], -x))
    #expect(rewriter.rewrite([x + 2])[0].label == "add")
    #expect(rewriter.rewrite([x + .constant(NDArray([Float(1), 1, 1, 1]))])[0].label == "add")
    let whole = Tensor.input("whole", [3], .int32)
    #expect(areEqual(rewriter.rewrite([whole + 1])[0], -whole))
  }

  @Test func numbersInReplacementsTakeTheDtypeOfTheirNeighbours() {
    let any = Tensor.any("any")
    let rewriter = Rewriter([rule("twice", any + any, 2 * any)])
    for dtype in [DType.float64, .float16, .int32, .uint8] {
      let tensor = Tensor.input("tensor", [3], dtype)
      #expect(areEqual(rewriter.rewrite([tensor + tensor])[0], 2 * tensor))
    }
  }

  @Test func conditionsDecline() {
    let any = Tensor.any("any")
    let rewriter = Rewriter([rule("matrices only", exp(any), any) { $0[any].rank == 2 }])
    let vector = Tensor.input("vector", [3])
    let results = rewriter.rewrite([exp(x), exp(vector)])
    #expect(results[0] == x)
    #expect(results[1].label == "exp")
  }

  @Test func whatReplacesIsRewrittenToo() {
    let any = Tensor.any("any")
    let rewriter = Rewriter([
      rule("first", exp(any), -(any + 0)), rule("second", any + 0, any),
      rule("third", -any, any * -1),
    ])
    #expect(areEqual(rewriter.rewrite([exp(exp(x))])[0], x * -1 * -1))
  }

  @Test func whatRewritesKeepIsShared() {
    let deep = exp(x)
    let rewriter = Rewriter(Rewrites.simplify)
    let outputs = rewriter.rewrite([deep, (deep + 0) * y])
    #expect(outputs[0] == deep)
    #expect(outputs[1].node.operands[0] == deep)
  }

  @Test func replacementsHaveTheLocationOfWhatTheyReplace() {
    let before = exp(x) + 0 * y
    let any = Tensor.any("any")
    let after = Rewriter([rule("turn", exp(any), -any)]).rewrite([before])[0]
    let negative = after.node.operands[0]
    #expect(negative.label == "negate")
    #expect(negative.node.location.frames == before.node.operands[0].node.location.frames)
    #expect(after.node.location.frames == before.node.location.frames)
  }

  @Test func rulesThatFeedEachOtherEnd() {
    let any = Tensor.any("any")
    let rewriter = Rewriter([rule("there", exp(any), -any), rule("back", -any, exp(any))])
    var log = RewriteLog()
    let result = rewriter.rewrite([exp(x)], log: &log)[0]
    #expect(!log.isComplete)
    #expect(result.type == x.type)
  }

  @Test func resultsOfSeveralAreReplacedOneByOne() {
    func pair(_ x: Tensor) -> [Tensor] {
      Tensor.builtIn("pair", [x], resultCount: 2) { [$0[0] + 1, $0[0] * 2] }
    }
    let any = Tensor.any("any")
    let rewriter = Rewriter([
      rule("second", Tensor.node("pair", any, result: 1)) { $0[any] * 2 }
    ])
    let results = pair(x)
    let outputs = rewriter.rewrite([results[0] + results[1]])
    #expect(areEqual(outputs[0], results[0] + x * 2))
  }

  @Test func theLogNamesRulesAndPlaces() {
    var log = RewriteLog()
    _ = Rewriter(Rewrites.simplify).rewrite([(x + 0) * 1 + (y + 0)], log: &log)
    #expect(log.counts == ["plus zero": 2, "times one": 1])
    #expect(log.description == "2 × plus zero\n1 × times one")
    #expect(log.details.hasPrefix("plus zero: x + 0 → x"))
  }
}

@Suite struct RewritingCostTests {
  /// Chains that every pass has something to do with.
  private func attempts(_ length: Int, _ link: (Tensor) -> Tensor) throws -> (Int, RewriteLog) {
    var chain = Tensor.input("x", [.batch, 8])
    for _ in 0..<length { chain = link(chain) }
    var log = RewriteLog()
    _ = try Pipeline(isVerifying: false).apply(to: [chain], log: &log)
    return (log.attempts, log)
  }

  /// Ten times the nodes may cost at most eleven times the attempts.
  private func expectLinear(_ link: (Tensor) -> Tensor) throws {
    let (short, first) = try attempts(1000, link)
    let (long, second) = try attempts(10_000, link)
    #expect(first.isComplete && second.isComplete)
    #expect(short > 1000)
    #expect(Double(long) <= 11 * Double(short), "\(short) attempts grew to \(long)")
  }

  @Test func nothingToDo() throws { try expectLinear { exp($0) } }
  @Test func zerosToDrop() throws { try expectLinear { $0 + 0 } }
  @Test func numbersToGather() throws { try expectLinear { $0 * 1.0001 } }
  @Test func signsToMove() throws { try expectLinear { -exp($0) } }
  @Test func viewsToJoin() throws { try expectLinear { $0.transposed() } }
  @Test func viewsToMove() throws { try expectLinear { exp($0.transposed()) } }

  /// Two uses of each link: 2ⁿ paths.
  @Test func sharedLinks() throws { try expectLinear { $0 * exp($0) } }
}
