import AgnesiArrays
import AgnesiExpressions

/// Goes through a network from layer to layer, and keeps what each is made of.
struct SummaryWalk {
  private(set) var rows: [Summary.Row] = []
  /// The layer that first used a parameter.
  private var owners: [Parameter: String] = [:]
  private var fields: ReceptiveFields
  private var parameterBytes = 0
  /// The sizes of the inputs, then of each layer's output, in bytes for one sample.
  private var sizes: [Size] = []
  /// The layer, from 1, that needs each of these for the last time; 0 are the inputs.
  private var lastUses: [Int] = []
  private var places: [Tensor: Int] = [:]

  init(_ inputs: [Tensor]) {
    fields = ReceptiveFields(in: inputs.first ?? .input("none", []))
    sizes = [inputs.map(Self.bytes).reduce(0, +)]
    lastUses = [0]
    for input in inputs { places[input] = 0 }
  }

  private static func bytes(_ tensor: Tensor) -> Size {
    (tensor.type.count * Size(tensor.dtype.size)).substituting(["batch": 1])
  }

  /// - Parameter nodes: of the layer, operands first; leaves among them.
  mutating func add(path: [String], details: String, nodes: [Node], output: Tensor) {
    let name = path.joined(separator: ".")
    let used = nodes.flatMap(\.parameters)
    let sharedWith = used.compactMap { owners[$0] }.first { $0 != name }
    let new = used.filter { owners.updateValue(owners[$0] ?? name, forKey: $0) == nil }
    func count(_ isCounted: (Parameter) -> Bool) -> Int {
      new.filter(isCounted).reduce(0) { $0.saturatingSum($1.count) }
    }
    for parameter in new {
      parameterBytes = parameterBytes.saturatingSum(
        parameter.count.saturatingProduct(parameter.dtype.size))
    }
    fields.add(nodes)
    let number = rows.count + 1
    for place in nodes.flatMap(\.operands).compactMap({ places[$0] }) where place < number {
      lastUses[place] = number
    }
    for result in nodes.flatMap(\.results) where places[result] == nil { places[result] = number }
    sizes.append(Self.bytes(output))
    lastUses.append(number)
    rows.append(
      Summary.Row(
        layer: name, path: path, details: details, outputShape: Array(output.shape.dropFirst()),
        parameterCount: count { $0.tags.contains(.trainable) },
        statisticCount: count { !$0.tags.contains(.trainable) }, sharedWith: sharedWith,
        multiplyAdds: nodes.multiplyAdds.substituting(["batch": 1]), field: fields[output]))
  }

  var memory: Summary.Memory {
    let known = sizes.compactMap(\.known)
    guard known.count == sizes.count else {
      return Summary.Memory(parameters: parameterBytes, training: nil, inference: nil)
    }
    let peak = known.indices.map { step in
      known.indices.filter { $0 <= step && lastUses[$0] >= step }.reduce(0) {
        $0.saturatingSum(known[$1])
      }
    }.max()
    return Summary.Memory(
      parameters: parameterBytes, training: known.reduce(0) { $0.saturatingSum($1) },
      inference: peak)
  }
}

extension Parameter {
  fileprivate var count: Int { shape.product }
}

extension Node {
  /// The parameters that this node is, or that stand inside of it.
  var parameters: [Parameter] {
    if let leaf = operation as? ParameterLeaf { return [leaf.parameter] }
    guard let composite = operation as? Composite else { return [] }
    return composite.body.outputs.topologicalNodes().flatMap(\.parameters)
  }
}

extension [Node] {
  /// The work of all operations, those inside of composites too.
  var multiplyAdds: Size {
    var sum = Size(0)
    var pending = self
    while let node = pending.popLast() {
      if let operation = node.operation as? any CountsWork {
        sum = sum + operation.multiplyAdds(of: node.operands.map(\.type))
      } else if let composite = node.operation as? Composite {
        pending += composite.body.outputs.topologicalNodes()
      }
    }
    return sum
  }
}
