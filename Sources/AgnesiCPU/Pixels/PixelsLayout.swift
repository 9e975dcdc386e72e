import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops

/// Makes convolutions of few samples and few channels, with what follows them, kernels of our own
/// (``PixelsConvolution``): a pass between the compiler's and lowering, graph to graph.
///
/// Only where no gradient looks back. The result is right for all sizes.
package enum PixelsLayout {
  /// - Parameter sizes: those that the code should be quick with.
  package static func laidOut(
    _ roots: [Tensor], expecting sizes: [String: Int]
  ) -> [Tensor] {
    let chains = ConvolutionChains(roots) { isWorthwhile($0, sizes) }
    let isForward = chains.parts.values.allSatisfy { part in
      switch part {
      case .inside: true
      case .forward(let chain): chain.argmax == nil
      default: false
      }
    }
    guard !chains.isEmpty, isForward else { return roots }
    return roots.rebuilt { node, new in
      switch chains.parts[node] {
      case nil: nil
      case .forward(let chain): [form(of: chain, new)] + node.results.dropFirst()
      // Computed with the last node of its chain.
      default: node.results
      }
    }
  }

  // MARK: When it pays

  /// More samples fill lanes of their own, or a library's matrices.
  private static let mostSamples = 7

  /// Libraries do well from here on.
  private static let mostChannels = 64

  /// Shorter rows leave lanes empty.
  private static let fewestColumns = 4

  /// An image should stay in a processor's own cache.
  private static let mostElements = 1 << 16

  /// Longer rows fill the stack.
  private static let mostColumns = 512

  /// Whether a convolution is quicker on images as they are than in a library, which brings images
  /// and kernels into another order and fills channels up to vectors.
  private static func isWorthwhile(
    _ convolution: ConvolutionChains.Convolution, _ sizes: [String: Int]
  ) -> Bool {
    guard convolution.kind == .forward, convolution.geometry.stride[1] == 1 else { return false }
    let counts = [convolution.channels, convolution.filters]
    return convolution.samples.evaluated(sizes) ?? .max <= mostSamples
      && counts.allSatisfy { $0 < mostChannels } && counts.contains { $0 % 16 != 0 }
      && convolution.largestImage <= mostElements
      && (fewestColumns...mostColumns).contains(convolution.columns)
  }

  private static func form(of chain: ConvolutionChains.Chain, _ new: Replacements) -> Tensor {
    let geometry = chain.geometry
    let epilogue = ConvolutionEpilogue(
      bias: chain.bias != nil, relu: chain.hasRectifier, pool: chain.pool)
    var source = new[chain.source]
    if geometry.hasPadding {
      let widths = zip(geometry.padBegin, geometry.padEnd).map { (before: $0, after: $1) }
      source = source.padded([(before: 0, after: 0), (before: 0, after: 0)] + widths)
    }
    var operands = [source, new[chain.kernels]]
    if let bias = chain.bias { operands.append(new[bias].reshaped([chain.kernels.shape[0]])) }
    let operation = PixelsConvolution(geometry: geometry.onPadded, epilogue: epilogue)
    return Tensor.make(operation, operands)[0]
  }
}
