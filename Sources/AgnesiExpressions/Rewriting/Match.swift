import AgnesiArrays

/// A place where a pattern fits: which tensor each part of the pattern stands for.
package struct Match: Sendable {
  /// What would be replaced.
  package let root: Tensor
  private var bindings: [(part: Tensor, tensor: Tensor)] = []

  init(root: Tensor) { self.root = root }

  /// The tensor that a wildcard, or another part of the pattern, stands for.
  package subscript(_ part: Tensor) -> Tensor {
    guard let tensor = bound(part) else {
      internalError("a rule asks for \(part), which is no part of its pattern")
    }
    return tensor
  }

  /// The value that `Tensor.number` stands for.
  package func value(_ part: Tensor) -> Double {
    guard let value = self[part].scalarConstant else {
      internalError("a rule asks for the value of \(part), which is no number")
    }
    return value
  }

  func bound(_ part: Tensor) -> Tensor? { bindings.first { $0.part == part }?.tensor }

  /// With one more part; nil where that part already stands for another tensor.
  fileprivate func binding(_ part: Tensor, to tensor: Tensor) -> Match? {
    if let other = bound(part) { return other == tensor ? self : nil }
    var result = self
    result.bindings.append((part, tensor))
    return result
  }
}

extension Pattern {
  /// The first answer of `accept` to a way in which the pattern fits `subject`. Operands of
  /// commutative operations are tried in both orders.
  func firstMatch<Answer>(_ subject: Tensor, _ accept: (Match) -> Answer?) -> Answer? {
    guard accepts(subject), acceptsOperands(of: subject) else { return nil }
    return Self.search([(self, subject)], Match(root: subject), accept)
  }

  /// Whether each operand on its own may fit: almost all attempts end here, before anything is
  /// allocated.
  private func acceptsOperands(of subject: Tensor) -> Bool {
    let tensors = subject.node.operands
    let last = operands.count - 1
    if operands.indices.allSatisfy({ operands[$0].accepts(tensors[$0]) }) { return true }
    return isCommutative && operands.indices.allSatisfy { operands[$0].accepts(tensors[last - $0]) }
  }

  /// Recurses once for each node of the pattern, which is small.
  private static func search<Answer>(
    _ pending: [(Pattern, Tensor)], _ match: Match, _ accept: (Match) -> Answer?
  ) -> Answer? {
    var pending = pending
    guard let (pattern, subject) = pending.popLast() else { return accept(match) }
    guard pattern.accepts(subject), let next = pattern.bound(subject, in: match) else {
      return nil
    }
    let (parts, operands) = (pattern.operands, subject.node.operands)
    // The first operand is matched first.
    let straight = pending + zip(parts, operands).reversed()
    if let answer = search(straight, next, accept) { return answer }
    guard pattern.isCommutative else { return nil }
    return search(pending + zip(parts, operands.reversed()).reversed(), next, accept)
  }

  /// Values are compared, not bound: `1` may stand for several tensors in one match.
  private func bound(_ subject: Tensor, in match: Match) -> Match? {
    if case .value = kind { return match }
    return match.binding(tensor, to: subject)
  }
}
