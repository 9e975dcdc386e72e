import AgnesiArrays
import AgnesiLoops
import Testing

private let i = Size.symbol("i")
private let k = Size.symbol("k")

/// `output[i] = value` for one input `a0`, over all its elements.
private func map(
  _ input: NDArray, _ output: DType, _ function: (Scalar) -> Scalar
) throws -> NDArray {
  let x = Scalar.load(.argument(0), .index(i), input.dtype.computed)
  let kernel = Kernel(
    name: "map", arguments: [.init(input.dtype, isWritten: false), .init(output, isWritten: true)],
    body: [
      .loop(
        .init(
          "i", .symbol("n"),
          body: [.store(.argument(1), index: .index(i), value: function(x))]))
    ])
  try kernel.verify()
  var arrays = [input, NDArray(zeros: input.shape, output)]
  try KernelInterpreter(kernel).run(&arrays, sizes: ["n": input.count])
  return arrays[1]
}

private func failure(_ body: () throws -> Void) -> String {
  do {
    try body()
    return "none"
  } catch {
    return "\(error)"
  }
}

@Suite struct KernelInterpreterTests {
  @Test func floatsRoundAfterEachOperation() throws {
    // 1 + 2⁻²⁴ is 1 in float32, so the difference is 0; in float64 it is not.
    let tiny = 0x1p-24
    let single = try map(NDArray([Float(tiny)]), .float32) { ($0.like(1) + $0) - $0.like(1) }
    #expect(single.doubles == [0])
    let double = try map(NDArray([tiny]), .float64) { ($0.like(1) + $0) - $0.like(1) }
    #expect(double.doubles == [tiny])
  }

