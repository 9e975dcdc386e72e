import Agnesi
import AgnesiCompiler
import AgnesiLoops
import TestSupport
import Testing

/// What is done together with a reduction: other reductions, what follows it, what only it reads.
@Suite struct ReductionFusionTests {
  private let x = Tensor.input("x", [.batch, 6])

  /// The sum and the sum of squares read memory once.
  @Test func reductionsOverTheSameMemoryShareThePass() throws {
    let outputs = [x.sum(axes: [1]), (x * x).sum(axes: [1])]
    #expect(
      try lowered([x], outputs).text == """
        kernel (a0: float32, a1: float32 written, a2: float32 written; batch)
          parallel for _i0 in 0..<batch
            var l0: float32 = 0
            var l1: float32 = 0
            reduce _r0 in 0..<6
              let t0 = a0[_i0 * 6 + _r0]
              l0 = sum(l0, t0)
              l1 = sum(l1, (t0 * t0))
            a1[_i0] = l0
            a2[_i0] = l1
        """)
    try expectAgreement([x], outputs, [.init([1, .nan, 3, 4, 5, 6, 0, -1, 2, 7, .infinity, 1])])
    try expectAgreement([x], outputs, [[]])
  }

  @Test func columnsShareThePassToo() throws {
    let wide = Tensor.input("wide", [.batch, 20])
    let outputs = [wide.max(axes: [0]), wide.sum(axes: [0])]
    #expect(
      try lowered([wide], outputs).text == """
        kernel (a0: float32, a1: float32 written, a2: float32 written; batch)
          parallel vector for _i0 in 0..<20
            var l0: float32 = -inf
            var l1: float32 = 0
            reduce _r0 in 0..<batch
              let t0 = a0[_i0 + _r0 * 20]
              l0 = maximum(l0, t0)
              l1 = sum(l1, t0)
            a1[_i0] = l0
            a2[_i0] = l1
        """)
    let values = (0..<60).map { $0 == 7 ? .nan : Double($0 % 17) }
    try expectAgreement([wide], outputs, [values])
    try expectAgreement([wide], outputs, [[]])
  }

  /// One reduction, whose result two values need.
  @Test func equalReductionsRunOnce() throws {
    let (a, b) = (x.sum(axes: [1]), x.sum(axes: [1]))
    let program = try lowered([x], [exp(a) * a, a, b - 1])
    #expect(program.steps.count == 1)
    #expect(program.text.components(of: "sum(") == 1)
  }

  /// A reduction cannot use what another makes only behind it.
  @Test func aReductionThatNeedsAnotherComesAfterIt() throws {
    let centred = x - x.mean(axes: [1], keepingAxes: true)
    let variance = (centred * centred).mean(axes: [1])
    #expect(try lowered([x], [variance]).steps.count == 2)
    try expectAgreement([x], [variance], [.init([1, 2, 3, 4, 5, 6, 0, -1, 2, 7, 1, 1])])
  }

  /// Rows and columns of one matrix are two passes.
  @Test func otherOrdersAreOtherPasses() throws {
    let square = Tensor.input("square", [6, 6])
    let outputs = [square.sum(axes: [0]), square.sum(axes: [1])]
    #expect(try lowered([square], outputs).steps.count == 2)
    try expectAgreement([square], outputs, [(0..<36).map { Double($0) }])
  }

  /// The new velocity and the new parameter are computed where the gradient is finished, in place;
  /// the gradient itself is nowhere.
  @Test func momentumIsTheEpilogueOfTheGradient() throws {
    let wide = Tensor.input("wide", [.batch, 20])
    let w = Tensor.parameter("w", [20])
    let cost = (wide * w).sum()
    let updates = Optimizer.momentum().updates(of: cost, parameters: [w], rate: 0.5)
    let program = try lowered([wide], [], updates)
    #expect(
      program.text == """
        kernel (a0: float32, a1: float32, a2: float32, a3: float32 written, a4: float32 written; batch)
          parallel vector for _i0 in 0..<20
            var l0: float32 = 0
            reduce _r0 in 0..<batch
              l0 = sum(l0, a0[_i0 + _r0 * 20])
            var l1: float32 = ((0.8999999761581421 * a1[_i0]) - (0.5 * l0))
            var l2: float32 = (a2[_i0] + l1)
            a3[_i0] = l1
            a4[_i0] = l2
        """)
    #expect(program.inPlaceCount == 2)
    #expect(program.copies.isEmpty)
    let start = w.parameter?.value.doubles ?? []
    let step = try compile([wide], to: [cost], updates: updates)
    _ = try step(NDArray((0..<40).map { Float($0) }, shape: [2, 20]))
    let expected = start.enumerated().map { Double(Float($1) - Float($0 + 10)) }
    #expect(w.parameter?.value.doubles == expected)
  }

  /// What a reduction reads must not be written over by the step that reduces it.
  @Test func aReducedParameterIsNotWrittenInPlace() throws {
    let w = Tensor.parameter("w", [6, 6])
    let updates = Updates([(w, w - w.sum(axes: [1], keepingAxes: true))])
    let program = try lowered([], [], updates)
    for step in program.steps where step.work.reductions { #expect(step.identityReads.isEmpty) }
    let before = w.parameter?.value.doubles ?? []
    _ = try compile([], to: [], updates: updates)()
    let sums = (0..<6).map { row in before[(row * 6)..<(row * 6 + 6)].reduce(0, +) }
    let after = w.parameter?.value.doubles ?? []
    for index in before.indices {
      #expect(abs(after[index] - (before[index] - sums[index / 6])) < 1e-5)
    }
  }

  /// The shared tanh is not stored: the reductions that need it are one.
  @Test func elementsThatOnlyReductionsReadAreComputedInside() throws {
    let t = tanh(x)
    let outputs = [(t * t).sum(axes: [1]), (t * x).sum(axes: [1])]
    #expect(
      try lowered([x], outputs).text == """
        kernel (a0: float32, a1: float32 written, a2: float32 written; batch)
          parallel for _i0 in 0..<batch
            var l0: float32 = 0
            var l1: float32 = 0
            reduce _r0 in 0..<6
              let t0 = a0[_i0 * 6 + _r0]
              let t1 = tanh(t0)
              l0 = sum(l0, (t1 * t1))
              l1 = sum(l1, (t1 * t0))
            a1[_i0] = l0
            a2[_i0] = l1
        """)
    try expectAgreement([x], outputs, [.init([1, .nan, 3, 4, 5, 6, 0, -1, 2, 7, .infinity, 1])])
  }

  /// Two reductions in different nests read it, so it stays in memory.
  @Test func elementsThatOthersReadStay() throws {
    let t = tanh(x)
    let outputs = [t.sum(axes: [1]), t.sum(axes: [0]), t]
    let program = try lowered([x], outputs)
    #expect(program.text.components(of: "tanh(") == 1)
    try expectAgreement([x], outputs, [.init([1, .nan, 3, 4, 5, 6, 0, -1, 2, 7, .infinity, 1])])
    let (u, v) = (exp(x), x * 3 + 1)
    let two = [(u * v).sum(axes: [1]), (u * v * x).sum(axes: [0]), u.max(axes: [0])]
    try expectAgreement([x], two, [.init([1, .nan, 3, 4, 5, 6, 0, -1, 2, 7, .infinity, 1])])
  }
}

