import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops
import Testing

@Suite struct GradientTests {
  private let x = Tensor.floats([-2, 0, 3])

  @Test func disconnectedVariablesMayBeZero() throws {
    let other = Tensor.floats([1, 2], [2, 1])
    let gradients = gradient(of: x.sum(), withRespectTo: [x, other], disconnected: .zero)
    #expect(try computed(gradients[0]) == [1, 1, 1])
    #expect(try computed(gradients[1]) == [0, 0])
    #expect(typeText(gradients[1]) == "float32[2, 1]")
  }

  @Test func constantsEndGradients() throws {
    let y = x * x
    let derivative = gradient(of: (y * x).sum(), withRespectTo: [x], constants: [y])[0]
    #expect(try computed(derivative) == [4, 0, 9])
    #expect(
      try computed(gradient(of: (stopGradient(y) * x).sum(), withRespectTo: [x])[0]) == [4, 0, 9])
  }

  @Test func intermediateValuesHaveGradients() throws {
    let y = x * 2
    #expect(try computed(gradient(of: (y * y).sum(), withRespectTo: [y])[0]) == [-8, 0, 12])
  }

  @Test func thirdDerivative() throws {
    var derivative = power(x, 4).sum()
    for _ in 0..<3 { derivative = gradient(of: derivative, withRespectTo: [x])[0].sum() }
    #expect(try computed(derivative) == [24])
  }

  @Test func gradientsMayBeClippedScaledAndTurned() throws {
    let weights = Tensor.floats([-5, 0.5, 7])
    let clipped = gradientClipped(x, -1, 2)
    #expect(try computed(clipped) == [-2, 0, 3])
    #expect(
      try computed(gradient(of: (clipped * weights).sum(), withRespectTo: [x])[0]) == [-1, 0.5, 2])
    let turned = gradientScaled(x, by: -1)
    #expect(
      try computed(gradient(of: (turned * weights).sum(), withRespectTo: [x])[0]) == [5, -0.5, -7])
  }

  @Test func kinksHaveOneSide() throws {
    func gradients(_ build: (Tensor, Tensor) -> Tensor) throws -> [[Double]] {
      let (a, b) = (Tensor.floats([1, 2, 3]), Tensor.floats([2, 2, 2]))
      return try gradient(of: build(a, b).sum(), withRespectTo: [a, b], disconnected: .zero)
        .map { try computed($0) }
    }
    #expect(try gradients { maximum($0, $1) } == [[0, 1, 1], [1, 0, 0]])
    #expect(try gradients { minimum($0, $1) } == [[1, 1, 0], [0, 0, 1]])
    #expect(try gradients { a, _ in abs(a - 2) } == [[-1, 0, 1], [0, 0, 0]])
    #expect(try gradients { a, _ in clip(a, 2, 2.5) } == [[0, 1, 0], [0, 0, 0]])
    #expect(try gradients { a, b in clip(a, b, b) } == [[0, 1, 0], [1, 0, 1]])
    #expect(try gradients { a, _ in (a * 0).max() * 1 } == [[0, 0, 0], [0, 0, 0]])
    let ties = Tensor.floats([1, 4, 4])
    #expect(try computed(gradient(of: ties.max(), withRespectTo: [ties])[0]) == [0, 1, 0])
  }

  @Test func powersAtTheEdge() throws {
    func derivative(_ base: [Double], _ exponent: Double) throws -> [Double] {
      let x = Tensor.floats(base)
      return try computed(
        gradient(of: power(x, exponent).sum(), withRespectTo: [x], disconnected: .zero)[0])
    }
    #expect(try derivative([0, -3], 2) == [0, -6])
    #expect(try derivative([0, -3], 1) == [1, 1])
    #expect(try derivative([0, -3], 0) == [0, 0])
    #expect(try derivative([0, -2], 5) == [0, 80])
    #expect(try derivative([0], 0.5) == [.infinity])
    let (bases, exponents) = (Tensor.floats([0, 0, 2, 5]), Tensor.floats([0, 2, 0, 1]))
    let both = gradient(
      of: power(bases, exponents).sum(), withRespectTo: [bases, exponents])
    #expect(try computed(both[0]) == [0, 0, 0, 1])
    #expect(try computed(both[1])[0...1] == [0, 0])
  }

  /// The gradient of what was not chosen stays out, even where it is NaN.
  @Test func selectGuardsGradients() throws {
    let x = Tensor.floats([0, 4])
    let safe = select(x .> 0, x, .ones(like: x))
    let root = select(x .> 0, sqrt(safe), .zeros(like: x))
    #expect(try computed(gradient(of: root.sum(), withRespectTo: [x])[0]) == [0, 0.25])
  }

  @Test func whatWasDroppedHasNoGradient() throws {
    let updates = Tensor.floats([1, 2, 3])
    let sum = Tensor.floats([0, 0]).scatterAdded(.wholes([0, 5, 0]), updates)
    #expect(try computed(sum) == [4, 0])
    #expect(try computed(gradient(of: sum.sum(), withRespectTo: [updates])[0]) == [1, 0, 1])
    let table = Tensor.floats([10, 20, 30])
    let rows = table.gathered(.wholes([2, 2, 7, -1]))
    let finite = select(isNaN(rows), .zeros(like: rows), rows)
    #expect(try computed(gradient(of: finite.sum(), withRespectTo: [table])[0]) == [0, 0, 3])
  }
}
