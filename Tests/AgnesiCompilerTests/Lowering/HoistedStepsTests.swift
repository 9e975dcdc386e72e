import Agnesi
import AgnesiCompiler
import AgnesiExpressions
import TestSupport
import Testing

/// Steps that need not run again while parameters stay as they are.
@Suite struct HoistedStepsTests {
  private let x = Tensor.input("x", [.batch, 64])
  private let a = Tensor.parameter("a", [64, 64], .uniform(range: 1))
  private let b = Tensor.parameter("b", [64, 64], .uniform(range: 1))

  @Test func stepsOfParametersAloneComeFirst() throws {
    let program = try lowered([x], [matmul(matmul(x, a), matmul(tanh(a), tanh(b)))])
    #expect(program.hoistedFirst().hoistedCount == 3)
    #expect(
      program.hoistedFirst().labels.sorted()
        == ["matmul", "matmul", "matmul", "tanh", "tanh"])
    #expect(Set(program.hoistedFirst().hoistedParameters.compactMap(\.name)) == ["a", "b"])
    let inputsOnly = try lowered([x], [matmul(x, a)])
    #expect(inputsOnly.hoistedFirst().hoistedCount == 0)
  }

  /// What an update changes is not hoisted, nor what comes of it.
  @Test func stepsOfChangedParametersStayWhereTheyAre() throws {
    let y = matmul(x, matmul(tanh(a), tanh(b)))
    let cost = y.sum()
    let program = try lowered([x], [cost], sgd(cost, [a], rate: 0.1))
    let hoisted = program.hoistedFirst()
    #expect((1...2).contains(hoisted.hoistedCount))
    #expect(hoisted.hoistedParameters.map(\.name) == ["b"])
  }

  /// A result of a hoisted step shares its place with nothing that comes later.
  @Test func resultsKeepTheirMemory() throws {
    let product = matmul(tanh(a), b)
    let output = (0..<6).reduce(x) { y, _ in tanh(matmul(y, product)) }
    let program = try lowered([x], [output]).hoistedFirst()
    let plan = MemoryPlan(program, sizes: ["batch": 64])
    let kept = try #require(program.steps[program.hoistedCount - 1].written.first)
    let place = try #require(plan.offsets[kept.index])
    let others = program.steps.dropFirst(program.hoistedCount).flatMap(\.written)
    #expect(!others.isEmpty)
    for other in others { #expect(plan.offsets[other.index] != place) }
  }

  @Test func newValuesAreSeen() throws {
    let y = matmul(x, matmul(tanh(a), b))
    let function = try compile([x], to: [y], on: .cpu)
    let expected = try compile([x], to: [y], on: .reference)
    let training = try compile([x], to: [y.sum()], updates: sgd(y.sum(), [a], rate: 0.01), on: .cpu)
    let values = NDArray((0..<128).map { Float($0 % 7) - 3 }, shape: [2, 64])
    func check() throws {
      let (new, old) = (try function(values)[y].doubles, try expected(values)[y].doubles)
      #expect(zip(new, old).allSatisfy { abs($0 - $1) < 1e-3 })
    }
    for _ in 0..<3 { try check() }
    let first = try function(values)[y].doubles
    try b.parameter?.assign(NDArray(filled: 0.25, shape: [64, 64]))
    for _ in 0..<3 { try check() }
    let second = try function(values)[y].doubles
    #expect(first != second)
    _ = try training(values)
    for _ in 0..<3 { try check() }
    #expect(try function(values)[y].doubles != second)
    a.parameter?.reset()
    for _ in 0..<3 { try check() }
    #expect(try function(values)[y].doubles == second)
  }
}
