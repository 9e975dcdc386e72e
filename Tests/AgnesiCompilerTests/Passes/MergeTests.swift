import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops
import AgnesiReference
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

  /// The mask of the gradient is that of the value.
  @Test func dropoutAndItsGradientShareTheirDraw() throws {
    let y = dropout(x, rate: 0.5)
    let gradient = gradient(of: y.sum(), withRespectTo: [x])[0]
    let rewritten = try Pipeline().apply(to: [y, gradient])
    let draws = rewritten.topologicalNodes().filter { $0.operation.label == "randomWord" }
    #expect(draws.count == 1)
  }

  @Test func aLongChainOfTwoMergesInto1() {
    func chain() -> Tensor { (0..<20_000).reduce(x) { value, _ in exp(value) } }
    let merged = merge([chain(), chain()])
    #expect(merged[0] == merged[1])
    #expect(nodeCount(merged) == 20_001)
  }

  // MARK: Composites of users

  /// A function that a user wrote: what it closes over is in no attribute.
  private func scaled(_ x: Tensor, by factor: Double) -> Tensor {
    .composite("scaled", [x]) { $0[0] * factor }
  }

  @Test func compositesOfOneNameMergeOnlyWhereTheyComputeTheSame() {
    let merged = merge([scaled(x, by: 2), scaled(x, by: 3), scaled(x, by: 2)])
    #expect(merged[0] == merged[2])
    #expect(merged[0] != merged[1])
  }

  @Test func whatComputesTheSameMayStandInsideOfComposites() {
    func twice(_ factor: Double) -> Tensor {
      .composite("twice", [x]) { scaled(scaled($0[0], by: factor), by: factor) }
    }
    let merged = merge([twice(2), twice(3), twice(2)])
    #expect(merged[0] == merged[2])
    #expect(merged[0] != merged[1])
  }

  @Test func capturedTensorsDistinguish() {
    let (a, b) = (Tensor.input("a", [3, 4]), Tensor.input("b", [3, 4]))
    func shifted(_ by: Tensor) -> Tensor { .composite("shifted", [x]) { $0[0] + by } }
    let merged = merge([shifted(a), shifted(b), shifted(a)])
    #expect(merged[0] == merged[2])
    #expect(merged[0] != merged[1])
  }

  @Test func bodiesForInferenceDistinguish() {
    func noisy(_ level: Double) -> Tensor {
      .composite("noisy", [x], inference: { $0[0] * level }) { exp($0[0]) }
    }
    let merged = merge([noisy(1), noisy(2), noisy(1)])
    #expect(merged[0] == merged[2])
    #expect(merged[0] != merged[1])
  }

  /// Closures cannot be compared, so gradients of one's own keep composites apart.
  @Test func gradientsOfTheirOwnKeepCompositesApart() {
    func guided(_ factor: Double) -> Tensor {
      .composite("guided", [x], gradient: { upstream, _, _ in [upstream[0].map { $0 * factor }] }) {
        exp($0[0])
      }
    }
    let merged = merge([guided(1), guided(2)])
    #expect(merged[0] != merged[1])
  }

  /// Only composites of this library are what their names say.
  @Test func aNameDoesNotMakeASoftmax() throws {
    let scores = Tensor.input("scores", [2, 3])
    let own = Tensor.composite("softmax", [scores], attributes: ["axis": .integers([1])]) {
      $0[0] * 0 + 0.25
    }
    let sum = Tensor.composite("add", [x, 2 * x]) { $0[0] - $0[1] }
    let exchanged = Tensor.composite("add", [2 * x, x]) { $0[0] - $0[1] }
    let cost = crossEntropy(own, .constant(NDArray([0, 1] as [Int32])))
    let function = try compile([scores, x], to: [cost, sum, exchanged], on: .reference)
    let values = try function.call(
      [NDArray(filled: 5, shape: [2, 3]), NDArray(filled: 1, shape: [3, 4])])
    #expect(values[0].doubles.allSatisfy { abs($0 - 1.386_294_4) < 1e-6 })
    #expect(values[1] == NDArray(filled: -1, shape: [3, 4]))
    #expect(values[2] == NDArray(filled: 1, shape: [3, 4]))
  }
}
