import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops

/// Rewrites a program so that images between convolutions of many channels lie in channel blocks.
///
/// One walk. Convolutions whose channels fill blocks take and give blocks; whatever works on their
/// results element by element, over whole images or in windows goes on in blocks; at the borders
/// (inputs, flattened features, results) stand views that put the elements back in order.
package struct BlockArrangement {
  private let blocks: ChannelBlocks
  /// What stands for a tensor of the program, in order or in blocks. A tensor has the form that it
  /// was computed in, and the other one from when it is asked for.
  private var plain: [Tensor: Tensor] = [:]
  private var blocked: [Tensor: Tensor] = [:]
  /// Tensors that were computed in blocks.
  private var natives: Set<Tensor> = []
  private var users: [Tensor: Int] = [:]
  /// Values at points that were asked for, which several passes read.
  private var values: [TileTransform: [Tensor: Tensor]] = [:]
  private let expectedSizes: [String: Int]
  private let isStrict: Bool

  /// The program in blocks, or as it is where no convolution gains.
  ///
  /// - Parameters:
  ///   - sizes: what the choice of algorithms expects; they are right for all.
  ///   - isStrict: whether all convolutions are done directly.
  package static func arranged(
    _ program: GraphProgram, expecting sizes: [String: Int] = [:], isStrict: Bool = false
  ) -> GraphProgram {
    guard let blocks = ChannelBlocks.host else { return program }
    let roots = program.roots
    guard roots.topologicalNodes().contains(where: { blocks.take($0) }) else { return program }
    let pooled = Rewriter(PoolingRules.all).rewrite(roots)
    var arrangement = BlockArrangement(blocks: blocks, expectedSizes: sizes, isStrict: isStrict)
    var result = program
    let arranged = arrangement.arranged(pooled)
    result.outputs = Array(arranged.prefix(program.outputs.count))
    let values = arranged.dropFirst(program.outputs.count)
    for (index, value) in values.enumerated() { result.updates[index].value = value }
    return result
  }

  private init(blocks: ChannelBlocks, expectedSizes: [String: Int], isStrict: Bool) {
    (self.blocks, self.expectedSizes, self.isStrict) = (blocks, expectedSizes, isStrict)
  }

  private mutating func arranged(_ roots: [Tensor]) -> [Tensor] {
    let nodes = roots.topologicalNodes()
    for node in nodes { for operand in node.operands { users[operand, default: 0] += 1 } }
    for root in roots { users[root, default: 0] += 1 }
    for node in nodes { Site.$inherited.withValue(node.site) { visit(node) } }
    return roots.map { plainForm($0) }
  }

  private mutating func visit(_ node: Node) {
    if let convolution = blocks.convolution(node) {
      let polyphase = PolyphaseConvolution(convolution, node)
      if !isStrict, let polyphase, polyphase.pays(expectedSizes) {
        visitByPoints(convolution.kind, node)
      } else {
        visit(convolution, node)
      }
    } else if let bias = addedBias(node) {
      visit(bias, node)
    } else if node.operands.contains(where: { natives.contains($0) }), visitInBlocks(node) {
      return
    } else {
      visitPlainly(node)
    }
  }

  private mutating func visitPlainly(_ node: Node) {
    let operands = node.operands.map { plainForm($0) }
    let results =
      operands == node.operands ? node.results : Tensor.make(node.operation, operands)
    for (old, new) in zip(node.results, results) { plain[old] = new }
  }

  private mutating func setBlocked(_ tensor: Tensor, _ value: Tensor) {
    blocked[tensor] = value
    natives.insert(tensor)
  }

  // MARK: Forms

  private mutating func plainForm(_ tensor: Tensor) -> Tensor {
    if let known = plain[tensor] { return known }
    guard let packed = blocked[tensor] else {
      internalError("\(tensor) used before it is arranged")
    }
    let result = Site.$inherited.withValue(tensor.node.site) { blocks.unpacked(packed) }
    plain[tensor] = result
    return result
  }

  private mutating func blockedForm(_ tensor: Tensor) -> Tensor {
    if let known = blocked[tensor] { return known }
    let result = Site.$inherited.withValue(tensor.node.site) {
      tensor.isBroadcast ? blockedBroadcast(tensor) : blocks.packed(plainForm(tensor))
    }
    blocked[tensor] = result
    return result
  }

  /// What is repeated over an image is repeated over its blocks, without being written out before.
  private mutating func blockedBroadcast(_ tensor: Tensor) -> Tensor {
    let source = plainForm(tensor.node.operands[0])
    let target = blocks.packed(tensor.shape)
    let missing = Shape(repeating: 1, count: tensor.rank - source.rank)
    let aligned = source.reshaped(missing + source.shape)
    if aligned.shape[1].isOne {
      return aligned.reshaped(aligned.shape + [1]).broadcast(to: target)
    }
    return blocks.packed(aligned).broadcast(to: target)
  }

  // MARK: Convolutions

  private mutating func visit(_ convolution: BlockedConvolution, _ node: Node) {
    let (first, second) = (node.operands[0], node.operands[1])
    func form(_ tensor: Tensor, _ isBlocked: Bool) -> Tensor {
      isBlocked ? blockedForm(tensor) : plainForm(tensor)
    }
    let result = node.results[0]
    switch convolution.kind {
    case .forward:
      let operands = [form(first, convolution.blocksImage), plainForm(second)]
      set(result, Tensor.make(convolution, operands)[0], convolution.blocksOutput)
    case .toInput:
      let operands = [form(first, convolution.blocksOutput), plainForm(second)]
      set(result, Tensor.make(convolution, operands)[0], convolution.blocksImage)
    case .toKernels:
      let operands = [form(first, convolution.blocksImage), form(second, convolution.blocksOutput)]
      let own = DepthwiseToKernels(
        convolution, channels: first.shape[1], filters: second.shape[1])
      plain[result] =
        own.map { Tensor.make($0, operands)[0] } ?? Tensor.make(convolution, operands)[0]
    }
  }

  /// A convolution by ``PolyphaseConvolution``.
  private mutating func visitByPoints(_ kind: BlockedConvolution.Kind, _ node: Node) {
    let (first, second, result) = (node.operands[0], node.operands[1], node.results[0])
    switch kind {
    case .forward:
      let products = matmul(values(.image, first), values(.kernels, second))
      setBlocked(result, fromPoints(.result, result, products))
    case .toInput:
      let kernels = values(.kernels, second, isTransposed: true)
      setBlocked(result, fromPoints(.image, result, matmul(values(.result, first), kernels)))
    case .toKernels:
      let image = values(.image, first).matrixTransposed()
      plain[result] = fromPoints(.kernels, result, matmul(image, values(.result, second)))
    }
  }

  /// The values of a tensor at points.
  private mutating func values(
    _ form: TileTransform.Form, _ tensor: Tensor, isTransposed: Bool = false
  ) -> Tensor {
    let transform = TileTransform(
      form: form, direction: .toPoints, blocks: blocks, shape: tensor.shape,
      isTransposed: isTransposed)
    if let known = values[transform]?[tensor] { return known }
    let operand = form == .kernels ? plainForm(tensor) : blockedForm(tensor)
    let result = Tensor.make(transform, [operand])[0]
    values[transform, default: [:]][tensor] = result
    return result
  }

  /// What stands for `tensor`, from the values that its transform gives.
  private func fromPoints(
    _ form: TileTransform.Form, _ tensor: Tensor, _ values: Tensor
  ) -> Tensor {
    let transform = TileTransform(
      form: form, direction: .fromPoints, blocks: blocks, shape: tensor.shape)
    return Tensor.make(transform, [values])[0]
  }

  private mutating func set(_ tensor: Tensor, _ value: Tensor, _ isBlocked: Bool) {
    if isBlocked { setBlocked(tensor, value) } else { plain[tensor] = value }
  }

  /// An addition of one number for each channel to a convolution that nobody else reads.
  private struct AddedBias {
    var convolution: BlockedConvolution
    var operands: [Tensor]
    var bias: Tensor
  }

  private mutating func addedBias(_ node: Node) -> AddedBias? {
    guard node.operation.label == "add" else { return nil }
    for (sum, other) in [(0, 1), (1, 0)] {
      let (tensor, repeated) = (node.operands[sum], node.operands[other])
      guard users[tensor] == 1, repeated.isBroadcast,
        let image = blocked[tensor] ?? plain[tensor],
        var convolution = image.node.operation as? BlockedConvolution,
        convolution.kind == .forward, !convolution.hasBias
      else { continue }
      let source = repeated.node.operands[0]
      let missing = Shape(repeating: 1, count: repeated.rank - source.rank)
      let filters = tensor.shape[1]
      var expected = Shape(repeating: 1, count: tensor.rank)
      expected[1] = filters
      guard missing + source.shape == expected else { continue }
      convolution.hasBias = true
      let bias = plainForm(source).reshaped([filters])
      return AddedBias(convolution: convolution, operands: image.node.operands, bias: bias)
    }
    return nil
  }

  private mutating func visit(_ added: AddedBias, _ node: Node) {
    let result = Tensor.make(added.convolution, added.operands + [added.bias])[0]
    set(node.results[0], result, added.convolution.blocksOutput)
  }

  // MARK: What goes on in blocks

  /// Whether the node was brought into blocks.
  private mutating func visitInBlocks(_ node: Node) -> Bool {
    let result = node.results[0]
    if result.isElementwise, blocks.divides(result.shape) {
      let operands = node.operands.map { blockedForm($0) }
      setBlocked(result, Tensor.make(node.operation, operands)[0])
      return true
    }
    if let (combiner, axes) = result.reduction {
      return visitReduction(node, combiner, axes)
    }
    guard let pooling = pooling(node) else { return false }
    let operands = node.operands.map { blockedForm($0) }
    for (old, new) in zip(node.results, Tensor.make(pooling, operands)) { setBlocked(old, new) }
    return true
  }

  /// Pooling over images is pooling over blocks with windows of one lane.
  private func pooling(_ node: Node) -> (any Operation)? {
    func isOverImage(_ geometry: PoolingGeometry) -> Bool {
      geometry.axisCount == node.operands[0].rank - 2
    }
    let width = Size(blocks.width)
    switch node.operation {
    case let it as MaxPool where isOverImage(it.geometry):
      return MaxPool(geometry: it.geometry.withLanes)
    case let it as MaxPoolToInput where isOverImage(it.geometry):
      return MaxPoolToInput(geometry: it.geometry.withLanes, size: it.size + [width])
    case let it as SumPool where isOverImage(it.geometry):
      return SumPool(geometry: it.geometry.withLanes)
    case let it as SumPoolToInput where isOverImage(it.geometry):
      return SumPoolToInput(geometry: it.geometry.withLanes, size: it.size + [width])
    default: return nil
    }
  }

  private mutating func visitReduction(
    _ node: Node, _ combiner: Combiner, _ axes: [Int]
  ) -> Bool {
    let operand = node.operands[0]
    guard let image = blocked[operand] else { return false }
    let last = operand.rank
    let folded = axes + (axes.contains(1) ? [last] : [])
    let sum = image.folded(combiner, axes: folded)
    if axes.contains(1) {
      plain[node.results[0]] = sum
      return true
    }
    // The lanes go back to their block, which is axis 1 or, without samples, 0.
    let block = axes.contains(0) ? 0 : 1
    let lanes = sum.rank - 1
    let order = Array(0...block) + [lanes] + Array((block + 1)..<Swift.max(lanes, block + 1))
    plain[node.results[0]] = sum.transposed(order).reshaped(node.results[0].shape)
    return true
  }
}

