// How a graph becomes another one: the one walk that passes, specialisation and export share.

/// What stands in the place of tensors of a graph: a tensor without an entry stands for itself.
package struct Replacements {
  private var pairs: [Tensor: Tensor]

  package init(_ pairs: [Tensor: Tensor] = [:]) { self.pairs = pairs }

  package subscript(tensor: Tensor) -> Tensor { pairs[tensor] ?? tensor }

  /// What stands for the operands of a node, in order.
  package func operands(of node: Node) -> [Tensor] { node.operands.map { self[$0] } }

  fileprivate mutating func set(_ old: [Tensor], to new: [Tensor]) {
    for (old, new) in zip(old, new) where old != new { pairs[old] = new }
  }
}

extension Sequence<Tensor> {
  /// Calls `body` with each node that these tensors are made of, operands first. What it builds is
  /// shown in errors and profiles at the place where the user wrote the node.
  ///
  /// - Parameter boundary: tensors behind whose nodes the walk does not go.
  package func visitNodes(
    stoppingAt boundary: Set<Tensor> = [], _ body: (Node) throws -> Void
  ) rethrows {
    for node in topologicalNodes(stoppingAt: boundary) {
      try SourceLocation.$inherited.withValue(node.location) { try body(node) }
    }
  }

  /// These tensors, built again node by node, operands first. Nodes of which nothing changes are
  /// shared, not copied.
  ///
  /// - Parameters:
  ///   - known: tensors that others stand for from the beginning; the walk does not go behind them.
  ///   - results: what stands for the results of a node, given what stands for the tensors before it;
  ///     nil for the same operation on what stands for its operands.
  /// - Complexity: linear in the nodes, beside what `results` does.
  package func rebuilt(
    from known: [Tensor: Tensor] = [:],
    _ results: (_ node: Node, _ replacements: Replacements) throws -> [Tensor]?
  ) rethrows -> [Tensor] {
    var replacements = Replacements(known)
    try visitNodes(stoppingAt: Set(known.keys)) { node in
      let new =
        try results(node, replacements) ?? node.applied(to: replacements.operands(of: node))
      replacements.set(node.results, to: new)
    }
    return map { replacements[$0] }
  }
}

extension Node {
  /// The results of the same operation on other operands; its own where they are the same.
  package func applied(to operands: [Tensor]) -> [Tensor] {
    operands == self.operands ? results : Tensor.make(operation, operands)
  }
}
