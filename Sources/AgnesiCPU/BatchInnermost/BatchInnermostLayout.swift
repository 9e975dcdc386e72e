import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops

/// Puts small convolutional networks into the *batch-innermost* layout: a pass between the
/// compiler's and lowering, graph to graph.
///
/// A batch-innermost tensor is an ordinary one of another shape, so whatever is elementwise stays
/// an ordinary node, and only convolutions, pooling behind them and the borders to plain tensors
/// become operations of their own (``BatchInnermostOperation``). The result is right for all sizes.
package struct BatchInnermostLayout {
  private let target: LanesTarget
  private let chains: ConvolutionChains
  private var forms: LayoutForms
  /// Gradients before pooling, as long as nobody but the adjoints of a convolution wants them.
  private var pooled: [Tensor: Pooled] = [:]

  private struct Pooled {
    var gradients: Tensor
    var argmax: Tensor
    var operation: BatchInnermostUnpool
  }

  /// The program with the convolutions in this layout that `layouts` gives to it.
  package static func laidOut(
    _ roots: [Tensor], _ layouts: LayoutAssignment, target: LanesTarget = .host
  ) -> [Tensor] {
    let chains = ConvolutionChains(roots) { layouts.takes($0, .batchInnermost) }
    guard !chains.isEmpty else { return roots }
    var layout = BatchInnermostLayout(target: target, chains: chains)
    return layout.run(roots)
  }

  private init(target: LanesTarget, chains: ConvolutionChains) {
    (self.target, self.chains) = (target, chains)
    forms = LayoutForms(reorders: BatchInnermostReorders(lanes: target.lanes))
  }

  // MARK: The walk

  private mutating func run(_ roots: [Tensor]) -> [Tensor] {
    roots.visitNodes { visit($0) }
    return roots.map { plain($0) }
  }

  private mutating func visit(_ node: Node) {
    if let part = chains.parts[node] {
      visit(node, part)
    } else if node.results.contains(where: { forms.computed($0) == nil }) {
      // Others were made with another node already.
      for operand in node.operands { unpool(operand) }
      forms.follow(node)
    }
  }

  private mutating func visit(_ node: Node, _ part: ConvolutionChains.Part) {
    switch part {
    case .inside: break
    case .forward(let chain): forward(chain)
    case .unpool(let unpool):
      let operation = BatchInnermostUnpool(
        pool: unpool.pool, size: unpool.size, samples: node.types[0].shape[0])
      pooled[node.results[0]] = Pooled(
        gradients: batchInnermost(unpool.gradients), argmax: batchInnermost(unpool.argmax),
        operation: operation)
    case .backwardData(let geometry): backwardData(node, geometry)
    case .backwardWeights(let geometry):
      if forms.computed(node.results[0]) == nil { backwardWeights(node, geometry) }
    case .biasSum(let of, let geometry):
      if forms.computed(of.operands[0]) != nil, forms.computed(of.results[0]) == nil {
        backwardWeights(of, geometry)
      }
      if forms.computed(node.results[0]) == nil {
        for operand in node.operands { unpool(operand) }
        forms.follow(node)
      }
    }
  }

  private mutating func forward(_ chain: ConvolutionChains.Chain) {
    let epilogue = ConvolutionEpilogue(
      bias: chain.bias != nil, relu: chain.hasRectifier, pool: chain.pool,
      argmax: chain.argmax != nil)
    var operands = [batchInnermost(chain.source), plain(chain.kernels)]
    if let bias = chain.bias { operands.append(plain(bias).reshaped([chain.kernels.shape[0]])) }
    let operation = BatchInnermostConvolution(geometry: chain.geometry, epilogue: epilogue)
    let results = Tensor.make(operation, operands)
    setInLanes(chain.result, results[0])
    if let argmax = chain.argmax { setInLanes(argmax, results[1]) }
  }

  private mutating func backwardData(_ node: Node, _ geometry: ConvolutionGeometry) {
    let (gradients, kernels) = (node.operands[0], plain(node.operands[1]))
    var operation = BatchInnermostBackwardData(
      geometry: geometry, size: Array(node.types[0].plane.dropFirst()))
    let shape = BatchInnermostShape(
      geometry, source: node.types[0].plane, kernels: kernels.shape.map { $0.known ?? 0 })
    if let pooled = pooled[gradients],
      shape.paysBehind(pool: pooled.operation.pool, target: target)
    {
      operation.pool = pooled.operation.pool
      let operands = [pooled.gradients, pooled.argmax, kernels]
      setInLanes(node.results[0], Tensor.make(operation, operands)[0])
    } else {
      setInLanes(node.results[0], Tensor.make(operation, [batchInnermost(gradients), kernels])[0])
    }
  }

  /// The gradients of kernels and, where somebody wants those of the bias too, of that.
  private mutating func backwardWeights(_ node: Node, _ geometry: ConvolutionGeometry) {
    let sum = chains.biasSums[node]
    let kernels = node.types[0].shape.map { $0.known ?? 0 }
    var operation = BatchInnermostBackwardWeights(
      geometry: geometry, size: Array(kernels.suffix(2)), bias: sum != nil)
    let source = batchInnermost(node.operands[0])
    let shape = BatchInnermostShape(geometry, source: source.type.plane, kernels: kernels)
    let results: [Tensor]
    if let pooled = pooled[node.operands[1]],
      shape.paysBehind(pool: pooled.operation.pool, target: target)
    {
      operation.pool = pooled.operation.pool
      operation.samples = pooled.operation.samples
      results = Tensor.make(operation, [source, pooled.gradients, pooled.argmax])
    } else {
      results = Tensor.make(operation, [source, zeroBeyond(node.operands[1])])
    }
    forms.set(node.results[0], results[0])
    if let sum { forms.set(sum, results[1]) }
  }

  // MARK: Forms

  private func layout(of tensor: Tensor) -> Layout {
    .blocked(axis: 0, by: target.lanes, rank: tensor.rank)
  }

  private mutating func setInLanes(_ tensor: Tensor, _ value: Tensor) {
    forms.set(tensor, value, in: layout(of: tensor))
  }

  private mutating func plain(_ tensor: Tensor) -> Tensor {
    unpool(tensor)
    return forms.plain(tensor)
  }

  private mutating func batchInnermost(_ tensor: Tensor) -> Tensor {
    unpool(tensor)
    return forms.form(tensor, in: layout(of: tensor))
  }

  /// Gradients before pooling that somebody wants after all.
  private mutating func unpool(_ tensor: Tensor) {
    guard let pooled = pooled[tensor], forms.computed(tensor) == nil else { return }
    setInLanes(tensor, Tensor(pooled.operation, pooled.gradients, pooled.argmax))
  }

  /// The tensor with the batch innermost, and zeros in the lanes beyond the last sample.
  private mutating func zeroBeyond(_ tensor: Tensor) -> Tensor {
    BatchInnermostReorders(lanes: target.lanes).zeroBeyond(
      batchInnermost(tensor), in: layout(of: tensor), of: tensor.type)
  }
}

