import AgnesiArrays
import AgnesiExpressions

/// Computes small expressions that depend on nothing: sizes, axes and indices of an imported graph.
///
/// By what each operation says that it means, as the reference backend does, so nothing is compiled.
struct ConstantEvaluator {
  /// Arrays of more elements are left to the compiled program.
  static let countLimit = 4096

  private var values: [Tensor: NDArray] = [:]

  /// The values of `tensors`; nil where one of them depends on an input, or is large.
  static func values(of tensors: [Tensor]) -> [NDArray]? {
    var evaluator = ConstantEvaluator()
    return evaluator.results(of: tensors, depth: 0)
  }

  private mutating func results(of tensors: [Tensor], depth: Int) -> [NDArray]? {
    guard depth < 16 else { return nil }
    let known = Set(values.keys)
    for node in tensors.topologicalNodes(stoppingAt: known) {
      guard node.results.contains(where: { values[$0] == nil }) else { continue }
      guard let arrays = results(of: node, depth: depth) else { return nil }
      for (tensor, array) in zip(node.results, arrays) { values[tensor] = array }
    }
    let found = tensors.compactMap { values[$0] }
    return found.count == tensors.count ? found : nil
  }

  private mutating func results(of node: Node, depth: Int) -> [NDArray]? {
    let operands = node.operands.compactMap { values[$0] }
    guard node.failure == nil, operands.count == node.operands.count,
      !node.operation.isRandom, !(node.operation is CallNumber), !(node.operation is Input),
      !(node.operation is ParameterLeaf), node.types.allSatisfy(Self.isSmall)
    else { return nil }
    guard let composite = node.operation as? Composite else {
      return try? node.operation.reference(operands, types: node.types)
    }
    let body = composite.body
    // A composite may be used twice: what its body computed before is another call's.
    var inner = ConstantEvaluator()
    for (input, array) in zip(body.inputs, operands) { inner.values[input] = array }
    return inner.results(of: body.outputs, depth: depth + 1)
  }

  private static func isSmall(_ type: TensorType) -> Bool {
    guard type.isKnown, let count = type.count.known else { return false }
    return count <= countLimit && type.shape.allSatisfy { ($0.known ?? 0) <= countLimit }
  }
}
