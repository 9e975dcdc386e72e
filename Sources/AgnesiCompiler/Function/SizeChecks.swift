import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

/// Type rules that could not be decided while sizes were names; decided once for each new set of
/// sizes.
package struct SizeChecks: Sendable {
  private let nodes: [Node]

  package init(roots: [Tensor]) { nodes = roots.topologicalNodes() }

  /// Runs every type rule again with numbers.
  ///
  /// - Throws: ``GraphError`` of the first operation that does not fit, `MemoryError` of one whose
  ///   results are too large to be counted.
  package func check(_ sizes: [String: Int]) throws {
    let values = sizes.mapValues { Size($0) }
    var types: [Tensor: TensorType] = [:]
    for node in nodes {
      let operands = node.operands.map { types[$0] ?? $0.type }
      let operation = node.operation.substituting(values)
      let results: [TensorType]
      if operation is Input {
        results = node.types.map { $0.substituting(values) }
      } else {
        do {
          results = try operation.types(of: operands)
        } catch {
          let described = zip(node.operands, operands).enumerated().map { position, pair in
            let roles = operation.roles
            return GraphError.Operand(
              role: position < roles.count ? roles[position] : "operand \(position + 1)",
              name: pair.0.name, type: pair.1, location: pair.0.node.location)
          }
          throw GraphError(
            operation.label, error.message, operands: described, hint: error.hint,
            location: node.location)
        }
      }
      try Memory.check(node, types: results)
      for (result, type) in zip(node.results, results) { types[result] = type }
    }
  }
}
