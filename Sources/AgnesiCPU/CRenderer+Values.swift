import AgnesiArrays
import AgnesiLoops

/// The values of one statement as C: each node that is not a leaf becomes a constant temporary,
/// once. A branch of a `select` that loads what is not loaded anyway stays inside an `if`, so that
/// a guarded index is never read out of bounds.
struct CValues {
  private var names: [ObjectIdentifier: String] = [:]
  private let uses: [ObjectIdentifier: Int]
  /// Nodes that are, or are made of, a load.
  private var loading: Set<ObjectIdentifier> = []

  init(_ roots: [Scalar]) {
    uses = Scalar.useCounts(roots)
    for node in Scalar.ordered(roots) {
      if case .load = node.kind {
        loading.insert(ObjectIdentifier(node))
      } else if node.operands.contains(where: { loading.contains(ObjectIdentifier($0)) }) {
        loading.insert(ObjectIdentifier(node))
      }
    }
  }

  /// Writes what `roots` need and returns their texts.
  mutating func emit(_ roots: [Scalar], into function: inout CFunction) -> [String] {
    let needed = alwaysEvaluated(roots)
    for node in Scalar.ordered(roots) where needed.contains(ObjectIdentifier(node)) {
      define(node, into: &function)
    }
    return roots.map { name($0) }
  }

  mutating func emit(_ root: Scalar, into function: inout CFunction) -> String {
    emit([root], into: &function)[0]
  }

  private func name(_ node: Scalar) -> String { names[ObjectIdentifier(node)] ?? "0" }

  /// The nodes that are evaluated whichever branches are taken.
  private func alwaysEvaluated(_ roots: [Scalar]) -> Set<ObjectIdentifier> {
    var result: Set<ObjectIdentifier> = []
    var pending = roots
    while let node = pending.popLast() {
      guard result.insert(ObjectIdentifier(node)).inserted else { continue }
      guard case .select(let condition, let x, let y) = node.kind, mayLoad([x, y]) else {
        pending += node.operands
        continue
      }
      pending.append(condition)
      // What both branches need is needed.
      let both = alwaysEvaluated([x]).intersection(alwaysEvaluated([y]))
      pending += Scalar.ordered([x, y]).filter { both.contains(ObjectIdentifier($0)) }
    }
    return result
  }

  private func mayLoad(_ nodes: [Scalar]) -> Bool {
    nodes.contains { loading.contains(ObjectIdentifier($0)) }
  }

  /// Whether every load of `nodes` has been written already.
  private func isLoaded(_ nodes: [Scalar]) -> Bool {
    guard mayLoad(nodes) else { return true }
    return Scalar.ordered(nodes).allSatisfy { node in
      guard case .load = node.kind else { return true }
      return names[ObjectIdentifier(node)] != nil
    }
  }

  private mutating func define(_ node: Scalar, into function: inout CFunction) {
    if names[ObjectIdentifier(node)] != nil { return }
    if case .select(let condition, let x, let y) = node.kind {
      defineSelect(node, condition, x, y, into: &function)
      return
    }
    let text = formula(node, in: &function)
    if node.isLeaf {
      names[ObjectIdentifier(node)] = text
    } else {
      let name = function.freshName("t")
      function.line("const \(node.dtype.cValue) \(name) = \(text);")
      names[ObjectIdentifier(node)] = name
    }
  }

  private mutating func defineSelect(
    _ node: Scalar, _ condition: Scalar, _ x: Scalar, _ y: Scalar, into function: inout CFunction
  ) {
    let result = function.freshName("t")
    let type = node.dtype.cValue
    if isLoaded([x, y]) {
      for operand in Scalar.ordered([x, y]) { define(operand, into: &function) }
      function.line("const \(type) \(result) = \(name(condition)) ? \(name(x)) : \(name(y));")
    } else {
      function.line("\(type) \(result);")
      defineBranch("if (\(name(condition)))", x, result, into: &function)
      defineBranch("else", y, result, into: &function)
    }
    names[ObjectIdentifier(node)] = result
  }

