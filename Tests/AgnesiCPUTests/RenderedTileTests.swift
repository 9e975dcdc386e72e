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

private func load(_ argument: Int, _ index: Size) -> Scalar {
  .load(.argument(argument), .index(index), .float32)
}

/// Whole numbers, so that sums are exact in any order.
private func wholes(_ count: Int, seed: UInt64) -> NDArray {
  let values = numbers(count, -8...8, seed: seed).doubles.map { $0.rounded() }
  return NDArray(rounding: values, shape: [count], .float32)
}

/// A matrix product with three results: the sum with a bias, its positive part, and what a fourth
/// matrix becomes when the sum is added to it, in place.
private struct Product {
  var rows: Size
  var columns: Size
  var terms: Size
  var isTransposed = false
  var steps = (rows: 8, columns: 32)
  var group = 1

  var kernel: Kernel {
    let left = isTransposed ? load(0, k * rows + i) : load(0, i * terms + k)
    let value = left * load(1, k * columns + j)
    let place = i * columns + j
    let sum = Scalar.local(1, .float32)
    func store(_ argument: Int, _ value: Scalar) -> Statement {
      .store(.argument(argument), index: .index(place), value: value)
    }
    let body: [Statement] = [
      .define(0, .constant(0, .float32)),
      .reduce(.init("k", terms, folds: [.init(local: 0, combiner: .sum, value: value)])),
      .define(1, .local(0, .float32) + load(2, j)),
      .define(2, load(5, place) + .local(0, .float32)),
      store(3, sum),
      store(4, .select(sum .<= sum.like(0), sum.like(0), sum)),
      store(5, .local(2, .float32)),
    ]
    return Kernel(
      name: "product",
      arguments: (0..<6).map { .init(.float32, isWritten: $0 > 2) },
      body: [
        .tiles(
          .init(
            rows: .init("i", rows, by: steps.rows), columns: .init("j", columns, by: steps.columns),
            group: group, isParallel: true, body: body))
      ])
  }

  func with(_ m: Int, _ n: Int, _ l: Int, _ left: NDArray? = nil) -> KernelCase {
    let inputs = [left ?? wholes(m * l, seed: 1), wholes(l * n, seed: 2), wholes(n, seed: 3)]
    let results = [NDArray(zeros: [m * n]), NDArray(zeros: [m * n]), wholes(m * n, seed: 4)]
    return KernelCase(
      kernel: kernel, arguments: inputs + results, sizes: ["m": m, "n": n, "l": l])
  }
}

private let named = Product(rows: .symbol("m"), columns: .symbol("n"), terms: .symbol("l"))

@Suite struct RenderedTileTests {
  @Test(arguments: [false, true]) func productsOfAllSizes(_ isTransposed: Bool) throws {
    var product = named
    product.isTransposed = isTransposed
    var cases: [KernelCase] = []
    for m in [0, 1, 3, 7, 8, 9, 20] {
      for n in [1, 10, 16, 17, 32, 33, 70] {
        cases += [0, 1, 5].map { product.with(m, n, $0) }
      }
    }
    try expectAgreement(cases)
  }

  /// Remainders of known sizes have code of their own.
  @Test func productsOfKnownSizes() throws {
    let sizes = [(8, 32, 9), (5, 16, 3), (12, 40, 4), (24, 10, 7), (1, 64, 2), (15, 31, 6)]
    try expectAgreement(
      sizes.map { m, n, l in
        Product(rows: Size(m), columns: Size(n), terms: Size(l)).with(m, n, l)
      })
  }

  @Test func otherTiles() throws {
    let cases = [(4, 16), (6, 64), (3, 48), (1, 16)].map { rows, columns -> KernelCase in
      var product = named
      product.steps = (rows, columns)
      return product.with(11, 75, 5)
    }
    try expectAgreement(cases)
  }

