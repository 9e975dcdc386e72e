import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops
import AgnesiReference
import Testing

/// The inputs for which the stable forms exist: what the formula is worth there, in float32.
struct ExtremeCase: Sendable, CustomStringConvertible {
  let description: String
  let inputs: [Double]
  let expected: [Double]
  /// Whether the formula comes to the same without rewriting.
  let isRightAsWritten: Bool
  let formula: @Sendable (Tensor) -> Tensor

  init(
    _ description: String, _ inputs: [Double], _ expected: [Double],
    isRightAsWritten: Bool = false, _ formula: @escaping @Sendable (Tensor) -> Tensor
  ) {
    self.description = description
    self.inputs = inputs
    self.expected = expected
    self.isRightAsWritten = isRightAsWritten
    self.formula = formula
  }
}

private let ln2 = 0.693_147_180_559_945_3

private let elementwiseExtremes: [ExtremeCase] = [
  ExtremeCase("log(1 + x)", [1e-10, -1e-10, 0], [1e-10, -1e-10, 0]) { log(1 + $0) },
  ExtremeCase("log(1 - x)", [1e-10, 0], [-1e-10, 0]) { log(1 - $0) },
  ExtremeCase("exp(x) - 1", [1e-10, -1000], [1e-10, -1]) { exp($0) - 1 },
  ExtremeCase("1 - exp(x)", [1e-10, -1000], [-1e-10, 1]) { 1 - exp($0) },
  ExtremeCase("log(1 + exp(x))", [1000, 0, -50], [1000, ln2, 1.928_749_847_963_918e-22]) {
    log(1 + exp($0))
  },
  ExtremeCase("log(exp(x))", [1000, -1000], [1000, -1000]) { log(exp($0)) },
  ExtremeCase("log(sigmoid(x))", [-1000, 1000, 0], [-1000, 0, -ln2]) { log(sigmoid($0)) },
  ExtremeCase("log(1 - sigmoid(x))", [1000, -1000, 0], [-1000, 0, -ln2]) { log(1 - sigmoid($0)) },
  ExtremeCase("1 - sigmoid(x)", [50, -1000], [1.928_749_847_963_918e-22, 1]) { 1 - sigmoid($0) },
  ExtremeCase("exp(x) / (1 + exp(x))", [1000, -1000], [1, 0]) { exp($0) / (1 + exp($0)) },
  ExtremeCase(
    "log(exp(x) + exp(2x))", [1000, -1000, 0, -.infinity], [2000, -1000, ln2, -.infinity]
  ) { log(exp($0) + exp($0 * 2)) },
  ExtremeCase("sqrt(x²)", [1e30, -1e-30], [1e30, 1e-30]) { sqrt($0 * $0) },
  ExtremeCase("sigmoid written out", [1000, -1000, 0], [1, 0, 0.5], isRightAsWritten: true) {
    1 / (1 + exp(-($0 * 2)))
  },
]

private let extremes = elementwiseExtremes + lossExtremes

@Suite struct StabilityTests {
  private func run(_ item: ExtremeCase, _ rewrite: (Tensor) throws -> Tensor) throws -> [Double] {
    let x = Tensor.input("x", [Size(item.inputs.count)])
    let values = NDArray(rounding: item.inputs, shape: [item.inputs.count], .float32)
    let result = try rewrite(item.formula(x))
    return try ReferenceExecutor.run(outputs: [result], inputs: [x: values])[0].doubles
  }

  private func isRight(_ result: [Double], _ item: ExtremeCase) -> Bool {
    result.count == item.expected.count
      && zip(result, item.expected).allSatisfy { value, expected in
        value == expected || (value - expected).magnitude <= expected.magnitude * 4 * 0x1p-23
      }
  }

  @Test(arguments: extremes, [RewriteLevel.fast, .full])
  func isRightAfterRewriting(_ item: ExtremeCase, _ level: RewriteLevel) throws {
    let result = try run(item) {
      try Pipeline(level: level, isVerifying: true).apply(to: [$0])[0]
    }
    #expect(isRight(result, item), "\(result) instead of \(item.expected)")
  }

