import AgnesiArrays

/// A loop nest with its arguments: what is rendered to one C function.
///
/// The first statement may be a loop, or tiles, marked `isParallel`; it is then the only statement,
/// and its iterations (or rectangles) may run in any order and on several threads. A parallel loop
/// whose whole body is a parallel statement counts the iterations of both.
public struct Kernel: Sendable {
  public var name: String
  public var arguments: [Argument]
  public var body: [Statement]

  public struct Argument: Sendable, Hashable {
    public var dtype: DType
    public var isWritten: Bool
    public init(_ dtype: DType, isWritten: Bool) {
      self.dtype = dtype
      self.isWritten = isWritten
    }
  }

  public init(name: String, arguments: [Argument], body: [Statement]) {
    self.name = name
    self.arguments = arguments
    self.body = body
  }

  /// The names that the kernel takes as numbers at run time, sorted: all symbols that no loop binds.
  public var sizes: [String] {
    var bound: Set<String> = []
    var used: Set<String> = []
    for statement in body { statement.collectSymbols(bound: &bound, used: &used) }
    return used.subtracting(bound).sorted()
  }

  /// The number of iterations of the outermost parallel loops, or of their rectangles; nil where the
  /// kernel is serial.
  public var parallelExtent: Size? { body.parallelExtent }
}

extension [Statement] {
  /// How many iterations may run on several threads; nil where these are not one parallel statement.
  package var parallelExtent: Size? {
    guard count == 1 else { return nil }
    switch self[0] {
    case .loop(let loop) where loop.isParallel: return loop.extent * (loop.body.parallelExtent ?? 1)
    case .tiles(let tiles) where tiles.isParallel: return tiles.count
    default: return nil
    }
  }
}

/// One step of a loop nest.
public indirect enum Statement: Hashable, Sendable {
  case loop(Loop)
  case tiles(Tiles)
  /// Reduces values over a loop into local variables; the order of the reduction is the executor's
  /// choice (lanes), but always the same.
  case reduce(Reduction)
  /// A new local variable; it may be assigned again.
  case define(Int, Scalar)
  case assign(Int, Scalar)
  case store(Buffer, index: Scalar, value: Scalar)
  case when(Scalar, [Statement])
  /// An array of `count` elements, local to the enclosing block.
  case scratch(Int, DType, count: Int)

  public struct Loop: Hashable, Sendable {
    /// The symbol that stands for the iteration, `0..<extent`, in formulas.
    public var variable: String
    public var extent: Size
    public var isParallel: Bool
    /// Neighbouring iterations are independent and touch neighbouring elements: worth vectors.
    public var isVector: Bool
    public var body: [Statement]

    public init(
      _ variable: String, _ extent: Size, isParallel: Bool = false, isVector: Bool = false,
      body: [Statement]
    ) {
      self.variable = variable
      self.extent = extent
      self.isParallel = isParallel
      self.isVector = isVector
      self.body = body
    }
  }

  public struct Reduction: Hashable, Sendable {
    public var variable: String
    public var extent: Size
    public var folds: [Fold]

    public struct Fold: Hashable, Sendable {
      /// A local defined before; holds the running value.
      public var local: Int
      public var combiner: Combiner
      public var value: Scalar

      public init(local: Int, combiner: Combiner, value: Scalar) {
        self.local = local
        self.combiner = combiner
        self.value = value
      }
    }

    public init(_ variable: String, _ extent: Size, folds: [Fold]) {
      self.variable = variable
      self.extent = extent
      self.folds = folds
    }
  }

  fileprivate func collectSymbols(bound: inout Set<String>, used: inout Set<String>) {
    switch self {
    case .loop(let loop):
      bound.insert(loop.variable)
      used.formUnion(loop.extent.symbols)
      for statement in loop.body { statement.collectSymbols(bound: &bound, used: &used) }
    case .tiles(let tiles):
      for axis in [tiles.rows, tiles.columns] {
        bound.insert(axis.variable)
        used.formUnion(axis.extent.symbols)
      }
      for statement in tiles.body { statement.collectSymbols(bound: &bound, used: &used) }
    case .reduce(let reduction):
      bound.insert(reduction.variable)
      used.formUnion(reduction.extent.symbols)
      for fold in reduction.folds { used.formUnion(fold.value.symbols) }
    case .define(_, let value), .assign(_, let value): used.formUnion(value.symbols)
    case .store(_, let index, let value):
      used.formUnion(index.symbols)
      used.formUnion(value.symbols)
    case .when(let condition, let body):
      used.formUnion(condition.symbols)
      for statement in body { statement.collectSymbols(bound: &bound, used: &used) }
    case .scratch: break
    }
  }
}

/// An associative function that reduces many values to one.
public enum Combiner: String, Sendable, Codable, CaseIterable {
  case sum, product
  /// NaN wins.
  case maximum, minimum
  case all, any

  /// The value of an empty reduction of floats: 0, 1, −∞, ∞.
  package var identity: Double {
    switch self {
    case .sum, .any: 0
    case .product, .all: 1
    case .maximum: -.infinity
    case .minimum: .infinity
    }
  }

  /// The value of an empty reduction of integers or bools: 0, 1, the smallest integer, the largest
  /// (of uint64 by its bits), true, false.
  package func wholeIdentity(_ dtype: DType) -> Int64 {
    switch self {
    case .sum, .any: 0
    case .product, .all: 1
    case .maximum: dtype.wholeRange.lowerBound
    case .minimum: dtype == .uint64 ? -1 : dtype.wholeRange.upperBound
    }
  }

  /// The value of an empty reduction.
  package func identity(_ dtype: DType) -> Scalar {
    dtype.isFloating ? .constant(identity, dtype) : .whole(wholeIdentity(dtype), dtype)
  }

  public var function: BinaryFunction {
    switch self {
    case .sum: .add
    case .product: .multiply
    case .maximum: .maximum
    case .minimum: .minimum
    case .all: .and
    case .any: .or
    }
  }
}

extension Scalar {
  /// All names in the formulas of this value's indices.
  package var symbols: Set<String> {
    var result: Set<String> = []
    var seen: Set<ObjectIdentifier> = []
    var pending = [self]
    while let scalar = pending.popLast() {
      guard seen.insert(ObjectIdentifier(scalar)).inserted else { continue }
      if case .index(let size) = scalar.kind { result.formUnion(size.symbols) }
      pending += scalar.operands
    }
    return result
  }
}
