import AgnesiLoops

/// A network over pictures of one size, as a network over pictures of any size: what it would say for
/// each window of its own size, computed once for what windows share.
///
/// Flattening and a dense layer become a convolution whose kernel is as large as the map that was
/// flattened; dense layers behind it become convolutions of single positions; global pooling becomes
/// pooling of windows that move by one position. Convolutions, pooling and what works on single
/// elements stay. Windows lie ``stride`` pixels apart, and each gives the same numbers as a picture of
/// its own would, except where that picture's own padding would have been seen.
///
/// - Source: Sermanet et al., *OverFeat*, 2014, §3.5; Long, Shelhamer & Darrell, *Fully convolutional
///   networks for semantic segmentation*, 2015, §3.1.
public struct FullyConvolutional: Sendable {
  /// The input: `[batch, channels, height, width]`, of the old one's dtype.
  public let image: Tensor
  /// In inference, for each output `[batch, …]` of the network `[batch, …, rows, columns]`.
  public let outputs: [Tensor]
  /// The picture's size that the network was made for.
  public let windowHeight: Int
  public let windowWidth: Int
  /// Pixels between neighbouring windows, down and to the right.
  public let strideDown: Int
  public let strideRight: Int

  /// - Parameters:
  ///   - network: what is made of `input`; for each picture numbers without a place in it.
  ///   - input: `[batch, channels, height, width]`.
  ///   - windowHeight: the height that the network was made for, where `input` does not say.
  ///   - windowWidth: likewise.
  ///   - height: of the new input.
  ///   - width: of the new input.
  /// - Throws: `GraphError` that names the first operation which means something else, or nothing, on
  ///   a larger picture.
  public init(
    _ network: [Tensor], of input: Tensor, windowHeight: Int? = nil, windowWidth: Int? = nil,
    height: Size = .symbol("height"), width: Size = .symbol("width")
  ) throws {
    guard input.rank == 4, input.isInput else {
      throw GraphError(
        "fullyConvolutional", "needs an input [batch, channels, height, width], got \(input.type)")
    }
    guard let windowHeight = input.shape[2].known ?? windowHeight,
      let windowWidth = input.shape[3].known ?? windowWidth
    else {
      throw GraphError(
        "fullyConvolutional", "the size that the network was made for is unknown: \(input.type)")
    }
    var sizes: [String: Size] = [:]
    for (size, number) in zip(input.shape.dropFirst(2), [windowHeight, windowWidth]) {
      if let symbol = size.symbols.first, size == .symbol(symbol) { sizes[symbol] = Size(number) }
    }
    var graph = Graph(inputs: [input], outputs: network.specialized(for: .inference))
    if !sizes.isEmpty { graph = graph.substituting(sizes) }
    let shape = [input.shape[0], input.shape[1], height, width]
    image = .input(input.name, shape, input.dtype)
    let rewriter = SlidingRewriter(graph.inputs[0], by: image)
    try rewriter.visit(graph.outputs)
    let windows = try graph.outputs.map { try rewriter.windows(of: $0) }
    outputs = windows.map(\.tensor)
    self.windowHeight = windowHeight
    self.windowWidth = windowWidth
    strideDown = windows.first?.strides[0] ?? 1
    strideRight = windows.first?.strides[1] ?? 1
    if let failure = outputs.lazy.compactMap(\.failure).first { throw failure }
  }
}

/// What stands for a tensor of the old network.
struct SlidTensor {
  enum Form: Hashable {
    /// The same axes, of which two are rows and columns of a map, now of another size.
    case map(y: Int, x: Int)
    /// The same axes, none of which is of the map, and two more behind: rows and columns of windows.
    case windows
    /// A map `[…, channels, rows, columns]` whose windows of `height` and `width` stand for what was
    /// the last axis.
    case flattened(height: Int, width: Int)
  }

  var tensor: Tensor
  var form: Form
  /// Pixels between neighbouring rows and between columns.
  var strides: [Int]

  func with(_ tensor: Tensor, _ form: Form? = nil) -> SlidTensor {
    SlidTensor(tensor: tensor, form: form ?? self.form, strides: strides)
  }

  /// The last two sizes.
  var places: Shape { Array(tensor.shape.suffix(2)) }

  /// `shape` with the new sizes of the map, whose axes are at `y` and `x`.
  func resized(_ shape: Shape, y: Int, x: Int) -> Shape {
    guard case .map(let ownY, let ownX) = form else { return shape }
    var result = shape
    result[y] = tensor.shape[ownY]
    result[x] = tensor.shape[ownX]
    return result
  }
}

/// Walks over a network and finds for each tensor that depends on the picture what stands for it.
final class SlidingRewriter {
  private(set) var mapping: [Tensor: SlidTensor] = [:]

  init(_ old: Tensor, by new: Tensor) {
    mapping[old] = SlidTensor(tensor: new, form: .map(y: 2, x: 3), strides: [1, 1])
  }

  func visit(_ outputs: [Tensor]) throws {
    try outputs.visitNodes(stoppingAt: Set(mapping.keys)) { node in
      if let failure = node.failure { throw failure }
      guard node.operands.contains(where: { mapping[$0] != nil }) else { return }
      for (old, new) in zip(node.results, try results(of: node)) {
        if let failure = new.tensor.failure { throw failure }
        mapping[old] = new
      }
    }
  }

