// Walks over the graph of a value. Iterative, because a fused chain may be deep.

extension Scalar {
  /// The nodes of `roots`, each once, operands before what uses them.
  package static func ordered(_ roots: [Scalar]) -> [Scalar] {
    var result: [Scalar] = []
    var done: Set<ObjectIdentifier> = []
    var pending = roots.reversed().map { (node: $0, isOpen: false) }
    while let (node, isOpen) = pending.popLast() {
      if done.contains(ObjectIdentifier(node)) { continue }
      if isOpen {
        done.insert(ObjectIdentifier(node))
        result.append(node)
      } else {
        pending.append((node, true))
        for operand in node.operands.reversed() { pending.append((operand, false)) }
      }
    }
    return result
  }

  /// How often each node of `roots` is used, as an operand or a root.
  package static func useCounts(_ roots: [Scalar]) -> [ObjectIdentifier: Int] {
    var counts: [ObjectIdentifier: Int] = [:]
    for node in ordered(roots) {
      for operand in node.operands { counts[ObjectIdentifier(operand), default: 0] += 1 }
    }
    for root in roots { counts[ObjectIdentifier(root), default: 0] += 1 }
    return counts
  }

  /// Whether the value is a constant, an index or a local: nothing that is worth a name.
  package var isLeaf: Bool { operands.isEmpty }
}

extension Statement {
  /// The values that the statement itself evaluates, in order; not those of statements inside it.
  package var roots: [Scalar] {
    switch self {
    case .loop, .tiles, .scratch: []
    case .reduce(let reduction): reduction.folds.map(\.value)
    case .define(_, let value), .assign(_, let value): [value]
    case .store(_, let index, let value): [index, value]
    case .when(let condition, _): [condition]
    }
  }

  /// The statements inside this one.
  package var children: [Statement] {
    switch self {
    case .loop(let loop): loop.body
    case .tiles(let tiles): tiles.body
    case .when(_, let body): body
    case .reduce, .define, .assign, .store, .scratch: []
    }
  }
}