  @Test func halfPrecisionRoundsWhenStored() throws {
    let input = NDArray(rounding: [0.1, 65_504], shape: [2], .float16)
    let result = try map(input, .float16) { $0 + $0.like(1) }
    let expected = [0.1, 65_504].map { value in
      NDArray(rounding: [value], shape: [1], .float16).doubles[0] + 1
    }
    #expect(result.doubles == NDArray(rounding: expected, shape: [2], .float16).doubles)
    #expect(
      try map(NDArray([Float(0.1)]), .float32) { $0.cast(to: .bfloat16).cast(to: .float32) }
        .doubles == [0.10009765625])
  }

  @Test func integersWrapAround() throws {
    let bytes = NDArray([Int8(127), -128, 100])
    #expect(try map(bytes, .int8) { $0 + $0.like(1) }.doubles == [-128, -127, 101])
    #expect(try map(bytes, .int8) { $0(.negate) }.doubles == [-127, -128, -100])
    #expect(try map(bytes, .int8) { $0(.abs) }.doubles == [127, -128, 100])
    let wide = NDArray([Int64.max, .min, 5])
    #expect(try map(wide, .int64) { $0 * $0 }.scalars(as: Int64.self) == [1, 0, 25])
    let words = NDArray([UInt32.max, 0, 7])
    #expect(
      try map(words, .uint32) { $0 + $0.like(2) }.scalars(as: UInt32.self) == [1, 2, 9])
  }

  @Test func quotients() throws {
    let values = NDArray([Int32(7), -7, 0, .min])
    func divided(_ function: BinaryFunction, by divisor: Double) throws -> [Int32] {
      try map(values, .int32) { .binary(function, $0, $0.like(divisor)) }.scalars()
    }
    #expect(try divided(.divide, by: 2) == [3, -3, 0, -1_073_741_824])
    #expect(try divided(.floorDivide, by: 2) == [3, -4, 0, -1_073_741_824])
    #expect(try divided(.modulo, by: -3) == [-2, -1, 0, -2])
    #expect(try divided(.modulo, by: 3) == [1, 2, 0, 1])
    #expect(try divided(.divide, by: -1) == [-7, 7, 0, .min])
    for function in [BinaryFunction.divide, .floorDivide, .modulo] {
      #expect(try divided(function, by: 0) == [0, 0, 0, 0])
    }
    let floats = NDArray([Float(7), -7, -0.5])
    #expect(
      try map(floats, .float32) { .binary(.modulo, $0, $0.like(3)) }.doubles == [1, 2, 2.5])
    #expect(
      try map(floats, .float32) { .binary(.floorDivide, $0, $0.like(3)) }.doubles == [2, -3, -1])
  }

  @Test func integerPowers() throws {
    let bases = NDArray([Int32(3), -1, 1, 0, 10])
    func power(_ exponent: Double) throws -> [Int32] {
      try map(bases, .int32) { .binary(.power, $0, $0.like(exponent)) }.scalars()
    }
    #expect(try power(5) == [243, -1, 1, 0, 100_000])
    #expect(try power(0) == [1, 1, 1, 1, 1])
    #expect(try power(-3) == [0, -1, 1, 0, 0])
  }

  @Test func castsToIntegers() throws {
    let floats = NDArray([Float(2.9), -2.9, .nan, 300, -1, .infinity, 3e9])
    #expect(
      try map(floats, .int32) { $0.cast(to: .int32) }.scalars(as: Int32.self)
        == [2, -2, 0, 300, -1, -1, -1_294_967_296])
    #expect(
      try map(floats, .uint8) { $0.cast(to: .uint8) }.scalars(as: UInt8.self)
        == [2, 254, 0, 44, 255, 255, 0])
    #expect(
      try map(floats, .bool) { $0.cast(to: .bool) }.doubles == [1, 1, 1, 1, 1, 1, 1])
    // The same as storing does.
    for dtype in DType.allCases where dtype != .float16 && dtype != .bfloat16 {
      #expect(
        try map(floats, dtype) { $0.cast(to: dtype) }.isIdentical(to: floats.cast(to: dtype)))
    }
  }

  @Test func notANumberWins() throws {
    let values = NDArray([Float.nan, 1, -1])
    for function in [BinaryFunction.maximum, .minimum] {
      let left = try map(values, .float32) { .binary(function, $0, $0.like(0)) }
      let right = try map(values, .float32) { .binary(function, $0.like(0), $0) }
      #expect(left.doubles[0].isNaN && right.doubles[0].isNaN)
      #expect(left.doubles[1...] == right.doubles[1...])
    }
  }

  @Test func guardedLoadsAreNotEvaluated() throws {
    let input = NDArray([Float(1), 2, 3])
    let shifted = try map(input, .float32) { x in
      .select(
        .index(0) .< .index(i), .load(.argument(0), .index(i - 1), .float32), x.like(9))
    }
    #expect(shifted.doubles == [9, 1, 2])
  }

  @Test func reductionsScratchAndConditions() throws {
    let n = Size.symbol("n")
    let kernel = Kernel(
      name: "rows",
      arguments: [.init(.float32, isWritten: false), .init(.float32, isWritten: true)],
      body: [
        .scratch(7, .float32, count: 2),
        .loop(
          .init(
            "i", 2,
            body: [
              .define(0, .constant(0, .float32)),
              .reduce(
                .init(
                  "k", n,
                  folds: [
                    .init(
                      local: 0, combiner: .sum,
                      value: .load(.argument(0), .index(i * n + k), .float32))
                  ])),
              .when(
                .local(0, .float32) .> .constant(10, .float32),
                [.assign(0, .constant(10, .float32))]),
              .store(.scratch(7), index: .index(i), value: .local(0, .float32)),
            ])),
        .store(.argument(1), index: .index(0), value: .load(.scratch(7), .index(0), .float32)),
        .store(.argument(1), index: .index(1), value: .load(.scratch(7), .index(1), .float32)),
      ])
    try kernel.verify()
    var arrays = [NDArray([Float(1), 2, 3, 4, 5, 6], shape: [2, 3]), NDArray(zeros: [2])]
    try KernelInterpreter(kernel).run(&arrays, sizes: ["n": 3])
    #expect(arrays[1].doubles == [6, 10])
  }

  @Test func randomWordsArePhiloxs() throws {
    let kernel = Kernel(
      name: "words", arguments: [.init(.uint32, isWritten: true)],
      body: [
        .loop(
          .init(
            "i", 4,
            body: (0..<4).map { word in
              .store(
                .argument(0), index: .index(i * 4 + Size(word)),
                value: .random(key: 99, low: .index(i), high: .index(0), word: word))
            }))
      ])
    var arrays = [NDArray(zeros: [16], .uint32)]
    try KernelInterpreter(kernel).run(&arrays)
    let stream = Philox(key: 99)
    #expect(arrays[0].scalars(as: UInt32.self) == (0..<16).map { stream.word($0) })
  }

  @Test func whatDoesNotFitIsSaid() throws {
    let kernel = Kernel(
      name: "f", arguments: [.init(.float32, isWritten: false), .init(.float32, isWritten: true)],
      body: [
        .loop(
          .init(
            "i", .symbol("n"),
            body: [
              .store(
                .argument(1), index: .index(i),
                value: .load(.argument(0), .index(i * 2), .float32))
            ]))
      ])
    let interpreter = KernelInterpreter(kernel)
    let (five, zeros) = (NDArray([Float(1), 2, 3, 4, 5]), NDArray(zeros: [9]))
    var arrays = [five, zeros]
    #expect(
      failure { try interpreter.run(&arrays, sizes: ["n": 4]) } == """
        kernel f: index 6 of a0, which has 5 elements
          in a1[i] = a0[i * 2]
          at i = 3
        """)
    #expect(arrays[1] == zeros)
    #expect(failure { try interpreter.run(&arrays) } == "kernel f: no value for size n")
    arrays = [five]
    #expect(
      failure { try interpreter.run(&arrays, sizes: ["n": 1]) }
        == "kernel f: 1 arguments, the kernel takes 2")
    arrays = [NDArray([1.0]), zeros]
    #expect(
      failure { try interpreter.run(&arrays, sizes: ["n": 1]) }
        == "kernel f: argument a0 is float64, the kernel takes float32")
  }
}