  /// In whatever order rectangles run, and whatever part of them.
  @Test(arguments: [2, 3, 100]) func groupsOfColumns(_ group: Int) throws {
    let known = [(8, 32), (12, 200), (5, 70)].map { m, n in
      Product(rows: Size(m), columns: Size(n), terms: 3, group: group).with(m, n, 3)
    }
    var product = named
    product.group = group
    product.steps = (5, 16)
    try expectAgreement(known + [(1, 1), (11, 75), (23, 160)].map { product.with($0, $1, 5) })
  }

  /// The right factor in panels of 32 columns, as a step of its own stores it.
  @Test(arguments: [16, 32]) func aRightFactorInPanels(_ width: Int) throws {
    let l = Size.symbol("l")
    let value = load(0, i * l + k) * load(1, j + j / 32 * (l * 32 - 32) + k * 32)
    let kernel = Kernel(
      name: "panels", arguments: (0..<3).map { .init(.float32, isWritten: $0 == 2) },
      body: [
        .tiles(
          .init(
            rows: .init("i", 9, by: 5), columns: .init("j", 75, by: width), isParallel: true,
            body: [
              .define(0, .constant(0, .float32)),
              .reduce(.init("k", l, folds: [.init(local: 0, combiner: .sum, value: value)])),
              .store(.argument(2), index: .index(i * 75 + j), value: .local(0, .float32)),
            ]))
      ])
    #expect(TileProduct(value, row: "i", column: "j", width: width) != nil)
    #expect(TileProduct(value, row: "i", column: "j", width: 64) == nil)
    for terms in [0, 1, 7] {
      try expectAgreement(
        kernel,
        [wholes(9 * terms, seed: 1), wholes(3 * 32 * terms, seed: 2), NDArray(zeros: [9 * 75])],
        sizes: ["l": terms])
    }
  }

  /// A parallel loop over parallel tiles: any part of all rectangles may run by itself.
  @Test func tilesInAParallelLoop() throws {
    let (n, o) = (Size.symbol("n"), Size.symbol("o"))
    let body: [Statement] = [
      .define(0, .constant(0, .float32)),
      .reduce(
        .init(
          "k", 4,
          folds: [
            .init(
              local: 0, combiner: .sum, value: load(0, o * 44 + i * 4 + k) * load(1, k * n + j))
          ])),
      .store(.argument(2), index: .index(o * n * 11 + i * n + j), value: .local(0, .float32)),
    ]
    let tiles = Statement.tiles(
      .init(
        rows: .init("i", 11, by: 4), columns: .init("j", n, by: 16), isParallel: true, body: body))
    let kernel = Kernel(
      name: "many", arguments: (0..<3).map { .init(.float32, isWritten: $0 == 2) },
      body: [.loop(.init("o", .symbol("b"), isParallel: true, body: [tiles]))])
    #expect(kernel.parallelExtent == .symbol("b") * (3 * ((n + 15) / 16)))
    try expectAgreement(
      [(1, 40), (3, 16), (4, 0), (0, 5), (7, 33)].map { b, n in
        KernelCase(
          kernel: kernel,
          arguments: [
            wholes(b * 44, seed: 1), wholes(4 * n, seed: 2), NDArray(zeros: [b * 11 * n]),
          ], sizes: ["b": b, "n": n])
      })
  }

  /// What is not a number spoils its own row only, also beside columns that do not exist.
  @Test func notANumberStaysInItsRow() throws {
    var left = [Double](repeating: 1, count: 9 * 3)
    (left[4], left[8]) = (.nan, .infinity)
    let array = NDArray(rounding: left, shape: [27], .float32)
    let one = named.with(9, 19, 3, array)
    try expectAgreement([one])
    var arguments = one.arguments
    try runCompiled(one.kernel, &arguments, sizes: one.sizes)
    let spoilt = Set(
      arguments[3].doubles.indices.filter { !arguments[3].doubles[$0].isFinite }.map { $0 / 19 })
    #expect(spoilt == [1, 2])
  }

