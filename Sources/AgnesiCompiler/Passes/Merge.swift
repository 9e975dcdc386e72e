import AgnesiExpressions

/// Makes equal operations on equal operands one node (common subexpressions, equal constants).
///
/// Inputs are equal only to themselves and parameters to the same storage. Two random draws are two
/// values, whatever their names, and so are composites that hold a draw, unless they are the same
/// use. Where nodes merge, the first one stays, with its source location.
///
/// - Complexity: linear in the nodes.
package func merge(_ outputs: [Tensor]) -> [Tensor] {
  var merged: [MergeKey: [Tensor]] = [:]
  return outputs.rebuilt { node, new in
    guard node.isRepeatable else { return nil }
    let operands = new.operands(of: node)
    let key = MergeKey(node, operands)
    if let first = merged[key] { return first }
    let results = node.applied(to: operands)
    merged[key] = results
    return results
  }
}

private struct MergeKey: Hashable {
  let operation: AnyHashable
  let operands: [Tensor]
  let types: [TensorType]

  /// The order of two exchangeable operands does not matter.
  init(_ node: Node, _ operands: [Tensor]) {
    operation = node.operation.erased
    types = node.types
    let isSwapped =
      operands.count == 2 && node.operation.isCommutative
      && operands[0].order > operands[1].order
    self.operands = isSwapped ? operands.reversed() : operands
  }
}

extension Operation {
  fileprivate var erased: AnyHashable { AnyHashable(self) }
}

extension Tensor {
  fileprivate var order: (Int, Int) { (node.serial, result) }
}

extension Node {
  /// Whether an equal operation on the same operands gives the same value. Draws know themselves
  /// apart; a composite of ours compares by name, so what it holds has to be looked at.
  package var isRepeatable: Bool {
    guard let composite = operation as? Composite, !composite.isUnique else { return true }
    return !composite.holdsRandomDraw
  }
}

extension Composite {
  /// Composites are small, and so is their nesting.
  fileprivate var holdsRandomDraw: Bool {
    body.outputs.topologicalNodes().contains { node in
      node.operation.isRandom || (node.operation as? Composite)?.holdsRandomDraw == true
    }
  }
}
