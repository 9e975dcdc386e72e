import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops

/// Puts small convolutional networks into *lanes of samples*: a pass between the compiler's and
/// lowering, graph to graph.
///
/// A tensor in lanes is an ordinary one of another shape, so whatever is elementwise stays an ordinary
/// node, and only convolutions, pooling behind them and the borders to plain tensors become
/// operations of their own (``LanesOperation``). The result is right for all sizes.
package struct LanesArrangement {
  private let target: LanesTarget
  private let chains: LanesChains
  /// What stands in place of each tensor of the old graph.
  private var forms: [Tensor: Form] = [:]

  private struct Form {
    var plain: Tensor?
    var lanes: Tensor?
    /// Whether it is computed in lanes.
    var isNative: Bool
    /// Slopes before pooling, as long as nobody but a convolution's gradients wants them.
    var pooled: Pooled?
  }

  private struct Pooled {
    var slopes: Tensor
    var codes: Tensor
    var operation: LanesUnpool
  }

  /// - Parameter sizes: those that the code should be quick with.
  package static func arranged(
    _ program: GraphProgram, expecting sizes: [String: Int], target: LanesTarget = .host
  ) -> GraphProgram {
    let roots = program.roots
    let chains = LanesChains(roots) { isWorthwhile($0, sizes, target) }
    guard !chains.isEmpty else { return program }
    var arrangement = LanesArrangement(target: target, chains: chains)
    let results = arrangement.run(roots)
    var arranged = program
    arranged.outputs = Array(results.prefix(program.outputs.count))
    for (index, value) in results.dropFirst(program.outputs.count).enumerated() {
      arranged.updates[index].value = value
    }
    return arranged
  }

  private init(target: LanesTarget, chains: LanesChains) {
    (self.target, self.chains) = (target, chains)
  }

  // MARK: When it pays

  /// Fewer samples leave most lanes empty.
  private static let fewestSamples = 8

  /// Libraries do well from here on.
  private static let mostChannels = 64

  /// A block of samples should stay in a processor's own cache.
  private static let mostBytes = 1 << 20

  /// Whether a convolution is quicker in lanes than in a library, whose layouts fill channels up to
  /// vectors: few and uneven channels, small images, and enough samples.
  private static func isWorthwhile(
    _ convolution: LanesChains.Convolution, _ sizes: [String: Int], _ target: LanesTarget
  ) -> Bool {
    let counts = [convolution.channels, convolution.filters]
    let bytes = convolution.largestImage * target.lanes * 4
    return convolution.samples.evaluated(sizes) ?? 0 >= fewestSamples
      && counts.allSatisfy { $0 < mostChannels } && counts.contains { $0 % 16 != 0 }
      && bytes <= mostBytes
  }

  // MARK: The walk

  private mutating func run(_ roots: [Tensor]) -> [Tensor] {
    for node in roots.topologicalNodes() {
      Site.$inherited.withValue(node.site) { visit(node) }
    }
    return roots.map { plain($0) }
  }

  private mutating func visit(_ node: Node) {
    if let part = chains.parts[node] {
      visit(node, part)
    } else if node.results.allSatisfy({ forms[$0] != nil }) {
      // Made with another node already.
      return
    } else if let results = elementwise(node) ?? sum(node) {
      for (old, new) in zip(node.results, results) { set(old, new) }
    } else {
      let operands = node.operands.map { plain($0) }
      let isSame = operands == node.operands
      let results = isSame ? node.results : Tensor.make(node.operation, operands)
      for (old, new) in zip(node.results, results) { set(old, new) }
    }
  }

  private mutating func visit(_ node: Node, _ part: LanesChains.Part) {
    switch part {
    case .inside: break
    case .forward(let chain): forward(chain)
    case .unpool(let unpool):
      let operation = LanesUnpool(
        pool: unpool.pool, size: unpool.size, samples: node.types[0].shape[0])
      let pooled = Pooled(
        slopes: inLanes(unpool.slopes), codes: inLanes(unpool.places), operation: operation)
      forms[node.results[0]] = Form(isNative: true, pooled: pooled)
    case .toInput(let geometry): toInput(node, geometry)
    case .toKernels(let geometry):
      if forms[node.results[0]] == nil { toKernels(node, geometry) }
    case .biasSum(let of, let geometry):
      if forms[of.operands[0]] != nil, forms[of.results[0]] == nil { toKernels(of, geometry) }
      if forms[node.results[0]] == nil { set(node.results[0], plainSum(node)) }
    }
  }

  private mutating func forward(_ chain: LanesChains.Chain) {
    let epilogue = LanesEpilogue(
      bias: chain.bias != nil, relu: chain.hasRectifier, pool: chain.pool,
      codes: chain.places != nil)
    var operands = [inLanes(chain.source), plain(chain.kernels)]
    if let bias = chain.bias { operands.append(plain(bias).reshaped([chain.kernels.shape[0]])) }
    let operation = LanesConvolution(geometry: chain.geometry, epilogue: epilogue)
    let results = Tensor.make(operation, operands)
    set(chain.result, results[0])
    if let places = chain.places { set(places, results[1]) }
  }

  private mutating func toInput(_ node: Node, _ geometry: ConvolutionGeometry) {
    let (slopes, kernels) = (node.operands[0], plain(node.operands[1]))
    var operation = LanesToInput(geometry: geometry, size: Array(node.types[0].plane.dropFirst()))
    let shape = LanesShape(
      geometry, source: node.types[0].plane, kernels: kernels.shape.map { $0.known ?? 0 })
    if let pooled = forms[slopes]?.pooled,
      shape.paysBehind(pool: pooled.operation.pool, target: target)
    {
      operation.pool = pooled.operation.pool
      let operands = [pooled.slopes, pooled.codes, kernels]
      set(node.results[0], Tensor.make(operation, operands)[0])
    } else {
      set(node.results[0], Tensor.make(operation, [inLanes(slopes), kernels])[0])
    }
  }

  /// The slopes of kernels and, where somebody wants those of the bias too, of that.
  private mutating func toKernels(_ node: Node, _ geometry: ConvolutionGeometry) {
    let sum = chains.biasSums[node]
    let kernels = node.types[0].shape.map { $0.known ?? 0 }
    var operation = LanesToKernels(
      geometry: geometry, size: Array(kernels.suffix(2)), bias: sum != nil)
    let source = inLanes(node.operands[0])
    let shape = LanesShape(geometry, source: source.type.plane, kernels: kernels)
    let results: [Tensor]
    if let pooled = forms[node.operands[1]]?.pooled,
      shape.paysBehind(pool: pooled.operation.pool, target: target)
    {
      operation.pool = pooled.operation.pool
      operation.samples = pooled.operation.samples
      results = Tensor.make(operation, [source, pooled.slopes, pooled.codes])
    } else {
      results = Tensor.make(operation, [source, zeroBeyond(node.operands[1])])
    }
    set(node.results[0], results[0])
    if let sum { set(sum, results[1]) }
  }

  private mutating func plainSum(_ node: Node) -> Tensor {
    sum(node)?[0] ?? Tensor.make(node.operation, node.operands.map { plain($0) })[0]
  }

  // MARK: Forms

  private mutating func set(_ old: Tensor, _ new: Tensor) {
    let isNative = new.rank == 5 && new.rank != old.rank
    forms[old] = Form(
      plain: isNative ? nil : new, lanes: isNative ? new : nil, isNative: isNative)
  }

  private mutating func plain(_ tensor: Tensor) -> Tensor {
    guard let form = forms[tensor] else { internalError("\(tensor) is used before it is arranged") }
    if let plain = form.plain { return plain }
    let converted = inLanes(tensor).cast(to: .float32)
    let unpacked = Tensor(LanesUnpack(samples: tensor.shape[0]), converted)
    let plain = unpacked.cast(to: tensor.dtype)
    forms[tensor]?.plain = plain
    return plain
  }

  private mutating func inLanes(_ tensor: Tensor) -> Tensor {
    guard let form = forms[tensor] else { internalError("\(tensor) is used before it is arranged") }
    if let lanes = form.lanes { return lanes }
    let result: Tensor
    if let pooled = form.pooled {
      result = Tensor(pooled.operation, pooled.slopes, pooled.codes)
    } else {
      let packed = Tensor(LanesPack(lanes: target.lanes), plain(tensor).cast(to: .float32))
      result = packed.cast(to: tensor.dtype)
    }
    forms[tensor]?.lanes = result
    return result
  }

  private func isNative(_ tensor: Tensor) -> Bool { forms[tensor]?.isNative ?? false }

  /// The tensor in lanes, with zeros in those beyond the last sample.
  private mutating func zeroBeyond(_ tensor: Tensor) -> Tensor {
    let slopes = inLanes(tensor)
    if slopes.node.operation is LanesUnpool { return slopes }
    let first =
      Tensor.index([slopes.shape[0], 1, 1, 1, Size(target.lanes)], axis: 0) * target.lanes
    let sample = first + Tensor.index(first.shape, axis: 4)
    let isUsed = sample .< Tensor.integer(tensor.shape[0])
    return select(isUsed.broadcast(to: slopes.shape), slopes, .zeros(like: slopes))
  }

  // MARK: Ordinary nodes

  /// What is converted exactly on its way into lanes and out of them.
  private static func isExact(_ dtype: DType) -> Bool { dtype == .float32 || dtype == .bool }

  /// An elementwise node on operands of which one is in lanes; nil for others.
  private mutating func elementwise(_ node: Node) -> [Tensor]? {
    guard let first = node.operands.first(where: { isNative($0) }), node.results.count == 1,
      node.results[0].isElementwise,
      (node.operands + node.results).allSatisfy({ Self.isExact($0.dtype) || $0.isBroadcast }),
      Self.isExact(node.types[0].dtype)
    else { return nil }
    let shape = inLanes(first).shape
    let operands = node.operands.map { spread($0, shape) ?? inLanes($0) }
    return Tensor.make(node.operation, operands)
  }

  /// A broadcast that repeats along samples, repeated in lanes; nil for what is none.
  private mutating func spread(_ tensor: Tensor, _ shape: Shape) -> Tensor? {
    guard tensor.isBroadcast, !isNative(tensor) else { return nil }
    let source = tensor.node.operands[0]
    let aligned = Shape(repeating: 1, count: 4 - source.rank) + source.shape
    guard aligned[0].isOne else { return nil }
    return plain(source).reshaped(aligned + [1]).broadcast(to: shape)
  }

  /// A sum over samples (and perhaps more) of what is in lanes; nil for other nodes.
  private mutating func sum(_ node: Node) -> [Tensor]? {
    guard let (combiner, axes) = node.results.first?.reduction, combiner == .sum,
      axes.contains(0), isNative(node.operands[0]), node.operands[0].dtype == .float32
    else { return nil }
    return [zeroBeyond(node.operands[0]).sum(axes: axes + [4])]
  }
}