extension ChannelBlocks {
  /// Whether a convolution gains from blocks.
  fileprivate func take(_ node: Node) -> Bool { convolution(node) != nil }

  /// The convolution in blocks that stands for `node`; nil for what is none or does not gain.
  fileprivate func convolution(_ node: Node) -> BlockedConvolution? {
    guard node.failure == nil, node.types.first?.dtype == .float32, node.operands.count == 2 else {
      return nil
    }
    let (first, second) = (node.operands[0].shape, node.operands[1].shape)
    let result = node.results[0].shape
    let kind: BlockedConvolution.Kind
    let geometry: ConvolutionGeometry
    let (image, output, size): (Shape, Shape, Shape)
    switch node.operation {
    case let it as ConvolutionForward:
      (kind, geometry) = (.forward, it.geometry)
      (image, output, size) = (first, result, [])
    case let it as ConvolutionToInput:
      (kind, geometry) = (.toInput, it.geometry)
      (image, output, size) = (result, first, it.size)
    case let it as ConvolutionToKernels:
      (kind, geometry) = (.toKernels, it.geometry)
      (image, output, size) = (first, second, it.size)
    default: return nil
    }
    guard let (channels, filters) = known(image[1], output[1]),
      geometry.groups == 1
        ? divides(image) || divides(output)
        : takesGroups(geometry.groups, channels: channels, filters: filters)
    else { return nil }
    return BlockedConvolution(
      kind: kind, geometry: geometry, blocks: self, blocksImage: divides(image),
      blocksOutput: divides(output), size: size)
  }
}

