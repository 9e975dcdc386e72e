import Agnesi
import AgnesiCompiler
import TestSupport
import Testing

/// Memory that is not there is an error on every executor, before the work is begun.
@Suite struct MissingMemoryTests {
  static let backends: [any Backend] = [CPU(), Reference()]

  /// The error's words without the place; `left` bytes are there, or what the machine has.
  private func text(left: Int? = nil, _ body: () throws -> Void) -> String {
    Memory.$assumed.withValue(left) {
      do {
        try body()
        return "nothing was thrown"
      } catch let error as MemoryError {
        return error.text.replacing(#/, [^,]* of memory are left/#, with: "")
      } catch {
        return "another error: \(error)"
      }
    }
  }

  private let column = Tensor.input("column", [.symbol("n"), 1])
  private let row = Tensor.input("row", [1, .symbol("n")])

  private func vectors(_ count: Int) -> (column: NDArray, row: NDArray) {
    (NDArray(zeros: [count, 1]), NDArray(zeros: [1, count]))
  }

  @Test(arguments: backends) func aResultOfTerabytes(_ backend: any Backend) throws {
    let sum = try compile([column, row], to: [column + row], on: backend)
    let large = vectors(1 << 20)
    let found = text { _ = try sum(large.column, large.row) }
    #expect(found.contains("float32[1048576, 1048576]") && found.contains(" TB"), "\(found)")
    // The function is as good as before.
    let small = vectors(3)
    #expect(try sum(small.column, small.row)[0] == NDArray(zeros: [3, 3]))
  }

  @Test(arguments: backends) func knownSizesAreRefusedToo(_ backend: any Backend) throws {
    let x = Tensor.input("x", [Size(1 << 20), 1])
    let value = NDArray(zeros: [1 << 20, 1])
    let found = text {
      _ = try compile([x], to: [x + x.transposed([1, 0])], on: backend)(value)
    }
    #expect(found.contains("float32[1048576, 1048576]") && found.contains(" TB"), "\(found)")
  }

  @Test(arguments: backends) func productsThatOverflow(_ backend: any Backend) throws {
    let huge = [Size(1 << 40), Size(1 << 40)]
    let number = Tensor.input("number", [])
    #expect(
      text { _ = try compile([number], to: [number.broadcast(to: huge)], on: backend) }
        == "broadcast: float32[1099511627776, 1099511627776] would take more than 9.22 EB")
    let weight = Tensor.parameter("weight", huge)
    #expect(
      text { _ = try compile([], to: [weight.sum()], on: backend) }
        == "parameter \"weight\": float32[1099511627776, 1099511627776] would take more than 9.22 EB"
    )
    // Where the sizes have names, the first call shows it: a view is all that is handed in.
    let x = Tensor.input("x", [.symbol("n"), .symbol("m")])
    let sum = try compile([x], to: [x.sum()], on: backend)
    let view = NDArray(scalar: 1 as Float).broadcast(to: [1 << 40, 1 << 40])
    #expect(
      text { _ = try sum(view) }
        == "input: float32[1099511627776, 1099511627776] would take more than 9.22 EB")
    let half = NDArray(scalar: 1 as Float).broadcast(to: [1 << 25, 1 << 25])
    #expect(
      text { _ = try sum(half) }
        == "a copy of input \"x\": float32[33554432, 33554432] would take 4.50 PB")
  }

  @Test(arguments: backends) func parametersBeforeTheyAreDrawn(_ backend: any Backend) throws {
    let x = Tensor.input("x", [.batch, 100])
    let first = Tensor.parameter("first", [100, 300], .glorotUniform)
    let second = Tensor.parameter("second", [300, 200], .glorotUniform)
    let output = matmul(matmul(x, first), second)
    #expect(
      text(left: 359_999) { _ = try compile([x], to: [output], on: backend) } == """
        function: 2 parameters would take 360 kB
          the largest is parameter "second": float32[300, 200], 240 kB
        """)
    #expect(first.parameter?.hasValue == false && second.parameter?.hasValue == false)
    #expect(
      text(left: 360_000) { _ = try compile([x], to: [output], on: backend) }
        == "nothing was thrown")
  }

  /// All that is needed at once, though each piece would fit.
  @Test func thePlanOfAFunction() throws {
    let x = Tensor.input("x", [.symbol("n"), .symbol("n")])
    let product = matmul(x, x)
    let function = try compile([x], to: [matmul(product, product)], on: .cpu)
    let value = NDArray(zeros: [100, 100])
    #expect(
      text(left: 60_000) { _ = try function(value) }.hasPrefix(
        """
        function: all that a call needs at once would take 80.0 kB
          the largest is
        """))
    let found = text(left: 30_000) { _ = try function(value) }
    #expect(found == "matmul: float32[100, 100] would take 40.0 kB")
    #expect(try function(value)[0] == value)
  }
}

/// Sizes that no memory holds go through rewriting and lowering without a trap.
@Suite struct HugeSizesTests {
  @Test(
    arguments: Operations.all.flatMap { operation in
      operation.examples.prefix(2).map { ConformanceCase(operation: operation.name, example: $0) }
    })
  func areAnErrorOrAPlan(_ one: ConformanceCase) throws {
    for factors in [[1 << 29], [1 << 40, 1], [1, 1 << 40], [1 << 55, 1]] {
      let inputs = one.example.inputs.enumerated().map { position, input in
        let shape = input.shape.enumerated().map { axis, size in
          Size(size) * Size(factors[min(axis, factors.count - 1)])
        }
        return Tensor.input("x\(position)", shape, input.dtype)
      }
      let outputs = one.example.build(inputs)
      guard outputs.allSatisfy({ $0.failure == nil }) else { continue }
      do {
        _ = try compile(
          inputs, to: outputs, options: CompileOptions(allowsUnusedInputs: true), on: Planner())
      } catch is MemoryError {
      }
    }
  }

  /// Lowers as the CPU does, and plans, without a C compiler.
  private struct Planner: Backend {
    let name = "planner"

    func prepare(_ program: GraphProgram) throws -> any Executable {
      let lowered = CPU().lowered(program, expecting: [:])
      try lowered.checkBuffers([:])
      _ = MemoryPlan(lowered, sizes: [:])
      return Nothing()
    }

    private struct Nothing: Executable {
      func run(inputs: [NDArray], sizes: [String: Int], callNumber: Int) throws -> [NDArray] { [] }
    }
  }
}
