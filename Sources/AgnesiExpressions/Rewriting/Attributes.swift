import AgnesiLoops

// What rules in other modules may ask of an operation.

extension Tensor {
  package var isTranspose: Bool { transposeAxes != nil }

  /// The order of axes of a transposition.
  package var transposeAxes: [Int]? { (node.operation as? Transpose)?.axes }

  package var isBroadcast: Bool { node.operation is Broadcast }
  package var isReshape: Bool { node.operation is Reshape }
  package var isCast: Bool { node.operation is Cast }

  /// The combiner and the sorted axes of a reduction.
  package var reduction: (combiner: Combiner, axes: [Int])? {
    (node.operation as? Reduce).map { ($0.combiner, $0.axes) }
  }

  /// The composite that this is a result of.
  package var composite: Composite? { node.operation as? Composite }

  /// Whether each element is a function of the operands' elements at the same index.
  package var isElementwise: Bool {
    guard type.isKnown, failure == nil, !node.operands.isEmpty else { return false }
    let lowering = node.operation.lowering(node.operands.map(\.type), node.types)
    if case .elementwise = lowering { return true }
    return false
  }

  /// The axes of a broadcast's result along which it repeats what was one element, missing axes
  /// included; nil for what is no broadcast.
  package var repeatedAxes: [Int]? {
    guard let broadcast = node.operation as? Broadcast else { return nil }
    let source = node.operands[0].shape
    let missing = broadcast.shape.count - source.count
    return broadcast.shape.indices.filter {
      $0 < missing || (source[$0 - missing].isOne && !broadcast.shape[$0].isOne)
    }
  }
}
