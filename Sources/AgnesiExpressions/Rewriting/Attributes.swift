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

  /// What a broadcast repeats, where that is one element for each place along `axis`: a bias, a scale.
  /// Nil for other tensors.
  package func repeatedVector(along axis: Int) -> Tensor? {
    guard isBroadcast, shape.indices.contains(axis) else { return nil }
    let source = node.operands[0]
    var expected = Shape(repeating: 1, count: rank)
    expected[axis] = shape[axis]
    let aligned = Shape(repeating: 1, count: rank - source.rank) + source.shape
    return aligned == expected ? source : nil
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

extension Node {
  /// The function of a sum, difference or product of elements; nil for other nodes.
  package var arithmetic: BinaryFunction? {
    switch operation {
    case is Add: .add
    case is Subtract: .subtract
    case is Multiply: .multiply
    default: nil
    }
  }
}