  /// A sum is made in the order of its terms wherever in a tile it lies.
  @Test func sumsDoNotDependOnTheTile() throws {
    let row = numbers(50, seed: 5)
    let left = NDArray(rounding: (0..<21).flatMap { _ in row.doubles }, shape: [21 * 50], .float32)
    var one = named.with(21, 45, 50, left)
    let column = numbers(50, seed: 6).doubles
    one.arguments[1] = NDArray(
      rounding: column.flatMap { [Double](repeating: $0, count: 45) }, shape: [50 * 45], .float32)
    one.arguments[2] = NDArray(zeros: [45])
    try runCompiled(one.kernel, &one.arguments, sizes: one.sizes)
    #expect(Set(one.arguments[3].doubles).count == 1)
  }

  /// Part of a vector at the end of a page whose neighbour cannot be read.
  @Test func partsOfVectorsReadNoForeignPage() throws {
    let page = Int(getpagesize())
    let base = try #require(
      mmap(nil, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
    defer { munmap(base, 2 * page) }
    mprotect(base + page, page, PROT_NONE)
    let (m, n, l) = (3, 10, 4)
    let right = base + page - 4 * n * l
    right.bindMemory(to: Float.self, capacity: n * l).initialize(repeating: 1, count: n * l)
    let one = named.with(m, n, l, NDArray(filled: 1, shape: [m * l]))
    let function = try #require(testCompiler.compile([one.kernel])["product"])
    var results = one.arguments.map { array in
      var copy = array
      copy.withUnsafeMutableBytes { _ in }
      return copy
    }
    results[2] = NDArray(zeros: [n])
    var pointers = results.map { array in
      array.withUnsafeBytes { UnsafeMutableRawPointer(mutating: $0.baseAddress) }
    }
    pointers[1] = right
    let sizes = one.kernel.sizes.map { Int64(one.sizes[$0] ?? 0) }
    function(pointers, sizes, 0, 1)
    #expect(results[3].doubles == [Double](repeating: 4, count: m * n))
  }

  /// Elements that lie along rows, alone and with others that do not.
  @Test func transpositions() throws {
    let (m, n) = (Size.symbol("m"), Size.symbol("n"))
    let value = load(0, j * m + i) * .constant(2, .float32) + load(1, i * n + j)
    let kernel = Kernel(
      name: "transpose", arguments: (0..<3).map { .init(.float32, isWritten: $0 == 2) },
      body: [
        .tiles(
          .init(
            rows: .init("i", m, by: 16), columns: .init("j", n, by: 16), isParallel: true,
            body: [.store(.argument(2), index: .index(i * n + j), value: value)]))
      ])
    let sizes = [(0, 3), (1, 1), (16, 16), (17, 31), (48, 32), (5, 70)]
    try expectAgreement(
      sizes.map { rows, columns in
        let count = rows * columns
        return KernelCase(
          kernel: kernel,
          arguments: [wholes(count, seed: 1), wholes(count, seed: 2), NDArray(zeros: [count])],
          sizes: ["m": rows, "n": columns])
      })
  }

  /// Bodies that are no product run one by one: here the largest element of a row and a column.
  @Test func anyOtherBody() throws {
    let larger = Scalar.binary(.maximum, load(0, i * 6 + k), load(1, k * 7 + j))
    let kernel = Kernel(
      name: "largest", arguments: (0..<3).map { .init(.float32, isWritten: $0 == 2) },
      body: [
        .loop(
          .init(
            "o", 1, isParallel: true,
            body: [
              .tiles(
                .init(
                  rows: .init("i", 5, by: 2), columns: .init("j", 7, by: 3),
                  body: [
                    .define(0, .constant(-.infinity, .float32)),
                    .reduce(
                      .init("k", 6, folds: [.init(local: 0, combiner: .maximum, value: larger)])),
                    .store(
                      .argument(2), index: .index(i * 7 + j), value: .local(0, .float32)),
                  ]))
            ]))
      ])
    try expectAgreement(
      kernel, [wholes(30, seed: 1), wholes(42, seed: 2), NDArray(zeros: [35])])
  }
}
