import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops

/// Rewrites a program so that images between convolutions of many channels lie in channel blocks.
///
/// One walk. Convolutions whose channels fill blocks take and give blocks; whatever can work on their
/// results as they are follows (``LayoutForms``); at the borders (inputs, flattened features, results)
/// stand views that put the elements back in order.
package struct ChannelBlockedLayout {
  private let blocks: ChannelBlocks
  private var forms = LayoutForms()
  private var users: [Tensor: Int] = [:]
  /// Values in the Winograd domain that were asked for, which several passes read.
  private var values: [TileTransform: [Tensor: Tensor]] = [:]
  private let layouts: LayoutAssignment
  private let expectedSizes: [String: Int]
  private let isStrict: Bool

  /// The program with the convolutions in blocks that `layouts` gives to them.
  ///
  /// - Parameters:
  ///   - sizes: what the choice of algorithms expects; they are right for all.
  ///   - isStrict: whether all convolutions are done directly.
  package static func laidOut(
    _ roots: [Tensor], _ layouts: LayoutAssignment, expecting sizes: [String: Int] = [:],
    isStrict: Bool = false
  ) -> [Tensor] {
    guard let blocks = ChannelBlocks.host else { return roots }
    guard roots.topologicalNodes().contains(where: { layouts.takes($0, .channelBlocked) }) else {
      return roots
    }
    var layout = ChannelBlockedLayout(
      blocks: blocks, layouts: layouts, expectedSizes: sizes, isStrict: isStrict)
    return layout.laidOut(roots)
  }

  private init(
    blocks: ChannelBlocks, layouts: LayoutAssignment, expectedSizes: [String: Int], isStrict: Bool
  ) {
    (self.blocks, self.layouts) = (blocks, layouts)
    (self.expectedSizes, self.isStrict) = (expectedSizes, isStrict)
  }

  private mutating func laidOut(_ roots: [Tensor]) -> [Tensor] {
    users = roots.useCounts()
    roots.visitNodes { visit($0) }
    return roots.map { forms.plain($0) }
  }

  private mutating func visit(_ node: Node) {
    if layouts.takes(node, .channelBlocked), let convolution = blocks.convolution(node) {
      let polyphase = PolyphaseConvolution(convolution, node)
      if !isStrict, let polyphase, polyphase.pays(expectedSizes) {
        visitInWinogradDomain(convolution.kind, node)
      } else {
        visit(convolution, node)
      }
    } else if let bias = addedBias(node) {
      visit(bias, node)
    } else {
      forms.follow(node)
    }
  }

  private mutating func blocked(_ tensor: Tensor) -> Tensor {
    forms.form(tensor, in: blocks.layout(rank: tensor.rank))
  }

  private mutating func setBlocked(_ tensor: Tensor, _ value: Tensor) {
    forms.set(tensor, value, in: blocks.layout(rank: tensor.rank))
  }

  // MARK: Convolutions

  private mutating func visit(_ convolution: ChannelBlockedConvolution, _ node: Node) {
    let (first, second) = (node.operands[0], node.operands[1])
    func form(_ tensor: Tensor, _ isBlocked: Bool) -> Tensor {
      isBlocked ? blocked(tensor) : forms.plain(tensor)
    }
    let result = node.results[0]
    switch convolution.kind {
    case .forward:
      let operands = [form(first, convolution.blocksImage), forms.plain(second)]
      set(result, Tensor.make(convolution, operands)[0], convolution.blocksOutput)
    case .backwardData:
      let operands = [form(first, convolution.blocksOutput), forms.plain(second)]
      set(result, Tensor.make(convolution, operands)[0], convolution.blocksImage)
    case .backwardWeights:
      let operands = [form(first, convolution.blocksImage), form(second, convolution.blocksOutput)]
      let own = DepthwiseBackwardWeights(
        convolution, channels: first.shape[1], filters: second.shape[1])
      forms.set(
        result, own.map { Tensor.make($0, operands)[0] } ?? Tensor.make(convolution, operands)[0])
    }
  }

  /// A convolution by ``PolyphaseConvolution``.
  private mutating func visitInWinogradDomain(_ kind: ConvolutionKind, _ node: Node) {
    let (first, second, result) = (node.operands[0], node.operands[1], node.results[0])
    switch kind {
    case .forward:
      let products = matmul(values(.image, first), values(.kernels, second))
      setBlocked(result, fromWinogradDomain(.result, result, products))
    case .backwardData:
      let kernels = values(.kernels, second, isTransposed: true)
      setBlocked(
        result, fromWinogradDomain(.image, result, matmul(values(.result, first), kernels)))
    case .backwardWeights:
      let image = values(.image, first).matrixTransposed()
      forms.set(
        result, fromWinogradDomain(.kernels, result, matmul(image, values(.result, second))))
    }
  }

  /// The values of a tensor in the Winograd domain.
  private mutating func values(
    _ form: TileTransform.Form, _ tensor: Tensor, isTransposed: Bool = false
  ) -> Tensor {
    let transform = TileTransform(
      form: form, direction: .toWinogradDomain, blocks: blocks, shape: tensor.shape,
      isTransposed: isTransposed)
    if let known = values[transform]?[tensor] { return known }
    let operand = form == .kernels ? forms.plain(tensor) : blocked(tensor)
    let result = Tensor.make(transform, [operand])[0]
    values[transform, default: [:]][tensor] = result
    return result
  }

  /// What stands for `tensor`, from the values that its transform gives.
  private func fromWinogradDomain(
    _ form: TileTransform.Form, _ tensor: Tensor, _ values: Tensor
  ) -> Tensor {
    let transform = TileTransform(
      form: form, direction: .fromWinogradDomain, blocks: blocks, shape: tensor.shape)
    return Tensor.make(transform, [values])[0]
  }

  private mutating func set(_ tensor: Tensor, _ value: Tensor, _ isBlocked: Bool) {
    if isBlocked { setBlocked(tensor, value) } else { forms.set(tensor, value) }
  }

  /// An addition of one number for each channel to a convolution that nobody else reads.
  private struct AddedBias {
    var convolution: ChannelBlockedConvolution
    var operands: [Tensor]
    var bias: Tensor
  }

  private mutating func addedBias(_ node: Node) -> AddedBias? {
    guard node.arithmetic == .add else { return nil }
    for (sum, other) in [(0, 1), (1, 0)] {
      let tensor = node.operands[sum]
      guard users[tensor] == 1, let source = node.operands[other].repeatedVector(along: 1),
        let image = forms.computed(tensor),
        var convolution = image.node.operation as? ChannelBlockedConvolution,
        convolution.kind == .forward, !convolution.hasBias
      else { continue }
      convolution.hasBias = true
      let bias = forms.plain(source).reshaped([tensor.shape[1]])
      return AddedBias(convolution: convolution, operands: image.node.operands, bias: bias)
    }
    return nil
  }

  private mutating func visit(_ added: AddedBias, _ node: Node) {
    let result = Tensor.make(added.convolution, added.operands + [added.bias])[0]
    set(node.results[0], result, added.convolution.blocksOutput)
  }
}

extension ChannelBlocks {
  /// The convolution in blocks that stands for `node`; nil for what is none or whose channels fill no
  /// blocks.
  func convolution(_ node: Node) -> ChannelBlockedConvolution? {
    guard let convolution = node.convolution, node.types[0].dtype == .float32 else { return nil }
    let (image, output) = (convolution.image.shape, convolution.output.shape)
    let geometry = convolution.geometry
    guard let (channels, filters) = known(image[1], output[1]),
      geometry.groups == 1
        ? divides(image) || divides(output)
        : takesGroups(geometry.groups, channels: channels, filters: filters)
    else { return nil }
    return ChannelBlockedConvolution(
      kind: convolution.kind, geometry: geometry, blocks: self, blocksImage: divides(image),
      blocksOutput: divides(output), size: convolution.size)
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
