import AgnesiArrays
import AgnesiCPU
import AgnesiLoops
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

private let i = Size.symbol("i")
private let j = Size.symbol("j")
private let k = Size.symbol("k")

private func load(_ argument: Int, _ index: Size, _ dtype: DType = .float32) -> Scalar {
  .load(.argument(argument), .index(index), dtype)
}

@Suite struct RenderedLoopTests {
  /// Padding: what lies outside is never read, so the interpreter's bounds hold for C too.
  @Test(arguments: [false, true]) func guardedLoadsStayInside(_ isVector: Bool) throws {
    let position = Scalar.index(i - 2)
    let inside =
      (.index(0) .<= position) .& (position .< .index(.symbol("n")))
    let padded = Scalar.select(inside, load(0, i - 2), .constant(-1, .float32))
    let kernel = Kernel(
      name: "pad",
      arguments: [.init(.float32, isWritten: false), .init(.float32, isWritten: true)],
      body: [
        .loop(
          .init(
            "i", .symbol("n") + 4, isParallel: true, isVector: isVector,
            body: [
              .store(.argument(1), index: .index(i), value: padded * padded + padded.like(1))
            ]))
      ])
    for count in [0, 1, 5, 64, 100] {
      try expectAgreement(
        kernel, [numbers(count), NDArray(zeros: [count + 4])], sizes: ["n": count])
    }
  }

