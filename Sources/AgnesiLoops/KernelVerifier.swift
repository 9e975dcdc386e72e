import AgnesiArrays

/// A kernel that breaks a rule of the loop form: a mistake of the pass that built it.
public struct VerificationFailure: Error, Hashable, CustomStringConvertible {
  public var kernel: String
  /// What is wrong, with the values that disagree.
  public var problem: String
  /// The first line of the statement at fault; nil where the kernel as a whole is.
  public var statement: String?

  public var description: String {
    let place = statement.map { "\n  in \($0)" } ?? ""
    return "kernel \(kernel): \(problem)\(place)"
  }
}

extension Kernel {
  /// Checks the rules of the loop form: names are in scope, dtypes agree, only written arguments
  /// are stored to, and only single outermost loops are parallel.
  ///
  /// Bounds of indices are not checked: they depend on values.
  ///
  /// - Throws: the first broken rule.
  /// - Complexity: linear in the size of the kernel.
  public func verify() throws(VerificationFailure) {
    var verifier = KernelVerifier(self)
    try verifier.verifyWhole()
  }
}

private struct KernelVerifier {
  let kernel: Kernel
  /// All loop variables of the kernel; every other name is a size.
  let bound: Set<String>
  var variables: Set<String> = []
  var locals: [Int: DType] = [:]
  var scratch: [Int: DType] = [:]
  var statement: Statement?

  init(_ kernel: Kernel) {
    self.kernel = kernel
    var names: Set<String> = []
    var pending = kernel.body
    while let statement = pending.popLast() {
      switch statement {
      case .loop(let loop): names.insert(loop.variable)
      case .tiles(let tiles):
        names.formUnion([tiles.rows.variable, tiles.columns.variable])
      case .reduce(let reduction): names.insert(reduction.variable)
      default: break
      }
      pending += statement.children
    }
    bound = names
  }

  func failure(_ problem: String) -> VerificationFailure {
    VerificationFailure(kernel: kernel.name, problem: problem, statement: statement?.headline)
  }

  func require(
    _ condition: Bool, _ problem: @autoclosure () -> String
  ) throws(VerificationFailure) {
    if !condition { throw failure(problem()) }
  }

  mutating func verifyWhole() throws(VerificationFailure) {
    let letters = kernel.name.unicodeScalars
    let isIdentifier =
      !letters.isEmpty
      && letters.allSatisfy {
        $0.isASCII && ($0.properties.isAlphabetic || $0.isDigit || $0 == "_")
      }
      && letters.first.map { !$0.isDigit } == true
    try require(isIdentifier, "the name is no C identifier")
    try verify(kernel.body, isOutermost: true)
  }

  /// A block: what it defines ends with it.
  mutating func verify(
    _ statements: [Statement], isOutermost: Bool = false
  ) throws(VerificationFailure) {
    let (outerLocals, outerScratch) = (locals, scratch)
    for statement in statements {
      self.statement = statement
      if statement.isParallel {
        try require(
          isOutermost && statements.count == 1,
          "a parallel loop is not the single outermost statement")
      }
      try verify(statement)
    }
    (locals, scratch) = (outerLocals, outerScratch)
  }

  mutating func verify(_ statement: Statement) throws(VerificationFailure) {
    try verifyValues(statement.roots, except: statement)
    switch statement {
    case .loop(let loop):
      try verify(extent: loop.extent)
      try enter(loop.variable)
      try verify(loop.body, isOutermost: loop.isParallel)
      variables.remove(loop.variable)
    case .tiles(let tiles):
      for axis in [tiles.rows, tiles.columns] {
        try verify(extent: axis.extent)
        try require(axis.step > 0, "tiles of \(axis.step) iterations of \(axis.variable)")
      }
      try require(tiles.group > 0, "tiles in groups of \(tiles.group)")
      try enter(tiles.rows.variable)
      try enter(tiles.columns.variable)
      try verify(tiles.body)
      variables.subtract([tiles.rows.variable, tiles.columns.variable])
    case .reduce(let reduction): try verify(reduction)
    case .define(let id, let value):
      try require(locals[id] == nil, "local l\(id) is defined twice")
      try require(
        value.dtype == value.dtype.computed, "a local of \(value.dtype), which is for storage only")
      locals[id] = value.dtype
    case .assign(let id, let value):
      guard let dtype = locals[id] else { throw failure("local l\(id) is not defined") }
      try require(
        value.dtype == dtype, "local l\(id) is \(dtype), the value \(value.dtype)")
    case .store(let buffer, let index, let value): try verifyStore(buffer, index, value)
    case .when(let condition, let body):
      try require(condition.dtype == .bool, "the condition is \(condition.dtype), not bool")
      try verify(body)
    case .scratch(let id, let dtype, let count):
      try require(scratch[id] == nil, "scratch s\(id) is defined twice")
      try require(count > 0, "scratch s\(id) has \(count) elements")
      scratch[id] = dtype
    }
  }

