import Agnesi
import AgnesiCompiler
import AgnesiLoops
import TestSupport
import Testing

/// Where temporaries lie.
@Suite struct MemoryPlanTests {
  private let x = Tensor.input("x", [.batch, 64])
  private func weight(_ name: String) -> Tensor { .parameter(name, [64, 64]) }

  /// Two of three products live at once.
  @Test func memoryIsUsedAgain() throws {
    let weights = ["a", "b", "c", "d"].map(weight)
    let program = try lowered([x], [weights.reduce(x) { matmul($0, $1) }])
    let plan = MemoryPlan(program, sizes: ["batch": 64])
    #expect(program.labels == ["matmul", "matmul", "matmul", "matmul"])
    #expect(plan.offsets.compactMap { $0 }.sorted() == [0, 0, 16384])
    #expect(plan.byteCount == 32768)
  }

  /// An activation takes over the memory of the sum that it is made of.
  @Test func elementsAreWrittenOverThoseTheyAreMadeOf() throws {
    let hidden = tanh(matmul(x, weight("a")))
    let program = try lowered([x], [matmul(hidden, weight("b"))])
    let plan = MemoryPlan(program, sizes: ["batch": 64])
    #expect(program.labels == ["matmul", "tanh", "matmul"])
    #expect(plan.offsets.compactMap { $0 } == [0, 0])
    #expect(plan.byteCount == 16384)
  }

  /// It does not where somebody needs the sum later.
  @Test func whatIsReadLaterStays() throws {
    let sum = matmul(x, weight("a"))
    let program = try lowered([x], [matmul(tanh(sum), weight("b")) + sum])
    let plan = MemoryPlan(program, sizes: ["batch": 64])
    #expect(plan.byteCount >= 32768)
  }

  @Test func emptyBatch() throws {
    let program = try lowered([x], [matmul(tanh(matmul(x, weight("a"))), weight("b"))])
    #expect(MemoryPlan(program, sizes: ["batch": 0]).byteCount == 0)
  }

  @Test func noTwoLiveBuffersOverlap() throws {
    try withEvery("seed", 0..<150) { seed in
      var graph = RandomNetwork(seed: UInt64(seed))
      let program = try lowered([graph.x], graph.outputs(), graph.updates())
      for batch in [1, 7, 64] { try Self.check(program, sizes: ["batch": batch]) }
    }
  }

  private struct Interval {
    var first: Int
    var last: Int
    var bytes: Range<Int>
  }

  /// By the steps alone, without the planner's own idea of lives.
  private static func check(_ program: LoweredProgram, sizes: [String: Int]) throws {
    let plan = MemoryPlan(program, sizes: sizes)
    var lives: [Int: Interval] = [:]
    for (position, step) in program.steps.enumerated() {
      for id in step.arguments {
        let info = program.buffers[id.index]
        guard case .temporary = info.kind else { continue }
        let start = try #require(plan.offsets[id.index])
        let size = (info.count.evaluated(sizes) ?? 0) * info.dtype.size
        try require(start % 64 == 0, "buffer \(id.index) starts at \(start)")
        try require(start + size <= plan.byteCount, "buffer \(id.index) ends behind the block")
        let life = Interval(first: position, last: position, bytes: start..<(start + size))
        lives[id.index, default: life].last = position
      }
    }
    for copy in program.copies { lives[copy.from.index]?.last = program.steps.count }
    for (a, one) in lives {
      for (b, other) in lives where a < b && one.bytes.overlaps(other.bytes) {
        let (early, late) = one.first <= other.first ? (a, b) : (b, a)
        let (ends, begins) = (lives[early]?.last ?? 0, lives[late]?.first ?? 0)
        if ends < begins { continue }
        // Only the last reader, element by element, may write over what it reads.
        let step = program.steps[begins]
        let isInPlace =
          ends == begins && step.written.contains { $0.index == late }
          && step.identityReads.contains { $0.index == early }
        try require(isInPlace, "buffers \(a) and \(b) overlap in step \(begins)")
      }
    }
  }
}

/// Random networks of products, elements, sums and views, with updates.
private struct RandomNetwork {
  let x = Tensor.input("x", [.batch, 8])
  private let stream: Philox
  private var position: UInt64 = 0
  private var pool: [Tensor]
  private let weights: [Tensor]

  init(seed: UInt64) {
    stream = Philox(seed: seed, name: "network")
    pool = [x]
    weights = (0..<3).map { .parameter("w\($0)", [8, 8]) }
  }

  private mutating func pick(_ count: Int) -> Int {
    position += 1
    return Int(stream.word(position)) % count
  }

  private mutating func next() -> Tensor {
    let (a, b) = (pool[pick(pool.count)], pool[pool.count - 1])
    switch pick(7) {
    case 0, 1: return matmul(b, weights[pick(3)])
    case 2: return tanh(a + b)
    case 3: return a * b.sum(axes: [1], keepingAxes: true)
    case 4: return exp(b - b.max(axes: [1], keepingAxes: true))
    case 5: return a - b.mean(axes: [0], keepingAxes: true)
    default: return matmul(a.transposed(), b).sum(axes: [0]) + b
    }
  }

  mutating func outputs() -> [Tensor] {
    for _ in 0..<12 { pool.append(next()) }
    return [pool[pool.count - 1], pool[pick(pool.count)]]
  }

  mutating func updates() -> Updates {
    let cost = tanh(pool[pool.count - 1]).sum()
    let gradients = gradient(of: cost, withRespectTo: weights, disconnected: .zero)
    return Updates(zip(weights, gradients).map { ($0, $0 - 0.1 * $1) })
  }
}
