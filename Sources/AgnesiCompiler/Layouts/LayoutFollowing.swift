import AgnesiExpressions
import AgnesiLoops

/// Which nodes can work in a layout that their operands are in.
struct LayoutFollowing {
  let reorders: any LayoutReorders

  /// A node in a layout.
  struct Form {
    var operation: any Operation
    /// Of the results.
    var layouts: [Layout]
    /// Whether elements of a last block that is not full would count.
    var readsBeyond = false
  }

  /// How a node works where all its operands are in `layout`; nil where it cannot.
  func form(of node: Node, in layout: Layout) -> Form? {
    guard node.failure == nil, !node.operands.isEmpty else { return nil }
    if node.results.count == 1, node.results[0].isElementwise {
      return keeps(node.results[0], in: layout)
        ? Form(operation: node.operation, layouts: [layout]) : nil
    }
    guard let operation = node.operation as? any FollowsLayout,
      let form = operation.laidOut(layout, node.operands.map(\.type)),
      zip(node.results, form.results).allSatisfy({ keeps($0, in: $1) })
    else { return nil }
    let isWhole = node.operands.allSatisfy { layout.divides($0.shape) }
    // Features are flattened for a matrix product, which wants them in order.
    let isFlattening = node.results[0].isReshape && node.results[0].rank < layout.rank
    if isFlattening, !isWhole { return nil }
    if isWhole || form.results.allSatisfy({ !$0.isPlain }) {
      return Form(operation: form.operation, layouts: form.results)
    }
    // Zeros do not count in a sum.
    guard node.results.count == 1, node.results[0].reduction?.combiner == .sum else { return nil }
    return Form(operation: form.operation, layouts: form.results, readsBeyond: true)
  }

  /// Whether a tensor that is in row-major order, or in another layout, may go into this one.
  func canBring(_ tensor: Tensor, into layout: Layout) -> Bool {
    tensor.rank == layout.rank && (tensor.isBroadcast || reorders.keeps(tensor.type, in: layout))
  }

  /// Whether a result of what works in `layout` is at once brought into row-major order: vectors are views
  /// of their blocks, and what follows is simpler in order.
  func isInOrder(_ result: Tensor, in layout: Layout) -> Bool {
    result.rank < 3 && layout.divides(result.shape)
  }

  /// Whether a result may be computed in a layout: it is brought out of it where somebody wants that.
  private func keeps(_ tensor: Tensor, in layout: Layout) -> Bool {
    layout.divides(tensor.shape) || reorders.keeps(tensor.type, in: layout)
  }
}
