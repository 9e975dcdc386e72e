import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

extension GraphRecord {
  /// The graph between `graph`'s inputs and outputs.
  init(_ graph: Graph) {
    nodes = []
    var positions: [Node: Int] = [:]
    func reference(_ tensor: Tensor) -> Reference {
      Reference(node: positions[tensor.node] ?? -1, result: tensor.result)
    }
    for node in (graph.inputs + graph.outputs).topologicalNodes() {
      positions[node] = nodes.count
      nodes.append(
        NodeRecord(kind: NodeRecord.kind(of: node), operands: node.operands.map(reference)))
    }
    inputs = graph.inputs.map(reference)
    outputs = graph.outputs.map(reference)
  }
}

extension NodeRecord {
  fileprivate static func kind(of node: Node) -> Kind {
    switch node.operation {
    case let input as Input: return .input(name: input.inputName, input.type)
    case let leaf as ParameterLeaf:
      let parameter = leaf.parameter
      return .parameter(
        .init(
          name: parameter.name, dtype: parameter.dtype, shape: parameter.shape,
          tags: parameter.tags))
    case is CallNumber: return .callNumber
    case let composite as Composite:
      return .composite(
        CompositeRecord(
          name: composite.compositeName, attributes: composite.attributes,
          body: GraphRecord(composite.body),
          inference: composite.inferenceBody.map { GraphRecord($0) },
          updates: composite.updates))
    default: return .operation(node.operation)
    }
  }
}

/// Builds tensors from records. Every node's types are checked as if a user had written it, so a
/// hostile file can be wrong but not harmful.
struct GraphReader {
  /// The parameters met so far, shared by the functions of a file.
  private(set) var parameters: [String: Parameter] = [:]
  private let value: (NodeRecord.ParameterRecord) throws -> NDArray
  /// The file, for messages.
  private let path: String
  private var work = FileWork()

  /// Composites inside composites, no deeper than this.
  private static let depthLimit = 32

  /// - Parameters:
  ///   - path: the file, for messages.
  ///   - value: the value that the file has for a parameter.
  init(path: String, value: @escaping (NodeRecord.ParameterRecord) throws -> NDArray) {
    self.path = path
    self.value = value
  }

  mutating func graph(_ record: GraphRecord, depth: Int = 0) throws -> Graph {
    guard depth < Self.depthLimit else {
      throw ModelFormatError("composites nested deeper than \(Self.depthLimit)")
    }
    var nodes: [[Tensor]] = []
    func tensor(_ reference: Reference) throws -> Tensor {
      guard nodes.indices.contains(reference.node),
        nodes[reference.node].indices.contains(reference.result)
      else { throw ModelFormatError("node \(nodes.count) refers to a node that is not before it") }
      return nodes[reference.node][reference.result]
    }
    for (position, node) in record.nodes.enumerated() {
      let operands = try node.operands.map(tensor)
      let location =
        depth == 0 ? SourceLocation("node \(position)", of: path) : SourceLocation.capture()
      let results = try SourceLocation.$inherited.withValue(location) {
        try self.results(of: node.kind, operands, depth)
      }
      if let failure = results.lazy.compactMap(\.failure).first {
        let text = failure.text(withLocations: false, withHint: false)
        throw ModelFormatError("node \(position) is wrong: \(text)")
      }
      try check(results.map(\.type), position)
      try addWork(of: results, position, depth)
      nodes.append(results)
    }
    let graph = Graph(
      inputs: try record.inputs.map(tensor), outputs: try record.outputs.map(tensor))
    try checkInputs(of: graph)
    return graph
  }

  private func check(_ types: [TensorType], _ position: Int) throws {
    for type in types where !type.isAllowedInFiles {
      throw ModelFormatError("node \(position) is \(type), which is no possible size")
    }
  }

  /// Bodies of composites count where these are used.
  private mutating func addWork(of results: [Tensor], _ position: Int, _ depth: Int) throws {
    guard depth == 0, let node = results.first?.node else { return }
    if node.operation is Input { work.addInput(node.types[0]) }
    if let excess = work.excess(adding: [node]) {
      throw ModelFormatError("node \(position) (\(node.operation.label)): \(excess)")
    }
  }

  private func checkInputs(of graph: Graph) throws {
    guard graph.inputs.allSatisfy({ $0.node.operation is Input }) else {
      throw ModelFormatError("what is handed to a graph is not an input")
    }
    guard Set(graph.inputs).count == graph.inputs.count else {
      throw ModelFormatError("an input of a graph is listed twice")
    }
    let leaves = graph.outputs.topologicalNodes().filter { $0.operation is Input }
    if let other = leaves.flatMap(\.results).first(where: { !graph.inputs.contains($0) }) {
      throw ModelFormatError(
        "a graph depends on input \"\(other.name)\", which is not handed to it")
    }
  }

  private mutating func results(
    of kind: NodeRecord.Kind, _ operands: [Tensor], _ depth: Int
  ) throws -> [Tensor] {
    switch kind {
    case .input(let name, let type): return [.input(name, type.shape, type.dtype)]
    case .parameter(let record): return [.parameter(try parameter(record))]
    case .callNumber: return [.callNumber]
    case .operation(let operation):
      guard operation.arity.contains(operands.count) else {
        throw ModelFormatError("\(operation.label) has \(operands.count) operands")
      }
      return Tensor.make(operation, operands)
    case .composite(let record):
      let body = try graph(record.body, depth: depth + 1)
      let inference = try record.inference.map { try graph($0, depth: depth + 1) }
      let isWhole = record.updates.allSatisfy {
        body.inputs.indices.contains($0.operand) && body.outputs.indices.contains($0.result)
      }
      let isFitting =
        inference.map { other in
          other.inputs.map(\.type) == body.inputs.map(\.type)
            && other.outputs.count == body.outputs.count
            && zip(other.outputs, body.outputs).allSatisfy { $0.type.mayEqual($1.type) }
        } ?? true
      guard isWhole, isFitting, body.inputs.count == operands.count, !body.outputs.isEmpty else {
        throw ModelFormatError("the composite \"\(record.name)\" does not fit its body")
      }
      let composite = Composite(
        name: record.name, attributes: record.attributes, body: body, inferenceBody: inference,
        updates: record.updates, gradient: nil)
      return BuiltInComposite.results(like: composite, of: operands)
        ?? Tensor.make(composite, operands)
    }
  }

  private mutating func parameter(_ record: NodeRecord.ParameterRecord) throws -> Parameter {
    if let known = parameters[record.name] {
      guard known.shape == record.shape, known.dtype == record.dtype else {
        throw ModelFormatError("parameter \"\(record.name)\" is recorded with two types")
      }
      return known
    }
    let array = try value(record)
    work.addWeights(array.count)
    let parameter = Parameter(
      name: record.name, shape: record.shape, dtype: record.dtype, tags: record.tags,
      initializer: .zeros, seed: 0)
    try parameter.assign(array)
    parameters[record.name] = parameter
    return parameter
  }
}
