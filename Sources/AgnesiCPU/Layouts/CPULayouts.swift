import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops

/// The layouts in which the CPU computes convolutions, by the names that dumps print.
package enum CPULayout: String, CaseIterable, Sendable {
  /// As tensors are, by the library.
  case rowMajor = "row-major"
  /// Channels in blocks as wide as a vector, by the library.
  case channelBlocked = "channel-blocked"
  /// Samples in the lanes of vectors, by kernels of our own.
  case batchInnermost = "batch-innermost"
  /// As tensors are, with neighbouring pixels in vectors, by kernels of our own.
  case rowVectors = "row vectors"
}

/// The layouts that the CPU offers for the convolutions of a program, and what they cost
/// (``ConvolutionCycles``).
package struct CPULayouts: LayoutCosts {
  private let target: LanesTarget
  private let blocks: ChannelBlocks?
  private let sizes: [String: Int]
  private let isStrict: Bool
  /// Row vectors have no way back.
  private let hasGradients: Bool

  /// - Parameters:
  ///   - roots: the program that candidates are for.
  ///   - sizes: those that the code should be quick with.
  ///   - isStrict: whether all convolutions are done directly.
  package init(
    for roots: [Tensor], expecting sizes: [String: Int], target: LanesTarget = .host,
    blocks: ChannelBlocks? = .host, isStrict: Bool = false
  ) {
    (self.target, self.blocks, self.sizes, self.isStrict) = (target, blocks, sizes, isStrict)
    hasGradients = roots.topologicalNodes().contains {
      $0.unpooling != nil || $0.convolution?.kind == .backwardWeights
    }
  }

  package var reorders: any LayoutReorders { CPUReorders(lanes: target.lanes) }

  package func candidates(for node: Node) -> [LayoutCandidate] {
    guard let convolution = node.convolution, node.types[0].dtype == .float32,
      let cycles = ConvolutionCycles(convolution, sizes: sizes, target: target)
    else { return [] }
    let plain = node.operands.map { _ in nil as Layout? }
    var result = [
      candidate(.rowMajor, operands: plain, result: nil, cycles.rowMajor)
    ]
    if let blocked = blocks?.convolution(node) {
      let rank = convolution.image.rank
      let (image, output) = (
        blocked.blocksImage ? blocked.blocks.layout(rank: rank) : nil,
        blocked.blocksOutput ? blocked.blocks.layout(rank: rank) : nil
      )
      let (operands, made): ([Layout?], Layout?) =
        switch blocked.kind {
        case .forward: ([image, nil], output)
        case .backwardData: ([output, nil], image)
        case .backwardWeights: ([image, output], nil)
        }
      var best = cycles.channelBlocked(blocked)
      if !isStrict, let polyphase = PolyphaseConvolution(blocked, node), polyphase.pays(sizes) {
        best *= PolyphaseConvolution.saving
      }
      result.append(candidate(.channelBlocked, operands: operands, result: made, best))
    }
    if let own = ConvolutionChains.convolution(node) {
      let inner = Layout.blocked(axis: 0, by: target.lanes, rank: 4)
      let operands: [Layout?] = own.kind == .backwardWeights ? [inner, inner] : [inner, nil]
      result.append(
        candidate(
          .batchInnermost, operands: operands, result: own.kind == .backwardWeights ? nil : inner,
          cycles.batchInnermost))
      if let pixels = cycles.rowVectors, own.kind == .forward, !hasGradients {
        result.append(candidate(.rowVectors, operands: plain, result: nil, pixels))
      }
    }
    return result
  }

  private func candidate(
    _ layout: CPULayout, operands: [Layout?], result: Layout?, _ cycles: Double
  ) -> LayoutCandidate {
    LayoutCandidate(layout.rawValue, operands: operands, results: [result], cycles: cycles)
  }

  package func reorder(_ tensor: Tensor, _ layout: Layout) -> Double {
    let elements = layout.shape(of: tensor.shape).reduce(1) {
      $0 * Double($1.evaluated(sizes) ?? SizeRegime.unknown)
    }
    return ConvolutionCycles.reorder(elements)
  }
}

/// How tensors come into the CPU's layouts and out of them.
struct CPUReorders: LayoutReorders {
  let lanes: Int

  private func reorders(_ layout: Layout) -> any LayoutReorders {
    if layout.block?.axis == 0 { return BatchInnermostReorders(lanes: lanes) }
    return ViewReorders()
  }

  func packed(_ plain: Tensor, in layout: Layout) -> Tensor {
    reorders(layout).packed(plain, in: layout)
  }
  func unpacked(_ laidOut: Tensor, from layout: Layout, to plain: TensorType) -> Tensor {
    reorders(layout).unpacked(laidOut, from: layout, to: plain)
  }
  func zeroBeyond(_ laidOut: Tensor, in layout: Layout, of plain: TensorType) -> Tensor {
    reorders(layout).zeroBeyond(laidOut, in: layout, of: plain)
  }
  func keeps(_ plain: TensorType, in layout: Layout) -> Bool {
    reorders(layout).keeps(plain, in: layout)
  }
}

extension LayoutAssignment {
  /// Whether a node is to be computed in a layout.
  func takes(_ node: Node, _ layout: CPULayout) -> Bool { self.layout(of: node) == layout.rawValue }
}
