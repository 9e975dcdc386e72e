import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops
import Testing

@Suite struct MergeTests {
  private let x = Tensor.input("x", [3, 4])

  private func nodeCount(_ outputs: [Tensor]) -> Int { outputs.topologicalNodes().count }

  @Test func equalOperationsOnEqualOperandsAreOneNode() {
    let merged = merge([exp(x + 1) * exp(x + 1)])
    #expect(merged[0].node.operands[0] == merged[0].node.operands[1])
    #expect(
      merged[0].listing() == """
        %0 = input "x" : float32[3, 4]
        %1 = constant 1 : float32[]
        %2 = broadcast(%1, shape: [3, 4]) : float32[3, 4]
        %3 = add(%0, %2) : float32[3, 4]
        %4 = exp(%3) : float32[3, 4]
        %5 = multiply(%4, %4) : float32[3, 4]
        return %5
        """)
  }

  @Test func theFirstStays() {
    let (first, second) = (exp(x), exp(x))
    #expect(merge([first, second]) == [first, first])
  }

  @Test func exchangedOperandsAreEqualWhereTheyMayBe() {
    let y = Tensor.input("y", [3, 4])
    let sums = merge([x + y, y + x])
    #expect(sums[0] == sums[1])
    let differences = merge([x - y, y - x])
    #expect(differences[0] != differences[1])
  }

  @Test func constantsAreEqualByTheirBits() {
    let zeros = merge([.constant(0), .constant(0), .constant(-0.0), .constant(0, .float64)])
    #expect(zeros[0] == zeros[1])
    #expect(Set(zeros).count == 3)
    let numbers = merge([.constant(.nan), .constant(.nan)])
    #expect(numbers[0] == numbers[1])
    let long = NDArray((0..<1000).map { Float($0) })
    var other = long
    other.withUnsafeMutableBytes { $0[3999] ^= 1 }
    #expect(Set(merge([.constant(long), .constant(long), .constant(other)])).count == 2)
  }

  @Test func attributesAndTypesDistinguish() {
    let outputs = [x.sum(axes: [0]), x.sum(axes: [1]), x.max(axes: [0]), x.reshaped([12])]
    #expect(Set(merge(outputs)).count == 4)
  }

  @Test func inputsAreThemselvesAndParametersTheirStorage() {
    let (a, b) = (Tensor.input("a", [2]), Tensor.input("a", [2]))
    #expect(merge([a, b]) == [a, b])
    let w = Tensor.parameter("w", [2])
    let shared = w.parameter.map { Tensor.parameter($0) } ?? w
    #expect(shared != w)
    #expect(merge([w, shared]) == [w, w])
  }

  @Test func compositesMergeByNameAndAttributes() {
    func scaled(_ factor: Double, isOwnKind: Bool = false) -> Tensor {
      Tensor.composite(
        "scaled", [x], attributes: ["factor": .number(factor)], isOwnKind: isOwnKind
      ) { $0[0] * factor }
    }
    #expect(Set(merge([scaled(2), scaled(2), scaled(3)])).count == 2)
    #expect(Set(merge([scaled(2, isOwnKind: true), scaled(2, isOwnKind: true)])).count == 2)
  }

  @Test func drawsNeverMerge() {
    let draws = merge([randomUniform([3]), randomUniform([3]), randomUniform([3], name: "other")])
    #expect(Set(draws).count == 3)
    let dropped = merge([dropout(x), dropout(x)])
    #expect(dropped[0] != dropped[1])
    let expanded = merge(expandComposites(dropped))
    #expect(expanded[0] != expanded[1])
  }

  @Test func oneDrawUsedTwiceIsOne() {
    let draw = randomUniform([3, 4])
    let merged = merge([draw * x, x * draw])
    #expect(merged[0] == merged[1])
  }

  @Test func compositesThatDrawNeverMerge() {
    func noisy() -> Tensor {
      Tensor.composite("noisy", [x]) { $0[0] + randomUniform([3, 4]) }
    }
    func nested() -> Tensor { Tensor.composite("nested", [x]) { _ in noisy() } }
    for pair in [merge([noisy(), noisy()]), merge([nested(), nested()])] {
      #expect(pair[0] != pair[1])
    }
  }

  /// The mask of the slope is that of the value.
  @Test func dropoutAndItsSlopeShareTheirDraw() throws {
    let y = dropout(x, rate: 0.5)
    let slope = gradient(of: y.sum(), withRespectTo: [x])[0]
    let rewritten = try Pipeline().apply(to: [y, slope])
    let draws = rewritten.topologicalNodes().filter { $0.operation.label == "randomWord" }
    #expect(draws.count == 1)
  }

  @Test func aLongChainOfTwoMergesInto1() {
    func chain() -> Tensor { (0..<20_000).reduce(x) { value, _ in exp(value) } }
    let merged = merge([chain(), chain()])
    #expect(merged[0] == merged[1])
    #expect(nodeCount(merged) == 20_001)
  }
}
