import AgnesiArrays
import AgnesiExpressions

/// Computes what depends on constants only.
///
/// Results of more than `limit` elements stay formulas, which are cheaper than memory; so do
/// broadcasts. An elementwise function of numbers that were broadcast is computed once and
/// broadcast afterwards. Values are those of the reference, NaN and infinity included.
///
/// - Complexity: linear in the nodes.
package func foldConstants(_ outputs: [Tensor], limit: Int = 4096) -> [Tensor] {
  outputs.rebuilt { node, new in
    let current = node.applied(to: new.operands(of: node))
    return current.first?.node.folded(limit: limit) ?? current
  }
}

extension Node {
  /// Constants in the place of the results, or nil.
  fileprivate func folded(limit: Int) -> [Tensor]? {
    guard failure == nil, !operands.isEmpty, !operation.isRandom, !(operation is Composite) else {
      return nil
    }
    if let numbers = foldedNumbers() { return numbers }
    guard !results[0].isBroadcast else { return nil }
    let constants = operands.compactMap(\.constant)
    guard constants.count == operands.count else { return nil }
    let shapes = types.compactMap(\.knownShape)
    guard shapes.count == types.count,
      shapes.allSatisfy({ $0.product <= limit })
    else { return nil }
    return computed(constants, types: types)
  }

  /// Of an elementwise function of broadcast numbers.
  private func foldedNumbers() -> [Tensor]? {
    let numbers = operands.compactMap { operand in
      operand.scalarConstant.map { NDArray(filled: $0, shape: [], operand.dtype) }
    }
    guard numbers.count == operands.count, results[0].isElementwise else { return nil }
    let scalarTypes = types.map { TensorType($0.dtype, []) }
    return computed(numbers, types: scalarTypes).map { values in
      zip(values, types).map { $0.broadcast(to: $1.shape) }
    }
  }

  private func computed(_ operands: [NDArray], types: [TensorType]) -> [Tensor]? {
    // What an operation refuses (an index out of range) is refused when the program runs.
    guard let values = try? operation.reference(operands, types: types) else { return nil }
    return values.map { Tensor.constant($0) }
  }
}
