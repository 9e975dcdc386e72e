import AgnesiArrays
import AgnesiCPU
import AgnesiLoops
import Testing

/// `a1[i] = function(a0[i])` over a parallel vector loop.
private func elementwise(
  _ input: DType, _ output: DType, _ function: (Scalar) -> Scalar
) -> Kernel {
  let i = Scalar.index(.symbol("i"))
  let value = function(.load(.argument(0), i, input.computed))
  let loop = Statement.Loop(
    "i", .symbol("n"), isParallel: true, isVector: true,
    body: [.store(.argument(1), index: i, value: value)])
  return Kernel(
    name: "elementwise",
    arguments: [.init(input, isWritten: false), .init(output, isWritten: true)],
    body: [.loop(loop)])
}

private func binary(_ function: BinaryFunction, _ dtype: DType) -> Kernel {
  let i = Scalar.index(.symbol("i"))
  let value = Scalar.binary(
    function, .load(.argument(0), i, dtype), .load(.argument(1), i, dtype))
  let loop = Statement.Loop(
    "i", .symbol("n"), isParallel: true, isVector: true,
    body: [.store(.argument(2), index: i, value: value)])
  return Kernel(
    name: "binary",
    arguments: [
      .init(dtype, isWritten: false), .init(dtype, isWritten: false),
      .init(value.dtype, isWritten: true),
    ],
    body: [.loop(loop)])
}

/// Values at which functions are special, then ordinary ones.
private let edges: [Double] = [
  0, -0.0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 1e-30, .infinity, -.infinity, .nan, 20, -20, 100,
]

private func operands(_ dtype: DType, seed: UInt64) -> NDArray {
  if dtype == .bool {
    return NDArray(
      rounding: (0..<256).map { Double(($0 * 7 + Int(seed)) % 2) }, shape: [256], dtype)
  }
  if dtype.isFloating {
    // All pairs of edges occur, as the second operand is turned.
    let first = (0..<256).map { edges[seed == 1 ? $0 / 16 : $0 % 16] }
    return NDArray(rounding: first + numbers(77, seed: seed).doubles, shape: [333], dtype)
  }
  // Bits as each dtype reads them: −1 is the largest unsigned number.
  let (smallest, largest) = (dtype.wholeRange.lowerBound, dtype.wholeRange.upperBound)
  let extremes: [Int64] = [
    0, 1, -1, 2, -7, 7, smallest, largest, 100, 3, (1 << 53) + 1, largest - 1,
  ]
  let count = extremes.count
  let values = (0..<(count * count)).map { extremes[seed == 1 ? $0 / count : $0 % count] }
  return NDArray(wrapping: values, shape: [values.count], dtype)
}

@Suite struct RenderedElementwiseTests {
  @Test(arguments: [
    DType.float32, .float64, .int8, .int32, .int64, .uint8, .uint32, .uint64, .bool,
  ])
  func unaryFunctions(_ dtype: DType) throws {
    let functions = UnaryFunction.allCases.filter { $0.accepts(dtype) }
    try expectAgreement(
      functions.map { function in
        let kernel = elementwise(dtype, function == .isNaN ? .bool : dtype) { $0(function) }
        let input = operands(dtype, seed: 1)
        return KernelCase(
          kernel: kernel,
          arguments: [input, NDArray(zeros: input.shape, kernel.arguments[1].dtype)],
          sizes: ["n": input.count], tolerance: dtype == .float64 ? 1e-14 : 1e-6)
      })
  }

  @Test(arguments: DType.allCases.filter { $0 == $0.computed })
  func binaryFunctions(_ dtype: DType) throws {
    let functions = BinaryFunction.allCases.filter { $0.accepts(dtype) }
    try expectAgreement(
      functions.map { function in
        let kernel = binary(function, dtype)
        let (x, y) = (operands(dtype, seed: 1), operands(dtype, seed: 2))
        let isExact = function != .power && function != .atan2
        return KernelCase(
          kernel: kernel, arguments: [x, y, NDArray(zeros: x.shape, kernel.arguments[2].dtype)],
          sizes: ["n": x.count], tolerance: isExact ? 0 : (dtype == .float64 ? 1e-14 : 1e-6))
      })
  }