  /// The interpreter checks bounds, C does not: the pages around the input cannot be read.
  @Test func guardedLoadsReadNoForeignPage() throws {
    let inside =
      (.index(0) .<= .index(i - 1000)) .& (.index(i - 1000) .< .index(.symbol("n")))
    let value = Scalar.select(inside, load(0, i - 1000), .constant(0, .float32))
    let kernel = Kernel(
      name: "far",
      arguments: [.init(.float32, isWritten: false), .init(.float32, isWritten: true)],
      body: [
        .loop(
          .init(
            "i", .symbol("n") + 2000, isVector: true,
            body: [.store(.argument(1), index: .index(i), value: value)]))
      ])
    let page = Int(getpagesize())
    let base = try #require(
      mmap(nil, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
    defer { munmap(base, 3 * page) }
    let count = page / 4
    let input = (base + page).bindMemory(to: Float.self, capacity: count)
    for index in 0..<count { input[index] = Float(index) }
    mprotect(base, page, PROT_NONE)
    mprotect(base + 2 * page, page, PROT_NONE)
    let function = try #require(testCompiler.compile([kernel])["far"])
    var output = NDArray(filled: -1, shape: [count + 2000])
    output.withUnsafeMutableBytes { function([base + page, $0.baseAddress], [Int64(count)], 0, 0) }
    let zeros = [Double](repeating: 0, count: 1000)
    #expect(output.doubles == zeros + (0..<count).map { Double($0) } + zeros)
  }

  @Test func loadsSharedByBranchesAndSelects() throws {
    let inside = Scalar.index(i) .< .index(.symbol("n"))
    let x = load(0, i)
    // The load is shared by two selects, and by both branches of an inner one.
    let inner = Scalar.select(x .> x.like(0), x * x.like(2), x * x.like(3))
    let first = Scalar.select(inside, inner, x.like(7))
    let second = Scalar.select(inside, x + x.like(1), x.like(8))
    let both = Scalar.select(first .> second, first, second)
    let kernel = Kernel(
      name: "shared",
      arguments: [.init(.float32, isWritten: false), .init(.float32, isWritten: true)],
      body: [
        .loop(
          .init(
            "i", .symbol("n") + 20, isVector: true,
            body: [.store(.argument(1), index: .index(i), value: both)]))
      ])
    try expectAgreement(kernel, [numbers(30), NDArray(zeros: [50])], sizes: ["n": 30])
  }

  @Test func indicesWithQuotientsAndRemainders() throws {
    // Negative numerators round down as well, and a divisor may be a name.
    let shifted = i - 7
    let index = (shifted / 3) + 10 + (shifted % 4) * 20
    let other = (i / .symbol("d")) * 100 + i % .symbol("d")
    let kernel = Kernel(
      name: "quotients",
      arguments: [.init(.int64, isWritten: true), .init(.int64, isWritten: true)],
      body: [
        .loop(
          .init(
            "i", 30,
            body: [
              .store(.argument(0), index: .index(i), value: .index(index)),
              .store(.argument(1), index: .index(i), value: .index(other)),
            ]))
      ])
    try expectAgreement(
      kernel, [NDArray(zeros: [30], .int64), NDArray(zeros: [30], .int64)], sizes: ["d": 5])
  }

  @Test func quotientsInVectorLoops() throws {
    // Known bounds take the 32-bit form, an unknown extent the 64-bit one; both guard against 0.
    let index = (i / 5) * 7 + i % 5 + ((i * 3 + 4) / 11) % 6
    let body: [Statement] = [
      .store(.argument(1), index: .index(i), value: load(0, index))
    ]
    for extent in [Size(100), .symbol("n")] {
      let kernel = Kernel(
        name: "vector",
        arguments: [.init(.float32, isWritten: false), .init(.float32, isWritten: true)],
        body: [.loop(.init("i", extent, isVector: true, body: body))])
      try expectAgreement(kernel, [numbers(160), NDArray(zeros: [100])], sizes: ["n": 100])
    }
    let large = Size(1) + i * 3_000_000_000
    let kernel = Kernel(
      name: "large", arguments: [.init(.int64, isWritten: true), .init(.int64, isWritten: true)],
      body: [
        .loop(
          .init(
            "i", 100, isVector: true,
            body: [
              .store(.argument(0), index: .index(i), value: .index(large / 7)),
              .store(.argument(1), index: .index(i), value: .index(large % 3_000_000_007)),
            ]))
      ])
    try expectAgreement(kernel, [NDArray(zeros: [100], .int64), NDArray(zeros: [100], .int64)])
  }

  @Test func divisorsOfZeroBeforeLoopsThatNeverRun() throws {
    let kernel = Kernel(
      name: "zero", arguments: [.init(.int64, isWritten: true)],
      body: [
        .loop(
          .init(
            "i", .symbol("n"),
            body: [
              .loop(
                .init(
                  "j", .symbol("n") / .symbol("m"),
                  body: [.store(.argument(0), index: .index(j), value: .index(j))]))
            ]))
      ])
    var arrays = [NDArray(zeros: [1], .int64)]
    try runCompiled(kernel, &arrays, sizes: ["n": 0, "m": 0])
    #expect(arrays[0].doubles == [0])
  }

  @Test func scratchAndConditions() throws {
    // Rows reversed through scratch, only where the first element is positive.
    let kernel = Kernel(
      name: "reversed",
      arguments: [.init(.float32, isWritten: false), .init(.float16, isWritten: true)],
      body: [
        .loop(
          .init(
            "i", .symbol("n"), isParallel: true,
            body: [
              .scratch(0, .float32, count: 8),
              .loop(
                .init(
                  "j", 8, isVector: true,
                  body: [
                    .store(.scratch(0), index: .index(j), value: load(0, i * 8 + j))
                  ])),
              .when(
                load(0, i * 8) .> .constant(0, .float32),
                [
                  .loop(
                    .init(
                      "j", 8, isVector: true,
                      body: [
                        .store(
                          .argument(1), index: .index(i * 8 + j),
                          value: .load(.scratch(0), .index(7 - j), .float32))
                      ]))
                ]),
            ]))
      ])
    try expectAgreement(
      kernel, [numbers(96), NDArray(zeros: [96], .float16)], sizes: ["n": 12])
  }

  @Test func gathering() throws {
    let row = Scalar.load(.argument(1), .index(i), .int32).cast(to: .int64)
    let index = row * .index(.symbol("width")) + .index(j)
    let kernel = Kernel(
      name: "gather",
      arguments: [
        .init(.float32, isWritten: false), .init(.int32, isWritten: false),
        .init(.float32, isWritten: true),
      ],
      body: [
        .loop(
          .init(
            "i", .symbol("n"), isParallel: true,
            body: [
              .loop(
                .init(
                  "j", .symbol("width"), isVector: true,
                  body: [
                    .store(
                      .argument(2), index: .index(i * .symbol("width") + j),
                      value: .load(.argument(0), index, .float32))
                  ]))
            ]))
      ])
    let rows = NDArray([Int32(4), 0, 4, 2, 1, 3, 0])
    try expectAgreement(
      kernel, [numbers(5 * 33), rows, NDArray(zeros: [7 * 33])], sizes: ["n": 7, "width": 33])
  }

  @Test func inPlace() throws {
    // The output is the input's memory: each element is read where it is written.
    let x = load(0, i)
    let kernel = Kernel(
      name: "place",
      arguments: [.init(.float32, isWritten: false), .init(.float32, isWritten: true)],
      body: [
        .loop(
          .init(
            "i", .symbol("n"), isVector: true,
            body: [.store(.argument(1), index: .index(i), value: x * x + x)]))
      ])
    let unit = try testCompiler.compile([kernel])
    let function = try #require(unit["place"])
    var values = numbers(101)
    let expected = values.doubles.map { Double(Float($0) * Float($0) + Float($0)) }
    values.withUnsafeMutableBytes { bytes in
      function([bytes.baseAddress, bytes.baseAddress], [101], 0, 0)
    }
    #expect(values.doubles == expected)
  }

  @Test func severalKernelsInOneUnit() throws {
    let kernels = (0..<3).map { number in
      Kernel(
        name: "k\(number)", arguments: [.init(.int32, isWritten: true)],
        body: [
          .store(.argument(0), index: .index(0), value: .constant(Double(number), .int32))
        ])
    }
    let unit = try testCompiler.compile(kernels)
    for number in 0..<3 {
      var result = NDArray(zeros: [1], .int32)
      let function = try #require(unit["k\(number)"])
      result.withUnsafeMutableBytes { function([$0.baseAddress], nil, 0, 0) }
      #expect(result.doubles == [Double(number)])
    }
    #expect(unit["k3"] == nil)
  }
}
