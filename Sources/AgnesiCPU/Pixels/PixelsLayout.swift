import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops

/// Makes convolutions of few samples and few channels, with what follows them, kernels of our own
/// (``PixelsConvolution``): a pass between the compiler's and lowering, graph to graph.
///
/// Only where no gradient looks back. The result is right for all sizes.
package enum PixelsLayout {
  /// The program with the convolutions computed so that `layouts` says.
  package static func laidOut(_ roots: [Tensor], _ layouts: LayoutAssignment) -> [Tensor] {
    let chains = ConvolutionChains(roots) { layouts.takes($0, .rowVectors) }
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