  /// An output that belongs to a window.
  func windows(of output: Tensor) throws -> SlidTensor {
    guard let new = mapping[output] else {
      throw error(output.node, "does not depend on the picture")
    }
    switch new.form {
    case .windows: return new
    case .map(let y, let x) where isSinglePlace(output.shape, y, x) && x == output.rank - 1:
      let kept = Array(output.shape.dropLast(2))
      return new.with(new.tensor.reshaped(kept + new.places), .windows)
    default: throw error(output.node, "is a map; an output is numbers without a place in it")
    }
  }

  func isSinglePlace(_ shape: Shape, _ y: Int, _ x: Int) -> Bool {
    shape[y].isOne && shape[x].isOne && y == shape.count - 2 && x == shape.count - 1
  }

  func error(_ node: Node, _ message: String, hint: String? = nil) -> GraphError {
    let operands = node.operands.enumerated().map { position, operand in
      let roles = node.operation.roles
      return GraphError.Operand(
        role: position < roles.count ? roles[position] : "operand \(position + 1)",
        name: operand.name, type: operand.type, location: operand.node.location)
    }
    return GraphError(
      node.operation.label, "cannot slide over larger pictures: it \(message)",
      operands: operands, hint: hint, location: node.location)
  }

  // MARK: - Operations

  private func results(of node: Node) throws -> [SlidTensor] {
    if let convolution = node.convolution, convolution.kind == .forward {
      return [try convolved(convolution, node)]
    }
    if let pooling = node.pooling { return try pooled(pooling, node) }
    switch node.operation {
    case let composite as Composite: return try results(of: composite, node)
    case let reduce as Reduce: return [try reduced(reduce, node)]
    case let reshape as Reshape: return [try reshaped(reshape, node)]
    case let broadcast as Broadcast: return [try repeated(broadcast, node)]
    case let transpose as Transpose: return [try transposed(transpose, node)]
    case is MatMul: return [try multiplied(node)]
    case let concatenate as Concatenate: return [try joined(concatenate, node)]
    case let pad as Pad: return [try padded(pad, node)]
    case let slice as Slice: return [try sliced(slice, node)]
    default: return try elementwise(node)
    }
  }

  /// Opened: its body says what it means for other sizes.
  private func results(of composite: Composite, _ node: Node) throws -> [SlidTensor] {
    if composite.isBuiltIn, composite.compositeName == "averagePool",
      case .map = mapping[node.operands[0]]?.form
    {
      return [try averaged(composite, node)]
    }
    let opened = composite.body.applied(to: node.operands)
    try visit(opened)
    return try opened.map { tensor in
      guard let new = mapping[tensor] else {
        throw error(node, "has a result that does not depend on the picture")
      }
      return new
    }
  }

  /// The only operand that depends on the picture.
  func only(_ node: Node) throws -> SlidTensor {
    let changed = node.operands.compactMap { mapping[$0] }
    guard changed.count == 1 else {
      throw error(node, "has \(changed.count) operands that depend on the picture")
    }
    return changed[0]
  }

  private func elementwise(_ node: Node) throws -> [SlidTensor] {
    guard case .elementwise? = node.operation.lowering(node.operands.map(\.type), node.types) else {
      throw error(node, "is not known to mean the same there")
    }
    let operands = try fitted(node.operands, node)
    return Tensor.make(node.operation, operands.tensors).map { operands.like.with($0) }
  }

  /// All operands in the form of those that depend on the picture.
  func fitted(
    _ operands: [Tensor], _ node: Node
  ) throws -> (tensors: [Tensor], like: SlidTensor) {
    let changed = operands.compactMap { mapping[$0] }
    guard let like = changed.first,
      changed.allSatisfy({ $0.form == like.form && $0.strides == like.strides })
    else {
      throw error(node, "meets maps with what has no place, or maps of different strides")
    }
    let tensors = try operands.map { try mapping[$0]?.tensor ?? fitted($0, like: like, node) }
    return (tensors, like)
  }

  /// What is the same for all pictures, repeated over the places of `like`.
  private func fitted(_ tensor: Tensor, like: SlidTensor, _ node: Node) throws -> Tensor {
    if like.form == .windows {
      return tensor.reshaped(tensor.shape + [1, 1]).broadcast(to: tensor.shape + like.places)
    }
    if tensor.node.operation is Broadcast {
      let source = tensor.node.operands[0]
      let narrow = Shape(repeating: 1, count: tensor.rank - source.rank) + source.shape
      if case .map(let y, let x) = like.form, narrow[y].isOne, narrow[x].isOne {
        let target = like.resized(tensor.shape, y: y, x: x)
        return source.reshaped(narrow).broadcast(to: target)
      }
      if narrow.allSatisfy(\.isOne) { return source.reshaped([]).broadcast(to: like.tensor.shape) }
    } else if case .elementwise? = tensor.node.operation.lowering(
      tensor.node.operands.map(\.type), tensor.node.types)
    {
      let operands = try tensor.node.operands.map { try fitted($0, like: like, node) }
      return Tensor.make(tensor.node.operation, operands)[tensor.result]
    }
    throw error(node, "meets values that belong to places of the picture")
  }
}
