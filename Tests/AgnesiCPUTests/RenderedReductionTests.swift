import AgnesiArrays
import AgnesiCPU
import AgnesiLoops
import Testing

private let i = Size.symbol("i")
private let k = Size.symbol("k")

/// Folds each row of `a0` into `a1`; `rowMajor` tells which index is innermost in memory.
private func fold(
  _ combiner: Combiner, _ dtype: DType, extent: Size, isColumns: Bool = false,
  isParallel: Bool = true, _ function: (Scalar) -> Scalar = { $0 }
) -> Kernel {
  let rows = Size.symbol("rows")
  let index = isColumns ? k * rows + i : i * extent + k
  let value = function(.load(.argument(0), .index(index), dtype.computed))
  let identity = combiner.identity(dtype.computed)
  return Kernel(
    name: "fold", arguments: [.init(dtype, isWritten: false), .init(dtype, isWritten: true)],
    body: [
      .loop(
        .init(
          "i", rows, isParallel: isParallel, isVector: isColumns,
          body: [
            .define(0, identity),
            .reduce(.init("k", extent, folds: [.init(local: 0, combiner: combiner, value: value)])),
            .store(.argument(1), index: .index(i), value: .local(0, dtype.computed)),
          ]))
    ])
}

private func input(_ combiner: Combiner, _ count: Int, _ dtype: DType) -> NDArray {
  if dtype == .bool {
    let kept = combiner == .all ? 1.0 : 0.0
    return NDArray(
      rounding: (0..<count).map { $0 % 97 == 96 ? 1 - kept : kept }, shape: [count], dtype)
  }
  // Products of values near 1 neither vanish nor overflow.
  let range = combiner == .product && dtype.isFloating ? 0.9...1.1 : -100.0...100.0
  return numbers(count, dtype.isSigned ? range : 0...100, dtype)
}

@Suite struct RenderedReductionTests {
  @Test(arguments: Combiner.allCases, [false, true])
  func everyCombiner(_ combiner: Combiner, _ isColumns: Bool) throws {
    let dtypes = DType.allCases.filter { combiner.accepts($0.computed) }
    try expectAgreement(
      dtypes.flatMap { dtype in
        let kernel = fold(combiner, dtype, extent: .symbol("n"), isColumns: isColumns)
        let rows = isColumns ? 83 : 3
        let isExact = !dtype.isFloating || combiner == .maximum || combiner == .minimum
        let tolerance = dtype == .float64 ? 1e-13 : (dtype.size == 2 ? 0.01 : 2e-5)
        return [0, 1, 3, 16, 63, 64, 130].map { count in
          KernelCase(
            kernel: kernel,
            arguments: [input(combiner, rows * count, dtype), NDArray(zeros: [rows], dtype)],
            sizes: ["n": count, "rows": rows], tolerance: isExact ? 0 : tolerance)
        }
      })
  }

  @Test(arguments: [DType.float32, .float64], [false, true])
  func knownExtents(_ dtype: DType, _ isColumns: Bool) throws {
    try expectAgreement(
      [1, 2, 3, 4, 5, 7, 15, 16, 17, 31, 33, 48, 64, 65, 100, 128, 200].map { count in
        KernelCase(
          kernel: fold(.sum, dtype, extent: Size(count), isColumns: isColumns) { $0 * $0 },
          arguments: [numbers(7 * count, -1...1, dtype), NDArray(zeros: [7], dtype)],
          sizes: ["rows": 7], tolerance: dtype == .float64 ? 1e-14 : 1e-5)
      })
  }

  /// More columns than a wide strip has lanes, and a few more.
  @Test func manyColumns() throws {
    let kernel = fold(.sum, .float32, extent: .symbol("n"), isColumns: true)
    try expectAgreement(
      kernel, [numbers(3 * 2300), NDArray(zeros: [2300])], sizes: ["n": 3, "rows": 2300])
  }

  @Test(arguments: [Combiner.maximum, .minimum]) func notANumberWins(_ combiner: Combiner) throws {
    for dtype in [DType.float32, .float64] {
      for isColumns in [false, true] {
        let kernel = fold(combiner, dtype, extent: .symbol("n"), isColumns: isColumns)
        for place in [0, 1, 17, 63, 64, 99] {
          var values = numbers(100 * 16).doubles
          values[isColumns ? place * 16 : place] = .nan
          let array = NDArray(rounding: values, shape: [1600], dtype)
          var arrays = [array, NDArray(zeros: [16], dtype)]
          try expectAgreement(kernel, arrays, sizes: ["n": 100, "rows": 16])
          try runCompiled(kernel, &arrays, sizes: ["n": 100, "rows": 16])
          #expect(arrays[1].doubles.map(\.isNaN) == [true] + Array(repeating: false, count: 15))
        }
      }
    }
  }

