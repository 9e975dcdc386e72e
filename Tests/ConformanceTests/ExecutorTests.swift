import Agnesi
import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiReference
import Testing

/// Every example of every operation and composite, on the CPU, against the reference.
@Suite struct ExecutorTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let operation: String
    let example: Example
    var testDescription: String { "\(operation): \(example.title)" }
  }

  static let cases: [Case] =
    Operations.all.flatMap { operation in
      operation.examples.map { Case(operation: operation.name, example: $0) }
    } + CompositeExamples.all.map { Case(operation: $0.name, example: $0.example) }

  @Test(arguments: cases) func cpuAgreesInFloat32(_ item: Case) throws {
    try compare(item, floating: .float32, unit: 0x1p-23)
  }

  @Test(arguments: cases) func cpuAgreesInFloat64(_ item: Case) throws {
    try compare(item, floating: .float64, unit: 0x1p-52)
  }

  /// Rewriting must not change what a graph means either.
  @Test(arguments: cases) func gradientsAgree(_ item: Case) throws {
    guard item.example.isDifferentiable else { return }
    let built = Built(item, floating: .float64, symbolic: false)
    let costs = built.outputs.filter(\.dtype.isFloating).map { ($0 * $0).sum() }
    guard let first = costs.first else { return }
    let cost = costs.dropFirst().reduce(first) { $0 + $1 }
    let variables = built.inputs.filter(\.dtype.isFloating)
    let gradients = gradient(of: cost, withRespectTo: variables, disconnected: .zero)
    try built.compare(gradients, tolerance: item.example.tolerance * 64, unit: 0x1p-52)
  }

  private func compare(_ item: Case, floating: DType, unit: Double) throws {
    for symbolic in [false, true] {
      let built = Built(item, floating: floating, symbolic: symbolic)
      // An example may ask for a size that only a number can be.
      if symbolic, built.outputs.contains(where: { $0.failure != nil }) { continue }
      try built.compare(built.outputs, tolerance: item.example.tolerance, unit: unit)
    }
  }
}

/// An example with inputs and values.
private struct Built {
  let inputs: [Tensor]
  let values: [NDArray]
  let outputs: [Tensor]

  init(_ item: ExecutorTests.Case, floating: DType, symbolic: Bool) {
    let arrays = item.example.inputs.enumerated().map { position, input in
      input.array(
        stream: Philox(seed: UInt64(position), name: item.example.title), floating: floating)
    }
    // With symbolic sizes every input's first axis is called by its number, so that equal sizes
    // share a name.
    inputs = arrays.enumerated().map { position, array in
      let shape = array.shape.enumerated().map { axis, size in
        symbolic && axis == 0 && size > 1 ? Size.symbol("n\(size)") : Size(size)
      }
      return .input("x\(position)", shape, array.dtype)
    }
    values = arrays
    outputs = item.example.build(inputs)
  }

  func compare(_ tensors: [Tensor], tolerance: Double, unit: Double) throws {
    let options = CompileOptions(allowsUnusedInputs: true)
    let plain = CompileOptions(allowsUnusedInputs: true, rewriting: .none)
    let expected = try AgnesiCompiler.compile(inputs, to: tensors, options: plain, on: .reference)
      .call(values)
    let actual = try AgnesiCompiler.compile(inputs, to: tensors, options: options, on: .cpu)
      .call(values)
    for (want, got) in zip(expected.arrays, actual.arrays) {
      #expect(want.dtype == got.dtype)
      #expect(want.shape == got.shape)
      let (a, b) = (want.doubles, got.doubles)
      let scale = max(1e-3, a.filter(\.isFinite).map(abs).max() ?? 1)
      let limit = want.dtype.isFloating ? tolerance * unit * scale : 0
      for (index, pair) in zip(a, b).enumerated() {
        let isSame = pair.0 == pair.1 || (pair.0.isNaN && pair.1.isNaN)
        #expect(
          isSame || abs(pair.0 - pair.1) <= limit, "element \(index): \(pair.0), got \(pair.1)")
      }
    }
  }
}
