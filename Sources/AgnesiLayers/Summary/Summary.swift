import AgnesiArrays
import AgnesiExpressions

/// What a network is made of, layer by layer, found without running anything.
public struct Summary: Sendable {
  /// In the order of computation, up to the first mistake.
  public let rows: [Row]
  /// The mistake at which the list ends.
  public let failure: GraphError?
  /// What the network keeps in memory for one sample, in bytes.
  public let memory: Memory
  /// What it is a summary of.
  package let inputs: [Tensor]
  package let outputs: [Tensor]

  /// One layer.
  public struct Row: Hashable, Sendable {
    /// The layer's name, as its parameters begin: `convolution1`, `stage1_block2.conv1`.
    public let layer: String
    /// The groups that it stands in, the largest first, and its own name there: the parts of ``layer``.
    public let path: [String]
    /// What it does: `20 of 5×5, relu`.
    public let details: String
    /// The shape of a sample behind the layer.
    public let outputShape: Shape
    /// Values that training changes; a parameter that is shared counts where it comes first.
    public let parameterCount: Int
    /// Values that are kept beside them, such as running averages.
    public let statisticCount: Int
    /// The layer before it that uses the same parameters; nil where all are its own.
    public let sharedWith: String?
    /// Multiplications with an addition, for one sample; nil where a size is unknown.
    public let multiplyAdds: Size?
    /// What part of the network's input each element sees; nil where there are no images, or where
    /// an operation takes elements in an order of its own.
    public let field: ReceptiveField?

    /// The larger side of ``field``, in pixels.
    public var receptiveField: Int? { field.map { max($0.height, $0.width) } }
  }

  /// Bytes, by what is known before anything runs; nil where a size is unknown. The compiler's own
  /// plans may need less (results that are computed in the place of others) or more (other layouts).
  public struct Memory: Hashable, Sendable {
    /// All parameters and statistics.
    public let parameters: Int
    /// The layers' outputs for one sample, which training keeps until the gradient has passed.
    public let training: Int?
    /// The largest sum of what is still needed, for one sample, where nothing is kept.
    public let inference: Int?
  }

  init(
    _ walk: SummaryWalk, inputs: [Tensor], outputs: [Tensor], failure: GraphError? = nil
  ) {
    (self.inputs, self.outputs) = (inputs, outputs)
    rows = walk.rows
    memory = walk.memory
    self.failure = failure
  }

  /// The layers of a chain.
  ///
  /// - Parameter input: the shape of one sample: `[1, 28, 28]`.
  public init(_ chain: Chain, input: Shape) {
    let image = Tensor.input("input", [.batch] + input)
    var walk = SummaryWalk([image])
    let outputs = chain.outputs(image)
    var numbers = LayerNumbers()
    var last = image
    for (layer, output) in zip(chain.layers, outputs) {
      let name = layer.name ?? numbers.next(type(of: layer).kind)
      if output.failure != nil { break }
      let nodes = [output].topologicalNodes(stoppingAt: [last])
      walk.add(path: [name], details: layer.details, nodes: nodes, output: output)
      last = output
    }
    self.init(
      walk, inputs: [image], outputs: [outputs.last ?? image],
      failure: outputs.lazy.compactMap(\.failure).first)
  }

  /// The sum of the layers' values that training changes.
  public var parameterCount: Int { rows.reduce(0) { $0.saturatingSum($1.parameterCount) } }
  /// The sum of the layers' other values.
  public var statisticCount: Int { rows.reduce(0) { $0.saturatingSum($1.statisticCount) } }

  /// The work for one sample; nil where a layer's is unknown.
  public var multiplyAdds: Size? { rows.multiplyAdds }
}

extension Sequence<Summary.Row> {
  var multiplyAdds: Size? {
    reduce(Size(0)) { sum, row in
      sum.flatMap { sum in row.multiplyAdds.map { sum + $0 } }
    }
  }
}
