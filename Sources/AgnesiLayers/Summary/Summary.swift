import AgnesiExpressions

/// What a network is made of, layer by layer, found without running anything.
public struct Summary: Sendable {
  /// In the order of computation, up to the first mistake.
  public let rows: [Row]
  /// The mistake at which the list ends.
  public let failure: GraphError?

  /// One layer.
  public struct Row: Hashable, Sendable {
    /// The layer's name, as its parameters begin: `convolution1`.
    public let layer: String
    /// What it does: `20 of 5×5, relu`.
    public let details: String
    /// The shape of a sample behind the layer.
    public let outputShape: Shape
    /// Values that training changes; a parameter that is shared counts where it comes first.
    public let parameterCount: Int
    /// Values that are kept beside them, such as running averages.
    public let statisticCount: Int
    /// Multiplications with an addition, for one sample; nil where a size is unknown.
    public let multiplyAdds: Size?
    /// What part of the network's input each element sees; nil where there are no images, or where
    /// a layer does not say how far it sees.
    public let field: ReceptiveField?

    /// The larger side of ``field``, in pixels.
    public var receptiveField: Int? { field.map { max($0.height, $0.width) } }
  }

  /// - Parameter input: the shape of one sample: `[1, 28, 28]`.
  public init(_ chain: Chain, input: Shape) {
    let image = Tensor.input("input", [.batch] + input)
    var walk = SummaryWalk(image)
    let outputs = chain.outputs(image)
    var numbers = LayerNumbers()
    var rows: [Row] = []
    for (layer, output) in zip(chain.layers, outputs) {
      let name = layer.name ?? numbers.next(type(of: layer).kind)
      if output.failure != nil { break }
      rows.append(walk.row(name, layer, output))
    }
    self.rows = rows
    failure = outputs.lazy.compactMap(\.failure).first
  }

  /// The sum of the layers' values that training changes.
  public var parameterCount: Int { rows.reduce(0) { $0 + $1.parameterCount } }
  /// The sum of the layers' other values.
  public var statisticCount: Int { rows.reduce(0) { $0 + $1.statisticCount } }

  /// The work for one sample; nil where a layer's is unknown.
  public var multiplyAdds: Size? {
    rows.reduce(Size(0)) { sum, row in
      sum.flatMap { sum in row.multiplyAdds.map { sum + $0 } }
    }
  }
}

/// Goes through a network from layer to layer.
private struct SummaryWalk {
  private var input: Tensor
  private var seen: Set<Parameter> = []
  private var field: ReceptiveField.State

  init(_ input: Tensor) {
    self.input = input
    field = .init(input.shape)
  }

  mutating func row(_ name: String, _ layer: any Layer, _ output: Tensor) -> Summary.Row {
    let nodes = [output].topologicalNodes(stoppingAt: [input])
    let parameters = nodes.compactMap { ($0.operation as? ParameterLeaf)?.parameter }
      .filter { seen.insert($0).inserted }
    func count(_ isCounted: (Parameter) -> Bool) -> Int {
      parameters.filter(isCounted).reduce(0) { $0 + $1.shape.reduce(1, *) }
    }
    field.pass(layer)
    input = output
    let work = nodes.multiplyAdds.substituting(["batch": 1])
    return Summary.Row(
      layer: name, details: layer.details, outputShape: Array(output.shape.dropFirst()),
      parameterCount: count { $0.tags.contains(.trainable) },
      statisticCount: count { !$0.tags.contains(.trainable) },
      multiplyAdds: work, field: field.field)
  }
}

extension [Node] {
  /// The work of all operations, those inside of composites too.
  fileprivate var multiplyAdds: Size {
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
