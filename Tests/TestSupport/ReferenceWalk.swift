import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

/// A graph run by what each operation says that it means, and nothing else: no passes, no executor.
package struct ReferenceWalk {
  /// Sizes by name.
  package var sizes: [String: Int] = [:]
  package var callNumber = 0
  private var values: [Tensor: NDArray] = [:]
  private var done: Set<Node> = []

  package init(
    _ inputs: [Tensor: NDArray] = [:], sizes: [String: Int] = [:], callNumber: Int = 0
  ) {
    values = inputs
    done = Set(inputs.keys.map(\.node))
    self.sizes = sizes
    self.callNumber = callNumber
  }

  /// The values of `outputs`; what they share with earlier calls is not computed again.
  ///
  /// - Throws: the error of a failed output, and what a reference throws.
  package mutating func values(of outputs: [Tensor]) throws -> [NDArray] {
    if let failure = outputs.lazy.compactMap(\.failure).first { throw failure }
    for node in outputs.topologicalNodes() where !done.contains(node) {
      let results = try results(of: node)
      for (tensor, value) in zip(node.results, results) { values[tensor] = value }
      done.insert(node)
    }
    return try outputs.map { try value($0) }
  }

  /// The values of a node's operands, which are computed already.
  package func operands(of node: Node) throws -> [NDArray] { try node.operands.map(value) }

  private func value(_ tensor: Tensor) throws -> NDArray {
    guard let value = values[tensor] else { throw Unfit("\(tensor) has no value") }
    return value
  }

  /// The operation and the types of a node, with numbers for the names of sizes.
  package func known(_ node: Node) -> (operation: any Operation, types: [TensorType]) {
    let replacements = sizes.mapValues { Size($0) }
    return (
      node.operation.substituting(replacements), node.types.map { $0.substituting(replacements) }
    )
  }

  private func results(of node: Node) throws -> [NDArray] {
    if node.operation is CallNumber { return [NDArray(scalar: Int64(callNumber))] }
    let operands = try node.operands.map(value)
    let (operation, types) = known(node)
    if let composite = operation as? Composite {
      let pairs = zip(composite.body.inputs, operands).map { ($0, $1) }
      var inner = ReferenceWalk(
        Dictionary(pairs, uniquingKeysWith: { first, _ in first }), sizes: sizes,
        callNumber: callNumber)
      return try inner.values(of: composite.body.outputs)
    }
    guard !(operation is Input) else { throw Unfit("no value for \(node.results[0])") }
    let results = try operation.reference(operands, types: types)
    let got = results.map { "\($0.dtype)\($0.shape)" }
    let said = types.map { "\($0.dtype)\($0.knownShape ?? [-1])" }
    guard got == said else {
      throw Unfit("\(operation.label): the type rule says \(said), the reference gives \(got)")
    }
    return results
  }
}

/// The values of `outputs` by the references of their operations.
package func referenceValues(
  _ outputs: [Tensor], _ inputs: [Tensor: NDArray] = [:], sizes: [String: Int] = [:],
  callNumber: Int = 0
) throws -> [NDArray] {
  var walk = ReferenceWalk(inputs, sizes: sizes, callNumber: callNumber)
  return try walk.values(of: outputs)
}

/// What a test found, as text.
package struct Unfit: Error, CustomStringConvertible {
  package let description: String
  package init(_ description: String) { self.description = description }
}
