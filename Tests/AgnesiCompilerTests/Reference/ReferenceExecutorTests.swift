import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops
import AgnesiReference
import Testing

@Suite struct ReferenceExecutorTests {
  private let x = Tensor.input("x", [.batch, 2])

  private func run(_ outputs: Tensor..., rows: Int = 3) throws -> [NDArray] {
    let values = NDArray((0..<(2 * rows)).map { Float($0) }, shape: [rows, 2])
    return try ReferenceExecutor.run(
      outputs: outputs, inputs: [x: values], sizes: ["batch": rows], callNumber: 41)
  }

  private func message(_ body: () throws -> [NDArray]) -> String? {
    do {
      _ = try body()
      return nil
    } catch let error as ExecutionError {
      return error.text(withLocation: false)
    } catch {
      return "another error: \(error)"
    }
  }

  @Test func sizesArePutIn() throws {
    let values = try run(
      x.sum(axes: [0]), x.mean(), .integer(.batch * 2), .index([.batch], axis: 0))
    #expect(values[0].doubles == [6, 9])
    #expect(values[1].scalar == 2.5)
    #expect(values[2].scalar == 6)
    #expect(values[3].doubles == [0, 1, 2])
  }

  @Test func noSamplesAreFine() throws {
    #expect(try run(x.sum(axes: [0]), exp(x), rows: 0).map(\.shape) == [[2], [0, 2]])
  }

  @Test func parametersAreReadAsTheyAre() throws {
    let w = Tensor.parameter("w", [2], .constant(3))
    #expect(try run(x + w)[0].doubles == [3, 4, 5, 6, 7, 8])
    w.parameter?.value = NDArray([Float(0), 10])
    #expect(try run(x + w)[0].doubles == [0, 11, 2, 13, 4, 15])
  }

  @Test func updatesAreAssignedAtTheEnd() throws {
    let (a, b) = (Tensor.parameter("a", [], .constant(1)), Tensor.parameter("b", [], .constant(2)))
    let swap = try compile(
      [], to: ["sum": a + b], updates: Updates([(a, b), (b, a)]), on: .reference)
    #expect(try swap().named("sum").scalar == 3)
    #expect([a.parameter?.value.scalar, b.parameter?.value.scalar] == [2, 1])
  }

  @Test func asABackend() throws {
    let w = Tensor.parameter("w", [2], .constant(1))
    let y = x + w
    let function = try compile([x], to: ["sum": y.sum()], on: .reference)
    let values = NDArray([Float(1), 2, 3, 4, 5, 6], shape: [3, 2])
    #expect(try function(values).named("sum").scalar == 27)
    #expect(try function(values[rows: 0..<1]).named("sum").scalar == 5)
  }

  @Test func compositesRunByTheirBodies() throws {
    let y = Tensor.composite("twice", [x]) { $0[0] + $0[0] }
    #expect(try run(y)[0].doubles == [0, 2, 4, 6, 8, 10])
  }

  @Test func theNumberOfTheCallIsGiven() throws {
    #expect(try run(.callNumber + 1)[0].scalar == 42)
  }

  @Test func anInputMayBeAnOutput() throws {
    #expect(try run(x, x)[1].shape == [3, 2])
  }

  @Test func longChainsRun() throws {
    let chain = (0..<30_000).reduce(x) { value, _ in -value }
    #expect(try run(chain)[0].doubles == [0, 1, 2, 3, 4, 5])
  }

  @Test func missingInputsAreNamed() {
    let y = Tensor.input("y", [2])
    #expect(message { try run(x + y) } == "input: no value was handed in for input \"y\"")
  }

  @Test func inputsOfOtherTypesAreRefused() {
    let values = [x: NDArray(zeros: [3, 5])]
    #expect(
      message {
        try ReferenceExecutor.run(outputs: [x], inputs: values, sizes: ["batch": 3])
      } == "input: input \"x\" is float32[3, 2], got float32[3, 5]")
  }

  @Test func missingSizesAreNamed() {
    let values = [x: NDArray(zeros: [3, 2])]
    #expect(
      message { try ReferenceExecutor.run(outputs: [exp(x)], inputs: values) }
        == "input: has the type float32[batch, 2], whose sizes are not known")
  }

  @Test func failedFormulasAreThrown() {
    let wrong = x + Tensor.input("y", [3])
    #expect(throws: GraphError.self) { try run(wrong) }
  }
}
