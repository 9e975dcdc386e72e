import AgnesiExpressions

/// Pooling before ReLU in the place of ReLU before pooling: a quarter of the work, and the image between the two
/// is never written.
///
///     maxPool(rectify(x))                                →  rectify(maxPool(x))
///     rectifyGradient(y, maxPoolBackward(gradient, argmax))  →  maxPoolBackward(rectifyGradient(…,
///     gradient), argmax)
///
/// A maximum and ReLU commute, NaN included. The gradient of a window goes to its first largest element if that
/// is positive; then it is the same element with and without ReLU, and otherwise the gradient is 0. Only where
/// nobody else asks for the argmax of the windows, so that no maximum is computed twice.
package func poolingBeforeReLU(_ roots: [Tensor]) -> [Tensor] {
  let exchange = PoolingExchange(roots)
  guard !exchange.poolings.isEmpty else { return roots }
  return roots.rebuilt { node, new in
    if let x = exchange.rectifiedOperand(of: node) {
      let pooled = Tensor.make(node.operation, [new[x]])
      return [Tensor(Rectify(), pooled[0]), pooled[1]]
    }
    guard let (unpool, values, argmax) = exchange.gates[node] else { return nil }
    let gradient = Tensor(RectifyGradient(), new[argmax.node.results[0]], new[values])
    return Tensor.make(unpool.operation, [gradient, new[argmax]])
  }
}

/// The poolings of a graph that change places with ReLU.
private struct PoolingExchange {
  /// ReLU's gradients behind the way back through pooling, by node.
  private(set) var gates: [Node: (unpool: Node, values: Tensor, argmax: Tensor)] = [:]
  private(set) var poolings: Set<Node> = []

  init(_ roots: [Tensor]) {
    let nodes = roots.topologicalNodes()
    var readers: [Tensor: [Node]] = [:]
    for node in nodes {
      for operand in Set(node.operands) { readers[operand, default: []].append(node) }
    }
    let wanted = Set(roots)
    for node in nodes {
      guard node.pooling?.isMaximum == true, node.operands[0].node.operation is Rectify,
        !wanted.contains(node.results[1])
      else { continue }
      let backwards = (readers[node.results[1]] ?? []).map { unpool -> (Node, Node)? in
        guard unpool.unpooling?.argmax == node.results[1], !wanted.contains(unpool.results[0]),
          let gates = readers[unpool.results[0]], gates.count == 1,
          gates[0].operation is RectifyGradient, gates[0].operands[0] == node.operands[0],
          gates[0].operands[1] == unpool.results[0]
        else { return nil }
        return (unpool, gates[0])
      }
      guard backwards.allSatisfy({ $0 != nil }) else { continue }
      poolings.insert(node)
      for case .some((let unpool, let gate)) in backwards {
        gates[gate] = (unpool, unpool.operands[0], node.results[1])
      }
    }
  }

  /// What ReLU is taken of before a pooling that changes places with it.
  func rectifiedOperand(of node: Node) -> Tensor? {
    poolings.contains(node) ? node.operands[0].node.operands[0] : nil
  }
}