extension String {
  /// How often `part` occurs.
  func components(of part: String) -> Int { ranges(of: part).count }
}

extension Step.Work {
  /// Whether something is reduced.
  fileprivate var reductions: Bool {
    guard case .kernel(let kernel, _) = self else { return false }
    return kernel.description.contains("reduce ")
  }
}

/// Compares the interpreter and the CPU with the reference, which knows no kernels.
///
/// - Parameter values: for each input, in order; the first axis is as long as they ask for.
func expectAgreement(
  _ inputs: [Tensor], _ outputs: [Tensor], _ values: [[Double]], tolerance: Double = 1e-5,
  location: Testing.SourceLocation = #_sourceLocation
) throws {
  let arrays = zip(inputs, values).map { input, values in
    let rest = input.shape.dropFirst().reduce(1) { $0 * ($1.known ?? 1) }
    let first = input.shape.first.map { $0.known ?? values.count / rest }
    return NDArray(
      rounding: values,
      shape: (first.map { [$0] } ?? []) + input.shape.dropFirst().map { $0.known ?? 1 }, input.dtype
    )
  }
  var sizes: [String: Int] = [:]
  for (input, array) in zip(inputs, arrays) {
    if let size = input.shape.first, size.known == nil { sizes["\(size)"] = array.shape[0] }
  }
  let options = CompileOptions(allowsUnusedInputs: true, rewriting: .none)
  let expected = try compile(inputs, to: outputs, options: options, on: .reference).call(arrays)
  let actual = try compile(inputs, to: outputs).call(arrays)
  let interpreted = try lowered(inputs, outputs).interpreted(arrays, sizes: sizes)
  for (index, want) in expected.arrays.enumerated() {
    for got in [actual.arrays[index], interpreted[index]] {
      let isClose = zip(want.doubles, got.doubles).allSatisfy { a, b in
        a == b || (a.isNaN && b.isNaN) || abs(a - b) <= tolerance * max(1, abs(a))
      }
      #expect(
        isClose && want.count == got.count, "\(want.doubles), got \(got.doubles)",
        sourceLocation: location)
    }
  }
}
