import AgnesiArrays

extension Sequence<Scalar> {
  /// All values that these are made of, operands first; each node once.
  package func reachable() -> [Scalar] {
    var order: [Scalar] = []
    var seen: Set<ObjectIdentifier> = []
    var stack: [(Scalar, Bool)] = map { ($0, false) }.reversed()
    while let (scalar, isFinished) = stack.popLast() {
      if isFinished {
        order.append(scalar)
      } else if seen.insert(ObjectIdentifier(scalar)).inserted {
        stack.append((scalar, true))
        for operand in scalar.operands.reversed() { stack.append((operand, false)) }
      }
    }
    return order
  }

  /// The same values with equal parts made one node, so that a statement computes them once.
  package func merged() -> [Scalar] {
    var table: [Scalar: Scalar] = [:]
    var mapping: [ObjectIdentifier: Scalar] = [:]
    for scalar in reachable() {
      // With merged operands, equality is one comparison deep.
      let operands = scalar.operands.map { mapping[ObjectIdentifier($0)] ?? $0 }
      let unchanged = zip(operands, scalar.operands).allSatisfy { $0 === $1 }
      let rebuilt = unchanged ? scalar : scalar.with(operands)
      let merged = table[rebuilt] ?? rebuilt
      table[merged] = merged
      mapping[ObjectIdentifier(scalar)] = merged
    }
    return map { mapping[ObjectIdentifier($0)] ?? $0 }
  }
}

extension Scalar {
  /// This value with parts replaced: `replacement` is asked for each node, operands first, with the
  /// node's operands replaced already; nil keeps it.
  package func rewritten(_ replacement: (Scalar) -> Scalar?) -> Scalar {
    var mapping: [ObjectIdentifier: Scalar] = [:]
    for scalar in [self].reachable() {
      let operands = scalar.operands.map { mapping[ObjectIdentifier($0)] ?? $0 }
      let unchanged = zip(operands, scalar.operands).allSatisfy { $0 === $1 }
      let rebuilt = unchanged ? scalar : scalar.with(operands)
      mapping[ObjectIdentifier(scalar)] = replacement(rebuilt) ?? rebuilt
    }
    return mapping[ObjectIdentifier(self)] ?? self
  }

  /// The same function of other operands.
  fileprivate func with(_ operands: [Scalar]) -> Scalar {
    switch kind {
    case .constant, .whole, .index, .local: self
    case .load(let buffer, _): .load(buffer, operands[0], dtype)
    case .unary(let function, _): .unary(function, operands[0])
    case .binary(let function, _, _): .binary(function, operands[0], operands[1])
    case .select: .select(operands[0], operands[1], operands[2])
    case .cast: operands[0].cast(to: dtype)
    case .random(let key, _, _, let word):
      .random(key: key, low: operands[0], high: operands[1], word: word)
    }
  }

  /// This value with names in index formulas replaced.
  package func substituting(_ sizes: [String: Size]) -> Scalar {
    rewritten { scalar in
      guard case .index(let size) = scalar.kind else { return nil }
      let replaced = size.substituting(sizes)
      return replaced == size ? nil : .index(replaced)
    }
  }
}

extension Scalar {
  /// This value with parts replaced, largest first: a part that `replacement` answers for is not
  /// looked into.
  package func replacingTopDown(_ replacement: (Scalar) -> Scalar?) -> Scalar {
    var memo: [ObjectIdentifier: Scalar] = [:]
    func visit(_ scalar: Scalar) -> Scalar {
      if let done = memo[ObjectIdentifier(scalar)] { return done }
      let result: Scalar
      if let replaced = replacement(scalar) {
        result = replaced
      } else {
        let operands = scalar.operands.map(visit)
        let unchanged = zip(operands, scalar.operands).allSatisfy { $0 === $1 }
        result = unchanged ? scalar : scalar.with(operands)
      }
      memo[ObjectIdentifier(scalar)] = result
      return result
    }
    return visit(self)
  }
}