  private mutating func verify(_ reduction: Statement.Reduction) throws(VerificationFailure) {
    try verify(extent: reduction.extent)
    try enter(reduction.variable)
    try verifyValues(reduction.folds.map(\.value))
    variables.remove(reduction.variable)
    let folded = Set(reduction.folds.map(\.local))
    try require(folded.count == reduction.folds.count, "two folds have one local")
    for fold in reduction.folds {
      guard let dtype = locals[fold.local] else {
        throw failure("local l\(fold.local) is not defined")
      }
      try require(
        fold.value.dtype == dtype, "local l\(fold.local) is \(dtype), the value \(fold.value.dtype)"
      )
      try require(
        fold.combiner.accepts(dtype), "\(fold.combiner.rawValue) is not defined for \(dtype)")
    }
    for node in Scalar.ordered(reduction.folds.map(\.value)) {
      guard case .local(let id) = node.kind else { continue }
      try require(!folded.contains(id), "a folded value reads local l\(id), which is being folded")
    }
  }

  private func verifyStore(
    _ buffer: Buffer, _ index: Scalar, _ value: Scalar
  ) throws(VerificationFailure) {
    let dtype = try verify(buffer, index)
    try require(
      value.dtype == dtype || value.dtype == dtype.computed,
      "\(buffer) holds \(dtype), the value is \(value.dtype)")
    if case .argument(let position) = buffer {
      try require(
        kernel.arguments[position].isWritten, "argument \(buffer) is stored to but not written")
    }
  }

  private mutating func enter(_ variable: String) throws(VerificationFailure) {
    try require(variables.insert(variable).inserted, "loop variable \(variable) is already in use")
  }

  private func verify(extent: Size) throws(VerificationFailure) {
    for symbol in extent.symbols { try verify(symbol: symbol) }
  }

  private func verify(symbol: String) throws(VerificationFailure) {
    try require(
      !bound.contains(symbol) || variables.contains(symbol),
      "loop variable \(symbol) is used outside of its loop")
  }

  /// The dtype that `buffer` stores, after checking that it exists and that `index` is an index.
  private func verify(_ buffer: Buffer, _ index: Scalar) throws(VerificationFailure) -> DType {
    try require(index.dtype == .int64, "the index of \(buffer) is \(index.dtype), not int64")
    switch buffer {
    case .argument(let position):
      try require(
        kernel.arguments.indices.contains(position),
        "argument \(buffer) of \(kernel.arguments.count)")
      return kernel.arguments[position].dtype
    case .scratch(let id):
      guard let dtype = scratch[id] else { throw failure("scratch s\(id) is not defined") }
      return dtype
    }
  }
}

// MARK: - Values

extension KernelVerifier {
  /// The values of a reduction are checked inside of its loop.
  private func verifyValues(
    _ roots: [Scalar], except statement: Statement
  ) throws(VerificationFailure) {
    if case .reduce = statement { return }
    try verifyValues(roots)
  }

  private func verifyValues(_ roots: [Scalar]) throws(VerificationFailure) {
    for node in Scalar.ordered(roots) { try verify(node) }
  }

