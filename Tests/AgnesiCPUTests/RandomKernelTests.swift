import AgnesiArrays
import AgnesiCPU
import AgnesiLoops
import Testing

/// Kernels made by chance: whatever the compiler may come to build, C and interpreter agree.
///
/// Only functions whose results both sides round equally, so that values are compared for
/// equality.
private struct KernelMaker {
  var random: PhiloxGenerator
  let dtype: DType
  /// The names that indices may use, outermost first, with their values.
  var variables: [(name: String, count: Int)] = []
  var locals: [Int] = []
  var nextLocal = 0
  var nextVariable = 0

  static let count = 24
  static let rows = 3

  init(seed: UInt64, _ dtype: DType) {
    random = PhiloxGenerator(seed: seed, name: "kernel")
    self.dtype = dtype
  }

  mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &random) }

  /// An index inside of the input whatever the loop variables are; now and then one that is
  /// outside and guarded by a select.
  mutating func load() -> Scalar {
    let total = variables.reduce(Size(0)) { $0 + .symbol($1.name) }
    let shift = below(5) - 2
    let index = total + Size(shift)
    let element = Scalar.load(.argument(below(2)), .index(index), dtype)
    let inside = (.index(0) .<= .index(index)) .& (.index(index) .< .index(.symbol("n")))
    return .select(inside, element, element.like(1))
  }

  mutating func value(_ depth: Int) -> Scalar {
    var pool: [Scalar] = [load()]
    for _ in 0..<depth {
      let (x, y) = (pool[below(pool.count)], pool[below(pool.count)])
      switch below(11) {
      case 0: pool.append(x + y)
      case 1: pool.append(x - y)
      case 2: pool.append(x * y)
      case 3: pool.append(.binary(.maximum, x, y))
      case 4: pool.append(.binary(.minimum, x, y))
      case 5: pool.append(.select(x .< y, pool[below(pool.count)], load()))
      case 6: pool.append(.select((x .== y) .| (y .<= x), x, y * y.like(3)))
      case 7: pool.append(x(.abs))
      case 8: pool.append(.binary(.modulo, x, y.like(7)))
      case 9: pool.append(locals.isEmpty ? load() : .local(locals[below(locals.count)], dtype))
      default: pool.append(x.cast(to: .int32).cast(to: dtype))
      }
    }
    return pool[pool.count - 1]
  }

  mutating func reduction() -> [Statement] {
    let (name, local) = ("k\(nextVariable)", nextLocal)
    nextVariable += 1
    nextLocal += 1
    // Sums of floats depend on their order: the others do not.
    let combiners: [Combiner] =
      dtype.isFloating ? [.maximum, .minimum] : [.sum, .maximum, .product]
    let combiner = combiners[below(combiners.count)]
    let identity = combiner.identity(dtype)
    variables.append((name, 20))
    let extent: Size = below(2) == 0 ? .symbol("m") : Size(below(20))
    let folded = value(below(6))
    variables.removeLast()
    defer { locals.append(local) }
    return [
      .define(local, identity),
      .reduce(
        .init(name, extent, folds: [.init(local: local, combiner: combiner, value: folded)])),
    ]
  }

  mutating func kernel(_ name: String) -> Kernel {
    variables = [("r", Self.rows), ("i", Self.count)]
    let (row, column) = (Size.symbol("r"), Size.symbol("i"))
    var body: [Statement] = []
    for _ in 0..<(1 + below(3)) {
      switch below(3) {
      case 0: body += reduction()
      default:
        body.append(.define(nextLocal, value(below(8))))
        locals.append(nextLocal)
        nextLocal += 1
      }
    }
    if below(2) == 0, let last = locals.last {
      let condition = value(3) .< value(3)
      body.append(.when(condition, [.assign(last, value(4) + .local(last, dtype))]))
    }
    body.append(
      .store(
        .argument(2), index: .index(row * .symbol("n") + column), value: value(below(12))))
    let inner = Statement.loop(.init("i", .symbol("n"), isVector: below(3) > 0, body: body))
    return Kernel(
      name: name,
      arguments: [
        .init(dtype, isWritten: false), .init(dtype, isWritten: false),
        .init(dtype, isWritten: true),
      ],
      body: [.loop(.init("r", Size(Self.rows), isParallel: below(2) == 0, body: [inner]))])
  }
}

@Suite struct RandomKernelTests {
  @Test(arguments: [DType.float32, .float64, .int32, .int64])
  func agree(_ dtype: DType) throws {
    let cases = (0..<25).map { number in
      var maker = KernelMaker(seed: UInt64(number), dtype)
      let count = number % 2 == 0 ? KernelMaker.count : 70
      let total = KernelMaker.rows * count
      return KernelCase(
        kernel: maker.kernel("random"),
        arguments: [
          numbers(count, -9...9, dtype, seed: UInt64(number)),
          numbers(count, -9...9, dtype, seed: UInt64(number) + 1000),
          NDArray(zeros: [total], dtype),
        ], sizes: ["n": count, "m": 1 + number % 20])
    }
    try expectAgreement(cases)
  }
}