/// How tensors come into lanes of samples and out of them.
struct BatchInnermostReorders: LayoutReorders {
  let lanes: Int

  func packed(_ plain: Tensor, in layout: Layout) -> Tensor {
    if plain.dtype.size == 4 { return Tensor(BatchInnermostPack(lanes: lanes), plain) }
    return Tensor(BatchInnermostPack(lanes: lanes), plain.cast(to: .float32)).cast(to: plain.dtype)
  }

  func unpacked(_ laidOut: Tensor, from layout: Layout, to plain: TensorType) -> Tensor {
    let operation = BatchInnermostUnpack(samples: plain.shape[0])
    if plain.dtype.size == 4, plain.dtype == laidOut.dtype { return Tensor(operation, laidOut) }
    // Also argmax of maxima, which are bytes in lanes.
    return Tensor(operation, laidOut.cast(to: .float32)).cast(to: plain.dtype)
  }

  /// Four bytes are moved as they are, and a bool is a float32 on its way.
  func keeps(_ plain: TensorType, in layout: Layout) -> Bool {
    guard let (axis, width) = layout.block, axis == 0, width == lanes, plain.rank >= 2 else {
      return false
    }
    return (plain.dtype.size == 4 || plain.dtype == .bool)
      && plain.shape.dropFirst().allSatisfy { $0.known != nil }
  }

  func zeroBeyond(_ laidOut: Tensor, in layout: Layout, of plain: TensorType) -> Tensor {
    // It knows the samples itself.
    if laidOut.node.operation is BatchInnermostUnpool { return laidOut }
    let last = laidOut.rank - 1
    var shape = Shape(repeating: 1, count: laidOut.rank)
    (shape[0], shape[last]) = (laidOut.shape[0], Size(lanes))
    let sample = Tensor.index(shape, axis: 0) * lanes + Tensor.index(shape, axis: last)
    let isUsed = sample .< Tensor.integer(plain.shape[0])
    return select(isUsed.broadcast(to: laidOut.shape), laidOut, .zeros(like: laidOut))
  }
}
