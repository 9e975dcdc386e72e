import AgnesiExpressions

/// Puts the bodies of composites in their places, nested ones too, but for those that a backend
/// takes whole.
///
/// - Parameter kept: the names of composites that stay.
/// - Complexity: linear in the nodes of the result, for each level of nesting.
package func expandComposites(_ outputs: [Tensor], keeping kept: Set<String> = []) -> [Tensor] {
  var outputs = outputs
  func isExpanded(_ node: Node) -> Bool {
    node.operation is Composite && !kept.contains(node.operation.label)
  }
  while outputs.topologicalNodes().contains(where: isExpanded) {
    outputs = expandingOneLevel(outputs, isExpanded)
  }
  return outputs
}

private func expandingOneLevel(
  _ outputs: [Tensor], _ isExpanded: (Node) -> Bool
) -> [Tensor] {
  outputs.rebuilt { node, new in
    guard isExpanded(node), let composite = node.operation as? Composite else { return nil }
    let results = composite.body.applied(to: new.operands(of: node))
    return zip(node.results, results).map { $1.resized(like: $0) }
  }
}

extension Tensor {
  /// A body built for `[batch]` may give `[4]` once its operands are known better.
  fileprivate func resized(like other: Tensor) -> Tensor {
    type == other.type ? self : broadcast(to: other.shape)
  }
}