  /// Otherwise the rule, or the case, is for nothing.
  @Test(arguments: extremes) func isWrongAsWritten(_ item: ExtremeCase) throws {
    let result = try run(item) { $0 }
    #expect(isRight(result, item) == item.isRightAsWritten, "\(result)")
  }

  /// The gradients too, on their own: formulas are made stable before they are differentiated.
  @Test(arguments: extremes.filter { !$0.isRightAsWritten })
  func gradientsAreFinite(_ item: ExtremeCase) throws {
    let gradients = try run(item) { formula in
      let x = try #require(formula.inputs.first)
      return gradient(of: formula.sum(), withRespectTo: [x])[0]
    }
    let isLimit = item.inputs.contains { !$0.isFinite }
    #expect(isLimit || gradients.allSatisfy(\.isFinite), "\(gradients)")
  }

  @Test func gradientsOfCrossEntropyAreProbabilitiesLessOnes() throws {
    let x = Tensor.input("x", [1, 3])
    let cost = crossEntropy(softmax(x), .constant(NDArray([Int32(1)]))).sum()
    let gradient = gradient(of: cost, withRespectTo: [x])
    let values = [x: NDArray([Float(1000), 0, -1000], shape: [1, 3])]
    let result = try ReferenceExecutor.run(outputs: gradient, inputs: values)[0]
    #expect(result.doubles == [1, -1, 0])
  }

  /// ln(eᵃ + eᵇ) at ties, far away, and at infinities.
  @Test func logAddExpIsSmoothEverywhere() throws {
    let (a, b) = (Tensor.input("a", [5]), Tensor.input("b", [5]))
    let sum = logAddExp(a, b)
    let gradients = gradient(of: sum.sum(), withRespectTo: [a, b])
    let results = try ReferenceExecutor.run(
      outputs: [sum] + gradients,
      inputs: [
        a: NDArray([Float(0), 1000, -1000, -.infinity, .infinity]),
        b: NDArray([Float(0), -1000, 1000, -.infinity, .infinity]),
      ])
    #expect(
      results[0].doubles == [Double(Float(0.693147180559945)), 1000, 1000, -.infinity, .infinity])
    #expect(results[1].doubles == [0.5, 1, 0, 0.5, 0.5])
    #expect(results[2].doubles == [0.5, 0, 1, 0.5, 0.5])
  }

  @Test func logAddExpNeedsFloatsOfOneShape() {
    let wrong = logAddExp(Tensor.input("a", [3]), Tensor.input("b", [4]))
    #expect(
      wrong.failure?.text(withLocations: false) == """
        logAddExp: sizes of axis 0 differ, 3 ≠ 4
          left   "a" float32[3]
          right  "b" float32[4]
        """)
    #expect(
      logAddExp(Tensor.input("a", [3], .int32), Tensor.input("b", [3], .int32)).failure != nil)
  }

  /// Whoever asks for the gradient of the probabilities themselves gets it.
  @Test func variablesInsideAreKept() throws {
    let x = Tensor.input("x", [2])
    let probabilities = softmax(x)
    let gradient = gradient(of: log(probabilities).sum(), withRespectTo: [probabilities])
    let values = [x: NDArray([Float(0), 0])]
    let result = try ReferenceExecutor.run(outputs: gradient, inputs: values)[0]
    #expect(result.doubles == [2, 2])
  }

  /// The gradient of a choice that was not made stays away from 0 · ∞.
  @Test func gradientsOfWhatWasNotChosen() throws {
    let x = Tensor.input("x", [3])
    let root = select(x .> 0, sqrt(x), .zeros(like: x))
    let gradient = gradient(of: root.sum(), withRespectTo: [x])[0]
    let values = [x: NDArray([Float(0), 4, -1])]
    let before = try ReferenceExecutor.run(outputs: [gradient], inputs: values)[0].doubles
    #expect(before == [0, 0.25, 0])
    let rewritten = try Pipeline().apply(to: [gradient])
    let after = try ReferenceExecutor.run(outputs: rewritten, inputs: values)[0].doubles
    #expect(after == [0, 0.25, 0])
  }
}
