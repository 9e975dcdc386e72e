import AgnesiLoops

extension Sequence<Tensor> {
  /// Checks that the graph keeps to the rules of the tensor graph: types are those that the
  /// operations give, operands are older than what is made of them, and nothing failed or stands
  /// for something else. Bodies of composites are checked too.
  ///
  /// - Throws: ``GraphError`` for the first node, operands first, that does not.
  /// - Complexity: linear in the nodes.
  package func verify() throws(GraphError) {
    var pending = topologicalNodes()
    var position = 0
    while position < pending.count {
      let node = pending[position]
      position += 1
      try node.verify()
      guard let composite = node.operation as? Composite else { continue }
      for body in [composite.body, composite.inferenceBody].compactMap({ $0 }) {
        pending += body.outputs.topologicalNodes()
      }
    }
  }
}

extension Node {
  fileprivate func verify() throws(GraphError) {
    if let failure { throw failure }
    if operation is Wildcard || operation is any PatternOperation {
      throw violation("stands for something else: it belongs into patterns only")
    }
    guard types.allSatisfy(\.isKnown) else { throw violation("has no known type") }
    for operand in operands {
      guard operand.node.serial < serial else { throw violation("is older than an operand") }
      guard operand.node.types.indices.contains(operand.result) else {
        throw violation("uses result \(operand.result) of \(operand.node.types.count)")
      }
    }
    try verifyTypes()
  }

  private func verifyTypes() throws(GraphError) {
    let recomputed: [TensorType]
    do {
      recomputed = try operation.types(of: operands.map(\.type))
    } catch {
      throw violation("does not take its operands: \(error.message)")
    }
    guard recomputed == types else {
      let (old, new) = (types.description, recomputed.description)
      throw violation("is recorded as \(old), but its operands make it \(new)")
    }
  }

  private func violation(_ message: String) -> GraphError {
    let described = operands.enumerated().map { position, operand in
      GraphError.Operand(
        role: "operand \(position)", name: operand.name, type: operand.type,
        location: operand.node.location)
    }
    return GraphError(operation.label, message, operands: described, location: location)
  }
}