  /// Temporaries of a branch end with it.
  private mutating func defineBranch(
    _ head: String, _ value: Scalar, _ result: String, into function: inout CFunction
  ) {
    var inner = self
    function.block(head) { function in
      let text = inner.emit(value, into: &function)
      function.line("\(result) = \(text);")
    }
  }
}

// MARK: - Formulas

extension CValues {
  private func formula(_ node: Scalar, in function: inout CFunction) -> String {
    switch node.kind {
    case .constant, .whole: return Self.literal(node)
    case .index(let size): return function.text(size)
    case .local(let id): return function.localText(id)
    case .load(let buffer, let index):
      return function.loadText(buffer, name(index))
    case .unary(let unary, let x): return unary.cText(name(x), x.dtype, &function.helpers)
    case .binary(.add, let x, let y) where node.dtype.isFloating && isAccumulation(x, y):
      guard case .binary(_, let a, let b) = y.kind else { break }
      function.helpers.insert(.fusedMultiplyAdd)
      return "AGNESI_FMA_\(node.dtype.cSuffix)(\(name(a)), \(name(b)), \(name(x)))"
    case .binary(let binary, let x, let y):
      return binary.cText(name(x), name(y), x.dtype, &function.helpers)
    case .select(let condition, let x, let y):
      return "\(name(condition)) ? \(name(x)) : \(name(y))"
    case .cast(let x): return cast(name(x), x.dtype, node.dtype, &function.helpers)
    case .random(let key, let low, let high, let word):
      function.helpers.insert(.philox)
      let counter = "(uint64_t)\(name(low)), (uint64_t)\(name(high))"
      return "agnesi_philox(0x\(String(key, radix: 16))ULL, \(counter), \(word))"
    }
    return "0"
  }

  /// `local + a * b`: a running sum, for which fused multiply-add is both faster and closer.
  private func isAccumulation(_ x: Scalar, _ y: Scalar) -> Bool {
    guard case .local = x.kind, case .binary(.multiply, _, _) = y.kind else { return false }
    return uses[ObjectIdentifier(y)] == 1
  }

  /// A constant.
  static func literal(_ node: Scalar) -> String {
    switch node.kind {
    case .constant(let value):
      return node.dtype == .float64
        ? floating(value, "\(value)", "") : floating(Double(Float(value)), "\(Float(value))", "f")
    case .whole(let value):
      switch node.dtype {
      case .bool: return value == 0 ? "0" : "1"
      case .uint64: return "\(UInt64(bitPattern: value))ULL"
      default: return "((\(node.dtype.cValue))\(CFunction.literal(Int(value))))"
      }
    default: return "0"
    }
  }

  private static func floating(_ value: Double, _ text: String, _ suffix: String) -> String {
    if value.isNaN { return "__builtin_nan\(suffix)(\"\")" }
    if value.isInfinite { return "(\(value < 0 ? "-" : "")__builtin_inf\(suffix)())" }
    return value.sign == .minus ? "(\(text)\(suffix))" : text + suffix
  }
}

// MARK: - Memory

extension CFunction {
  func localText(_ id: Int) -> String {
    guard let strip, laneLocals.contains(id) else { return "l\(id)" }
    return "l\(id)[\(strip.lane)]"
  }

  mutating func loadText(_ buffer: Buffer, _ index: String) -> String {
    let element = "\(buffer)[\(index)]"
    switch storage(of: buffer) {
    case .bool: return "\(element) != 0"
    case .float16: return "(float)\(element)"
    case .bfloat16:
      helpers.insert(.bfloat16)
      return "agnesi_load_bf16(\(element))"
    default: return element
    }
  }

  mutating func storeLine(_ buffer: Buffer, _ index: String, _ value: String) -> String {
    let element = "\(buffer)[\(index)]"
    switch storage(of: buffer) {
    case .float16: return "\(element) = (_Float16)\(value);"
    case .bfloat16:
      helpers.insert(.bfloat16)
      return "\(element) = agnesi_store_bf16(\(value));"
    default: return "\(element) = \(value);"
    }
  }
}
