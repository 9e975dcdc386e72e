import AgnesiLoops

/// What a graph computes, as a value: equal forms are equal functions of their inputs.
///
/// Nodes are named by their places in topological order, inputs by their places in the list. Operations
/// compare as merging compares them: constants by their bits, parameters by their storage, random draws
/// only with themselves, nested composites by their own forms.
package struct GraphForm: Hashable, Sendable {
  private let nodes: [NodeForm]
  private let outputs: [Reference]

  private struct Reference: Hashable, Sendable {
    let node: Int
    let result: Int
  }

  private enum NodeForm: Hashable, Sendable {
    case input(Int, TensorType)
    case operation(OperationIdentity, operands: [Reference], types: [TensorType])
  }

  private struct OperationIdentity: Hashable, Sendable {
    let operation: any Operation

    static func == (a: OperationIdentity, b: OperationIdentity) -> Bool {
      a.operation.isEqual(to: b.operation)
    }

    func hash(into hasher: inout Hasher) { operation.hash(into: &hasher) }
  }

  /// - Complexity: linear in the nodes, those of nested composites included.
  package init(_ graph: Graph) {
    var inputs: [Node: Int] = [:]
    for (place, input) in graph.inputs.enumerated() { inputs[input.node] = place }
    var places: [Node: Int] = [:]
    func reference(_ tensor: Tensor) -> Reference {
      Reference(node: places[tensor.node] ?? -1, result: tensor.result)
    }
    var nodes: [NodeForm] = []
    for node in graph.outputs.topologicalNodes() {
      if let place = inputs[node] {
        nodes.append(.input(place, node.types[0]))
      } else {
        nodes.append(
          .operation(
            OperationIdentity(operation: node.operation), operands: node.operands.map(reference),
            types: node.types))
      }
      places[node] = nodes.count - 1
    }
    self.nodes = nodes
    outputs = graph.outputs.map(reference)
  }
}
