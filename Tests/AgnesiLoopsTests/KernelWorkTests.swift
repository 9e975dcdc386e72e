import AgnesiArrays
import AgnesiLoops
import Testing

private let i = Size.symbol("i")
private let k = Size.symbol("k")

@Suite struct KernelWorkTests {
  private func work(_ body: [Statement], _ sizes: [String: Int]) -> KernelWork {
    let arguments: [Kernel.Argument] = [
      .init(.float32, isWritten: false), .init(.float32, isWritten: true),
    ]
    return Kernel(name: "", arguments: arguments, body: body).work(sizes)
  }

  private func load(_ index: Size, _ dtype: DType = .float32) -> Scalar {
    .load(.argument(0), .index(index), dtype)
  }

  @Test func aSharedValueCountsOnce() {
    let x = load(i)
    let root = Scalar.unary(.exp, x)
    let found = work(
      [
        .loop(
          .init(
            "i", .symbol("n"), isParallel: true,
            body: [.store(.argument(1), index: .index(i), value: root * root + x)]))
      ], ["n": 7])
    #expect(found.operations == 3 * 7)
    #expect(found.loads == [0: 7])
    #expect(found.stores == [1: 7])
  }

  @Test func aFoldIsAnOperationForEachElement() {
    let fold = Statement.Reduction.Fold(local: 0, combiner: .sum, value: load(i * 5 + k) * load(i))
    let found = work(
      [
        .loop(
          .init(
            "i", 3,
            body: [
              .define(0, .constant(0, .float32)), .reduce(.init("k", 5, folds: [fold])),
              .store(.argument(1), index: .index(i), value: .local(0, .float32)),
            ]))
      ], [:])
    #expect(found.operations == 2 * 15)
    #expect(found.loads == [0: 30])
    #expect(found.stores == [1: 3])
  }

  @Test func integersAndIndicesAreNoOperations() {
    let value = load(i, .int32) + load(i + 1, .int32)
    let found = work(
      [.loop(.init("i", 4, body: [.store(.argument(1), index: .index(i), value: value)]))], [:])
    #expect(found.operations == 0)
    #expect(found.loads == [0: 8])
  }

  /// Row i has i + 1 elements.
  @Test(arguments: [0, 1, 10, 256]) func triangles(rows: Int) {
    let inner = Statement.loop(
      .init("k", i + 1, body: [.store(.argument(1), index: .index(k), value: -load(k))]))
    let found = work([.loop(.init("i", .symbol("n"), body: [inner]))], ["n": rows])
    #expect(found.operations == Double(rows * (rows + 1) / 2))
    #expect(found.stores[1, default: 0] == Double(rows * (rows + 1) / 2))
  }

  /// Of many rows some are looked at, which is close.
  @Test func longTriangles() {
    let inner = Statement.loop(
      .init("k", i + 1, body: [.store(.argument(1), index: .index(k), value: -load(k))]))
    let found = work([.loop(.init("i", 10_000, body: [inner]))], [:])
    #expect(abs(found.operations / 50_005_000 - 1) < 0.01)
  }

  @Test func conditionsCountAsIfTheyHeld() {
    let x = load(i)
    let store = Statement.store(.argument(1), index: .index(i), value: x * x)
    let condition = Scalar.binary(.less, x, x.like(0))
    let found = work([.loop(.init("i", 6, body: [.when(condition, [store])]))], [:])
    #expect(found.operations == 12)
    #expect(found.stores == [1: 6])
  }
}