extension ChannelBlocks {
  private func known(_ channels: Size, _ filters: Size) -> (Int, Int)? {
    guard let channels = channels.known, let filters = filters.known else { return nil }
    return channels > 0 && filters > 0 ? (channels, filters) : nil
  }

  /// Blocks are good for groups of one channel and one filter, which then are the lanes of a vector,
  /// and for groups that fill whole blocks.
  private func takesGroups(_ groups: Int, channels: Int, filters: Int) -> Bool {
    let isDepthwise = groups == channels && groups == filters
    let unit = isDepthwise ? width : groups * width
    return channels % unit == 0 && filters % unit == 0
  }
}

extension Tensor {
  fileprivate func folded(_ combiner: Combiner, axes: [Int]) -> Tensor {
    switch combiner {
    case .sum: sum(axes: axes)
    case .product: product(axes: axes)
    case .maximum: max(axes: axes)
    case .minimum: min(axes: axes)
    case .all: all(axes: axes)
    case .any: any(axes: axes)
    }
  }
}

extension PoolingGeometry {
  /// The same windows where lanes are the last axis.
  fileprivate var withLanes: PoolingGeometry {
    PoolingGeometry(
      window: window + [1], stride: stride + [1], padBegin: padBegin + [0], padEnd: padEnd + [0],
      partialWindows: partialWindows)
  }
}
