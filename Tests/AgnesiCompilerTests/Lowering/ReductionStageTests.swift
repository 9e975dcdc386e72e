import Agnesi
import AgnesiCompiler
import AgnesiLoops
import TestSupport
import Testing

/// Long reductions of few results: chunks in parallel, then the chunks.
@Suite struct ReductionStageTests {
  @Test func aLongSumRunsInChunks() throws {
    let x = Tensor.input("x", [100_000])
    #expect(
      try lowered([x], [x.sum() * 2]).text == """
        kernel (a0: float32, a1: float32 written)
          parallel for _i0 in 0..<7
            var l0: float32 = 0
            reduce _r0 in 0..<(-((_i0 + 1) / (7)) * 14688 + 16384)
              l0 = sum(l0, a0[_i0 * 16384 + _r0])
            a1[_i0] = l0
        kernel (a0: float32, a1: float32 written)
          var l0: float32 = 0
          reduce _r0 in 0..<7
            l0 = sum(l0, a0[_r0])
          a1[0] = (l0 * 2)
        """)
    try expectAgreement([x], [x.sum(), x.max(), x.min()], [Self.values(100_000)], tolerance: 1e-3)
  }

  /// The number of chunks is a formula of the size.
  @Test func aNamedSizeTakesAsManyChunksAsItNeeds() throws {
    let x = Tensor.input("x", [.symbol("n")])
    let program = try lowered([x], [x.sum(), x.product()])
    #expect(program.steps.count == 2)
    #expect(program.text.contains("parallel for _i0 in 0..<((n + 16383) / (16384))"))
    for count in [0, 1, 5, 16_383, 16_384, 16_385, 32_768, 50_001] {
      try expectAgreement([x], [x.sum(), x.max(), x.min()], [Self.values(count)], tolerance: 1e-3)
    }
  }

  @Test func aShortSumIsOneKernel() throws {
    let x = Tensor.input("x", [1000])
    #expect(try lowered([x], [x.sum()]).steps.count == 1)
    let rows = Tensor.input("rows", [.batch, 100_000])
    #expect(try lowered([rows], [rows.sum(axes: [1])]).steps.count == 1)
  }

  /// Channels in blocks of 16, as convolutions have them: 16 columns side by side, images and
  /// rows in chunks.
  @Test func blockedChannelsRunInChunks() throws {
    func sums(_ x: Tensor) -> [Tensor] { [x, x * x].map { $0.sum(axes: [0, 2, 3]) } }
    let fixed = Tensor.input("x", [8, 2, 16, 16, 16])
    let program = try lowered([fixed], sums(fixed))
    #expect(
      program.text == """
        kernel (a0: float32, a1: float32 written, a2: float32 written)
          parallel for _i0 in 0..<4
            for _i1 in 0..<2
              vector for _i2 in 0..<16
                var l0: float32 = 0
                var l1: float32 = 0
                for _r0 in 0..<2
                  reduce _r2 in 0..<256
                    let t0 = a0[_i0 * 16384 + _i1 * 4096 + _i2 + _r0 * 8192 + _r2 * 16]
                    l0 = sum(l0, t0)
                    l1 = sum(l1, (t0 * t0))
                a1[_i0 * 32 + _i1 * 16 + _i2] = l0
                a2[_i0 * 32 + _i1 * 16 + _i2] = l1
        kernel (a0: float32, a1: float32, a2: float32 written, a3: float32 written)
          parallel vector for _i1 in 0..<32
            var l0: float32 = 0
            var l1: float32 = 0
            reduce _r0 in 0..<4
              l0 = sum(l0, a0[_i1 + _r0 * 32])
              l1 = sum(l1, a1[_i1 + _r0 * 32])
            a2[_i1] = l0
            a3[_i1] = l1
        """)
    let x = Tensor.input("x", [.batch, 2, 16, 16, 16])
    #expect(try lowered([x], sums(x)).steps.count == 2)
    try expectAgreement([x], sums(x), [Self.values(3 * 2 * 16 * 256)], tolerance: 1e-4)
    try expectAgreement([x], sums(x), [[]])
  }

  /// One NaN anywhere is the result.
  @Test func notANumberIsFoundInEveryChunk() throws {
    let x = Tensor.input("x", [.symbol("n")])
    let step = try compile([x], to: [x.sum(), x.max(), x.min()])
    for position in [0, 16_383, 16_384, 39_999] {
      var values = [Float](repeating: 1, count: 40_000)
      values[position] = .nan
      let results = try step(NDArray(values))
      for result in results.arrays { #expect(result.scalar.isNaN) }
    }
  }

  @Test func integersAndBoolsReduceInStages() throws {
    let x = Tensor.input("x", [.symbol("n")], .int32)
    let outputs = [x.sum(), x.max(), x.min(), (x .> 0).all(), (x .> 90).any()]
    try expectAgreement([x], outputs, [(0..<40_000).map { Double(1 + $0 % 91) }])
    try expectAgreement([x], outputs, [[]])
  }

  /// Added one by one, float32 terms get lost: a sum of ones ends at 2²⁴.
  @Test func longSumsKeepTheirDigits() throws {
    let x = Tensor.input("x", [.symbol("n")])
    let step = try compile([x], to: [x.sum()])
    let count = 20_000_000
    let sum = try step(NDArray(filled: 0.1, shape: [count]))[0].scalar
    #expect(abs(Double(sum) / (Double(Float(0.1)) * Double(count)) - 1) < 1e-5)
  }

  /// Whatever the number of threads.
  @Test func bitsRepeat() throws {
    let x = Tensor.input("x", [70_001])
    let values = NDArray(rounding: Self.values(70_001), shape: [70_001], .float32)
    let threads = CPU.threads
    defer { CPU.threads = threads }
    var results: Set<UInt32> = []
    for count in [1, 2, 3] {
      CPU.threads = count
      let step = try compile([x], to: [exp(x).sum()])
      let sum = try step(values)[0].scalar
      results.insert(Float(sum).bitPattern)
    }
    #expect(results.count == 1)
  }

  private static func values(_ count: Int) -> [Double] {
    let stream = Philox(key: 3)
    return (0..<count).map { Double(Float(stream.word(UInt64($0))) / 0x1p31 - 1) }
  }
}