  @Test(arguments: DType.allCases) func casts(_ source: DType) throws {
    var input = operands(source, seed: 1)
    if source.isFloating {
      let large = [3e9, -3e9, 1e19, -1e19, 3e19, 40_000, 65_519, 65_520, 1e-8, 256.5, -129.9]
      input = NDArray(rounding: edges + large, shape: [edges.count + large.count], source)
    }
    try expectAgreement(
      DType.allCases.map { target in
        KernelCase(
          kernel: elementwise(source, target) { $0.cast(to: target) },
          arguments: [input, NDArray(zeros: input.shape, target)], sizes: ["n": input.count])
      })
  }

  @Test func castsThroughHalfPrecisionRound() throws {
    for dtype in [DType.float16, .bfloat16] {
      let kernel = elementwise(.float32, .float32) { $0.cast(to: dtype).cast(to: .float32) }
      let input = numbers(100)
      var arrays = [input, NDArray(zeros: [100])]
      try expectAgreement(kernel, arrays, sizes: ["n": 100])
      try runCompiled(kernel, &arrays, sizes: ["n": 100])
      #expect(arrays[1] == input.cast(to: dtype).cast(to: .float32))
    }
  }

  @Test(arguments: [0, 1, 15, 16, 17, 63, 64, 65, 130, 1000]) func lengths(_ count: Int) throws {
    let kernel = elementwise(.float32, .float32) { x in
      x * x - .select(x .> x.like(0), x, x.like(0.5) * x) + Scalar.unary(.exp, x)
    }
    try expectAgreement(
      kernel, [numbers(count), NDArray(zeros: [count])], sizes: ["n": count], tolerance: 1e-6)
  }

  @Test func constants() throws {
    let values: [(DType, [Double])] = [
      (.float32, [0, -0.0, 0.1, 1e-40, 3e38, .infinity, -.infinity, .nan, -5]),
      (.float64, [0.1, 2.5e-308, -1.7e308, .nan]), (.int64, [-0x1p63, 0x1p62, -1]),
      (.uint64, [0x1.fffffffffffffp63]), (.int8, [-128, 127]), (.bool, [0, 1]),
    ]
    try expectAgreement(
      values.flatMap { dtype, list in
        list.map { value in
          KernelCase(
            kernel: elementwise(dtype, dtype) { _ in .constant(value, dtype) },
            arguments: [NDArray(zeros: [3], dtype), NDArray(zeros: [3], dtype)], sizes: ["n": 3])
        }
      })
  }

  @Test func randomWords() throws {
    let i = Scalar.index(.symbol("i"))
    let stores = (0..<4).map { word in
      Statement.store(
        .argument(0), index: .index(.symbol("i") * 4 + Size(word)),
        value: .random(key: 0xfedc_ba98_7654_3210, low: i, high: .index(7), word: word))
    }
    let kernel = Kernel(
      name: "words", arguments: [.init(.uint32, isWritten: true)],
      body: [.loop(.init("i", .symbol("n"), isVector: true, body: stores))])
    try expectAgreement(kernel, [NDArray(zeros: [132], .uint32)], sizes: ["n": 33])
  }

  @Test func nothingIsKnownAboutNames() throws {
    // Sizes may be called anything, C's keywords and other letters included.
    let names = ["for", "a b", "a_b", "größe", "a-b", "sizes"]
    let i = Scalar.index(.symbol("while"))
    let sum = names.map { Size.symbol($0) }.reduce(Size(0), +)
    let kernel = Kernel(
      name: "names", arguments: [.init(.int64, isWritten: true)],
      body: [
        .loop(.init("while", 3, body: [.store(.argument(0), index: i, value: .index(sum))]))
      ])
    let sizes = Dictionary(uniqueKeysWithValues: zip(names, [1, 20, 300, 4000, 50000, 600_000]))
    var arrays = [NDArray(zeros: [3], .int64)]
    try runCompiled(kernel, &arrays, sizes: sizes)
    #expect(arrays[0].doubles == [654_321, 654_321, 654_321])
  }
}