  private func verify(_ node: Scalar) throws(VerificationFailure) {
    switch node.kind {
    case .constant(let value):
      try require(
        node.dtype == node.dtype.computed, "a constant of \(node.dtype), which is for storage only")
      try require(node.dtype.isFloating, "constant \(value) is no \(node.dtype)")
    case .whole(let value):
      try require(node.dtype.holds(value), "constant \(value) is no \(node.dtype)")
    case .index(let size):
      try require(node.dtype == .int64, "an index of \(node.dtype), not int64")
      for symbol in size.symbols.sorted() { try verify(symbol: symbol) }
    case .local(let id):
      guard let dtype = locals[id] else { throw failure("local l\(id) is not defined") }
      try require(node.dtype == dtype, "local l\(id) is \(dtype), read as \(node.dtype)")
    case .load(let buffer, let index):
      let dtype = try verify(buffer, index)
      try require(
        node.dtype == dtype.computed, "\(buffer) holds \(dtype), loaded as \(node.dtype)")
    case .unary(let function, let x): try verify(node, function, x)
    case .binary(let function, let x, let y): try verify(node, function, x, y)
    case .select(let condition, let x, let y):
      try require(condition.dtype == .bool, "select by \(condition.dtype), not bool")
      try require(
        x.dtype == y.dtype && node.dtype == x.dtype,
        "select of \(x.dtype) and \(y.dtype) as \(node.dtype)")
    case .cast: break
    case .random(_, let low, let high, let word):
      try require(node.dtype == .uint32, "random words as \(node.dtype), not uint32")
      try require(
        low.dtype == .int64 && high.dtype == .int64,
        "random words at counters \(low.dtype), \(high.dtype), not int64")
      try require((0...3).contains(word), "random word \(word), not 0...3")
    }
  }

  private func verify(
    _ node: Scalar, _ function: UnaryFunction, _ x: Scalar
  ) throws(VerificationFailure) {
    try require(function.accepts(x.dtype), "\(function.rawValue) is not defined for \(x.dtype)")
    let result: DType = function == .isNaN ? .bool : x.dtype
    try require(
      node.dtype == result, "\(function.rawValue) of \(x.dtype) as \(node.dtype), not \(result)")
  }

  private func verify(
    _ node: Scalar, _ function: BinaryFunction, _ x: Scalar, _ y: Scalar
  ) throws(VerificationFailure) {
    try require(x.dtype == y.dtype, "\(function.rawValue) of \(x.dtype) and \(y.dtype)")
    try require(function.accepts(x.dtype), "\(function.rawValue) is not defined for \(x.dtype)")
    let result: DType = function.isComparison ? .bool : x.dtype
    try require(
      node.dtype == result, "\(function.rawValue) of \(x.dtype) as \(node.dtype), not \(result)")
  }
}

extension Statement {
  /// Whether iterations may run on several threads.
  fileprivate var isParallel: Bool {
    switch self {
    case .loop(let loop): loop.isParallel
    case .tiles(let tiles): tiles.isParallel
    default: false
    }
  }
}

// MARK: - Domains

extension Unicode.Scalar {
  fileprivate var isDigit: Bool { ("0"..."9").contains(self) }
}

extension DType {
  /// Whether `value` is one of the values of this integer dtype (any bits are one of uint64) or bool.
  fileprivate func holds(_ value: Int64) -> Bool {
    if isFloating { return false }
    return size == 8 || (value >= wholeRange.lowerBound && value <= wholeRange.upperBound)
  }
}

extension UnaryFunction {
  /// Whether the function is defined for a computed dtype.
  package func accepts(_ dtype: DType) -> Bool {
    guard dtype == dtype.computed else { return false }
    switch self {
    case .not: return !dtype.isFloating
    case .negate, .abs, .sign, .floor, .ceil, .trunc, .round: return dtype != .bool
    default: return dtype.isFloating
    }
  }
}

extension BinaryFunction {
  /// Whether the function is defined for two operands of a computed dtype.
  package func accepts(_ dtype: DType) -> Bool {
    guard dtype == dtype.computed else { return false }
    switch self {
    case .add, .subtract, .multiply, .divide, .floorDivide, .modulo, .power: return dtype != .bool
    case .atan2: return dtype.isFloating
    case .and, .or, .xor: return !dtype.isFloating
    case .maximum, .minimum, .equal, .notEqual, .less, .lessOrEqual: return true
    }
  }
}

extension Combiner {
  /// Whether a local of `dtype` can be folded.
  package func accepts(_ dtype: DType) -> Bool {
    switch self {
    case .all, .any: dtype == .bool
    case .sum, .product, .maximum, .minimum: function.accepts(dtype)
    }
  }
}