  @Test func severalFolds() throws {
    // Sum, maximum, a count of positives and whether all are finite, in one pass.
    let x = Scalar.load(.argument(0), .index(i * .symbol("n") + k), .float32)
    let isPositive = x .> x.like(0)
    let one = Scalar.constant(1, .int32)
    let folds: [(Combiner, Scalar)] = [
      (.sum, x), (.maximum, x * x), (.sum, .select(isPositive, one, one.like(0))),
      (.all, x .== x),
    ]
    var body: [Statement] = folds.enumerated().map { id, fold in
      .define(id, fold.0.identity(fold.1.dtype))
    }
    body.append(
      .reduce(
        .init(
          "k", .symbol("n"),
          folds: folds.enumerated().map { id, fold in
            .init(local: id, combiner: fold.0, value: fold.1)
          })))
    body += folds.enumerated().map { id, fold in
      .store(.argument(1 + id), index: .index(i), value: .local(id, fold.1.dtype))
    }
    let outputs: [DType] = [.float32, .float32, .int32, .bool]
    let kernel = Kernel(
      name: "several",
      arguments: [.init(.float32, isWritten: false)] + outputs.map { .init($0, isWritten: true) },
      body: [.loop(.init("i", 4, body: body))])
    for count in [5, 64, 129] {
      try expectAgreement(
        kernel, [numbers(4 * count)] + outputs.map { NDArray(zeros: [4], $0) }, sizes: ["n": count],
        tolerance: 1e-5)
    }
  }

  @Test func softmax() throws {
    let n = Size.symbol("n")
    let x = Scalar.load(.argument(0), .index(i * n + k), .float32)
    let power = Scalar.unary(.exp, x - .local(0, .float32))
    let body: [Statement] = [
      .define(0, .constant(-.infinity, .float32)),
      .reduce(.init("k", n, folds: [.init(local: 0, combiner: .maximum, value: x)])),
      .define(1, .constant(0, .float32)),
      .reduce(.init("k", n, folds: [.init(local: 1, combiner: .sum, value: power)])),
      .loop(
        .init(
          "k", n, isVector: true,
          body: [
            .store(.argument(1), index: .index(i * n + k), value: power / .local(1, .float32))
          ])),
    ]
    let kernel = Kernel(
      name: "softmax",
      arguments: [.init(.float32, isWritten: false), .init(.float32, isWritten: true)],
      body: [.loop(.init("i", .symbol("rows"), isParallel: true, body: body))])
    for count in [1, 10, 100] {
      try expectAgreement(
        kernel, [numbers(9 * count), NDArray(zeros: [9 * count])], sizes: ["n": count, "rows": 9],
        tolerance: 1e-6)
    }
  }

  /// Columns with loops, locals and conditions inside: everything that a strip has to lay out.
  @Test(arguments: [1, 16, 40, 64, 100]) func strips(_ columns: Int) throws {
    let n = Size.symbol("n")
    let j = Size.symbol("j")
    let x = Scalar.load(.argument(0), .index((k * 3 + j) * n + i), .float32)
    let running = Scalar.local(1, .float32)
    let body: [Statement] = [
      .define(0, .load(.argument(0), .index(i), .float32) * .constant(0.5, .float32)),
      .define(1, .constant(0, .float32)),
      .loop(
        .init(
          "j", 3,
          body: [
            .define(2, .constant(-.infinity, .float32)),
            .reduce(
              .init(
                "k", .symbol("m"),
                folds: [
                  .init(local: 2, combiner: .maximum, value: x + .local(0, .float32))
                ])),
            .assign(1, running + .local(2, .float32) * .local(2, .float32)),
            .when(
              .local(2, .float32) .> .constant(2, .float32),
              [.assign(1, running + .constant(1, .float32))]),
          ])),
      .store(.argument(1), index: .index(i), value: running - .local(0, .float32)),
    ]
    let kernel = Kernel(
      name: "strips",
      arguments: [.init(.float32, isWritten: false), .init(.float32, isWritten: true)],
      body: [.loop(.init("i", n, isParallel: true, isVector: true, body: body))])
    try expectAgreement(
      kernel, [numbers(6 * columns), NDArray(zeros: [columns])], sizes: ["n": columns, "m": 2],
      tolerance: 1e-6)
  }

  @Test func piecesGiveTheSameBits() throws {
    // Which thread runs which columns must not matter.
    let kernel = fold(.sum, .float32, extent: .symbol("n"), isColumns: true)
    let sizes = ["n": 50, "rows": 203]
    let arrays = [numbers(50 * 203), NDArray(zeros: [203])]
    var whole = arrays
    try runCompiled(kernel, &whole, sizes: sizes)
    for piece in [1, 7, 16, 64, 100] {
      var parts = arrays
      try runCompiled(kernel, &parts, sizes: sizes, piece: piece)
      #expect(parts[1].isIdentical(to: whole[1]))
    }
  }
}