@Suite struct ScalarFunctionTests {
  /// Values of ψ to 17 digits.
  @Test(arguments: [
    (1.0, -0.57721566490153286), (0.5, -1.9635100260214235), (10.0, 2.2517525890667211),
    (1e-5, -100000.57719921569), (-0.5, 0.036489973978576520), (-3.7, -0.84507685887041936),
    (100.0, 4.6001618527380874), (1.4616321449683623, -9.2412655e-17), (1.5, 0.036489973978576520),
    (1.25, -0.22745353337626541), (1.75, 0.24747245354686120), (1e300, 690.77552789821368),
  ])
  func digamma(_ x: Double, _ expected: Double) {
    let value = UnaryFunction.digamma(x)
    #expect(abs(value - expected) <= 8e-16 * max(1, abs(expected)))
  }

  @Test func digammaAtPolesAndLimits() {
    for x in [-1.0, -2, -100, .nan, -.infinity] { #expect(UnaryFunction.digamma(x).isNaN) }
    #expect([0.0, -0.0].map { UnaryFunction.digamma($0) } == [-.infinity, .infinity])
    #expect(UnaryFunction.digamma(.infinity) == .infinity)
    // Near its zero the value keeps its digits.
    #expect(abs(UnaryFunction.digamma(1.4616) / -3.1106251230341650e-05 - 1) < 1e-15)
  }

  @Test func sigmoidAndSoftplusDoNotOverflow() {
    #expect(UnaryFunction.sigmoid(-1000) == 0)
    #expect(UnaryFunction.sigmoid(1000) == 1)
    #expect(UnaryFunction.sigmoid(-40) > 0)
    #expect(UnaryFunction.softplus(1000) == 1000)
    #expect(UnaryFunction.softplus(-40) > 0)
    #expect(UnaryFunction.softplus(.nan).isNaN)
  }

  @Test func roundingTakesTiesToEven() {
    #expect([0.5, 1.5, 2.5, -0.5].map { UnaryFunction.round($0) } == [0, 2, 2, 0])
    #expect([2.0, -3, 0].map { UnaryFunction.sign($0) } == [1, -1, 0])
  }
}
