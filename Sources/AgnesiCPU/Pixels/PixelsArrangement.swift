import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops

/// Makes convolutions of few samples and few channels, with what follows them, kernels of our own
/// (``PixelsConvolution``): a pass between the compiler's and lowering, graph to graph.
///
/// Only where no gradient looks back. The result is right for all sizes.
package struct PixelsArrangement {
  private let chains: LanesChains
  /// What stands in place of each tensor of the old graph.
  private var forms: [Tensor: Tensor] = [:]

  /// - Parameter sizes: those that the code should be quick with.
  package static func arranged(
    _ program: GraphProgram, expecting sizes: [String: Int]
  ) -> GraphProgram {
    let roots = program.roots
    let chains = LanesChains(roots) { isWorthwhile($0, sizes) }
    let isForward = chains.parts.values.allSatisfy { part in
      switch part {
      case .inside: true
      case .forward(let chain): chain.places == nil
      default: false
      }
    }
    guard !chains.isEmpty, isForward else { return program }
    var arrangement = PixelsArrangement(chains: chains)
    let results = arrangement.run(roots)
    var arranged = program
    arranged.outputs = Array(results.prefix(program.outputs.count))
    for (index, value) in results.dropFirst(program.outputs.count).enumerated() {
      arranged.updates[index].value = value
    }
    return arranged
  }

  private init(chains: LanesChains) { self.chains = chains }

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
    _ convolution: LanesChains.Convolution, _ sizes: [String: Int]
  ) -> Bool {
    guard let forward = convolution.node.operation as? ConvolutionForward,
      forward.geometry.stride[1] == 1
    else { return false }
    let counts = [convolution.channels, convolution.filters]
    let columns = convolution.node.types[0].plane[2]
    return convolution.samples.evaluated(sizes) ?? .max <= mostSamples
      && counts.allSatisfy { $0 < mostChannels } && counts.contains { $0 % 16 != 0 }
      && convolution.largestImage <= mostElements
      && (fewestColumns...mostColumns).contains(columns)
  }

  // MARK: The walk

  private mutating func run(_ roots: [Tensor]) -> [Tensor] {
    for node in roots.topologicalNodes() {
      Site.$inherited.withValue(node.site) { visit(node) }
    }
    return roots.map { form($0) }
  }

  private mutating func visit(_ node: Node) {
    switch chains.parts[node] {
    case .forward(let chain): forms[chain.result] = form(of: chain)
    case nil:
      let operands = node.operands.map { form($0) }
      let isSame = operands == node.operands
      let results = isSame ? node.results : Tensor.make(node.operation, operands)
      for (old, new) in zip(node.results, results) { forms[old] = new }
    default: break
    }
  }

  private func form(of chain: LanesChains.Chain) -> Tensor {
    let geometry = chain.geometry
    let epilogue = LanesEpilogue(
      bias: chain.bias != nil, relu: chain.hasRectifier, pool: chain.pool)
    var source = form(chain.source)
    if geometry.hasPadding {
      let widths = zip(geometry.padBegin, geometry.padEnd).map { (before: $0, after: $1) }
      source = source.padded([(before: 0, after: 0), (before: 0, after: 0)] + widths)
    }
    var operands = [source, form(chain.kernels)]
    if let bias = chain.bias { operands.append(form(bias).reshaped([chain.kernels.shape[0]])) }
    let operation = PixelsConvolution(geometry: geometry.onPadded, epilogue: epilogue)
    return Tensor.make(operation, operands)[0]
  }

  private func form(_ tensor: Tensor) -> Tensor {
    guard let form = forms[tensor] else { internalError("\(tensor) is used before it is arranged") }
    return form
  }
}
