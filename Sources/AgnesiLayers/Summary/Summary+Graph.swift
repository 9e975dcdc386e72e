import AgnesiExpressions

extension Summary {
  /// The layers of any graph: of a model file, of a network from elsewhere, or of layers that were
  /// called one by one.
  ///
  /// An operation with parameters, a pool, a joining of tensors or a normalisation is a layer; what
  /// follows it element by element belongs to it. Layers are named as their parameters begin, and stand
  /// in groups by the parts of these names; those without parameters stand in the group of their
  /// neighbours. A layer that was called twice is two layers with parameters of their own; one whose
  /// parameters are used again says whose they are.
  public init(inputs: [Tensor], outputs: [Tensor]) {
    if let failure = outputs.lazy.compactMap(\.failure).first {
      self.init(SummaryWalk(inputs), inputs: inputs, outputs: outputs, failure: failure)
      return
    }
    var finder = LayerFinder(inputs)
    finder.find(in: outputs.expandingNetworks())
    var walk = SummaryWalk(inputs)
    for (path, layer) in zip(finder.paths, finder.layers) {
      walk.add(
        path: path, details: layer.details, nodes: layer.nodes, output: layer.output)
    }
    self.init(walk, inputs: inputs, outputs: outputs)
  }
}

extension [Tensor] {
  /// With the bodies of composites that hold layers, as functions of files do.
  fileprivate func expandingNetworks() -> [Tensor] {
    var outputs = self
    func isNetwork(_ node: Node) -> Bool {
      guard let composite = node.operation as? Composite else { return false }
      return composite.body.outputs.topologicalNodes().contains { inner in
        inner.operation is any CountsWork || inner.operation is ParameterLeaf
          || inner.operation.label == "batchNormalized" || isNetwork(inner)
      }
    }
    while let node = outputs.topologicalNodes().first(where: isNetwork),
      let composite = node.operation as? Composite
    {
      let results = composite.body.applied(to: node.operands)
      outputs = outputs.replacing(
        Dictionary(zip(node.results, results), uniquingKeysWith: { first, _ in first }))
    }
    return outputs
  }
}

/// Finds the layers of a graph.
private struct LayerFinder {
  private(set) var layers: [FoundLayer] = []
  /// Which layer a tensor belongs to; -1 before the first.
  private var owners: [Tensor: Int] = [:]
  /// What is done to the inputs before the next layer, such as the scaling of pixels.
  private var preparation: [Node] = []

  init(_ inputs: [Tensor]) {
    for input in inputs { owners[input] = -1 }
  }

  mutating func find(in outputs: [Tensor]) {
    for node in outputs.topologicalNodes() where !node.operands.isEmpty {
      let before = node.operands.compactMap { owners[$0] }
      guard let latest = before.max() else { continue }
      // What does not depend on the inputs, such as kernels in another shape, belongs to its user.
      let others = node.operands.filter { owners[$0] == nil }
      let leaves = others.topologicalNodes()
      let place: Int
      if FoundLayer.isLayer(node, dependent: node.operands.filter { owners[$0] != nil }) {
        layers.append(FoundLayer(node, preparation + leaves))
        preparation = []
        place = layers.count - 1
      } else if latest >= 0,
        layers[latest].takes(leaves.flatMap(\.parameters))
          || layers[latest].takesBias(node, of: leaves.flatMap(\.parameters))
      {
        layers[latest].follow(node, leaves, joins: Set(before).count > 1)
        place = latest
      } else if leaves.contains(where: { !$0.parameters.isEmpty }) {
        layers.append(FoundLayer(node, preparation + leaves))
        preparation = []
        place = layers.count - 1
      } else {
        if latest < 0 { preparation += leaves + [node] }
        place = latest
      }
      for result in node.results { owners[result] = place }
    }
  }

  /// The layers' names in parts: of those without parameters, their kind and number in the group that
  /// their neighbours have in common.
  var paths: [[String]] {
    let named = layers.map(\.parameterPath)
    var numbers: [[String]: LayerNumbers] = [:]
    var taken: [[String]: Int] = [:]
    return layers.indices.map { index in
      if let path = named[index] {
        let uses = taken[path, default: 0] + 1
        taken[path] = uses
        return uses == 1 ? path : path.dropLast() + ["\(path.last ?? "") (\(uses))"]
      }
      let before = named[..<index].last { $0 != nil }.flatMap { $0 } ?? []
      let behind = named[index...].first { $0 != nil }.flatMap { $0 } ?? []
      let group = zip(before.dropLast(), behind.dropLast()).prefix { $0 == $1 }.map(\.0)
      return group + [numbers[group, default: LayerNumbers()].next(layers[index].kind)]
    }
  }
}
