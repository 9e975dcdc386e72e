import AgnesiArrays
import AgnesiLoops
import Testing

private let i = Size.symbol("i")
private let k = Size.symbol("k")
private let n = Size.symbol("n")

@Suite struct KernelPrintingTests {
  @Test func softmaxOfRows() {
    let x = Scalar.load(.argument(0), .index(i * n + k), .float32)
    let power = Scalar.unary(.exp, x - .local(0, .float32))
    let kernel = Kernel(
      name: "softmax",
      arguments: [.init(.float32, isWritten: false), .init(.float16, isWritten: true)],
      body: [
        .loop(
          .init(
            "i", .symbol("rows"), isParallel: true,
            body: [
              .define(0, .constant(-.infinity, .float32)),
              .reduce(.init("k", n, folds: [.init(local: 0, combiner: .maximum, value: x)])),
              .define(1, .constant(0, .float32)),
              .reduce(.init("k", n, folds: [.init(local: 1, combiner: .sum, value: power)])),
              .loop(
                .init(
                  "k", n, isVector: true,
                  body: [
                    .store(
                      .argument(1), index: .index(i * n + k), value: power / .local(1, .float32))
                  ])),
            ]))
      ])
    #expect(
      kernel.description == """
        kernel softmax(a0: float32, a1: float16 written; n, rows)
          parallel for i in 0..<rows
            var l0: float32 = -inf
            reduce k in 0..<n
              l0 = maximum(l0, a0[i * n + k])
            var l1: float32 = 0
            reduce k in 0..<n
              l1 = sum(l1, exp((a0[i * n + k] - l0)))
            vector for k in 0..<n
              a1[i * n + k] = (exp((a0[i * n + k] - l0)) / l1)
        """)
  }

  @Test func everyKindOfStatementAndValue() {
    let position = Scalar.index(i - 2)
    let inside = (.index(0) .<= position) .& (position .< .index(n))
    let x = Scalar.load(.argument(0), position, .float64)
    let shared = x * x
    let random = Scalar.random(key: 255, low: .index(i), high: .index(0), word: 3)
    let kernel = Kernel(
      name: "all", arguments: [.init(.float64, isWritten: true)],
      body: [
        .scratch(0, .bool, count: 8),
        .loop(
          .init(
            "i", n + 4,
            body: [
              .define(0, .select(inside, shared + shared(.tanh), x.like(0.5))),
              .when(
                .constant(1, .bool),
                [
                  .assign(0, .binary(.power, .local(0, .float64), random.cast(to: .float64))),
                  .store(.scratch(0), index: .index(i % 8), value: x(.isNaN)),
                ]),
            ])),
      ])
    #expect(
      kernel.description == """
        kernel all(a0: float64 written; n)
          scratch s0: bool[8]
          for i in 0..<(n + 4)
            let t0 = a0[i - 2]
            let t1 = (t0 * t0)
            var l0: float64 = select(((0 <= (i - 2)) & ((i - 2) < n)), (t1 + tanh(t1)), 0.5)
            when true
              l0 = power(l0, float64(random(0xff, i, 0, 3)))
              s0[((i) % (8))] = isNaN(a0[i - 2])
        """)
  }

  @Test func sharedValuesAreNamedOnce() {
    var x = Scalar.load(.argument(0), .index(0), .int32)
    for _ in 0..<40 { x = x * x }
    #expect(x.description.split(separator: ";").count == 41)
    #expect(x.description.hasSuffix("let t39 = (t38 * t38); (t39 * t39)"))
  }

  @Test func deepValuesNeedNoDeepStack() {
    var x = Scalar.load(.argument(0), .index(0), .float32)
    for _ in 0..<2000 { x = x + x.like(1) }
    #expect(Scalar.ordered([x]).count == 4002)
    #expect(x.description.hasPrefix("((("))
  }
}
