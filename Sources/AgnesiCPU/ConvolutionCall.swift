import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops
import CAgnesi

/// A convolution or one of its adjoints for given sizes, as oneDNN is asked for it.
struct ConvolutionCall {
  private let convolution: LibraryKernel.Convolution
  private let call: LibraryCall
  private let threads: Int
  private var description = agnesi_convolution()
  private let imageShape: [Int]
  private let outputShape: [Int]

  init(
    _ convolution: LibraryKernel.Convolution, _ call: LibraryCall, sizes: [String: Int],
    threads: Int
  ) {
    self.convolution = convolution
    self.call = call
    self.threads = threads
    let geometry = convolution.geometry
    func shape(_ operand: LibraryCall.Operand, _ blocks: ChannelBlocks?) -> [Int] {
      let shape = operand.view.shape
      return (blocks?.unpacked(shape) ?? shape).map { $0.evaluated(sizes) ?? 0 }
    }
    // In every one of the three, the image, the kernels and the output are operands or result.
    let (first, second, result) = (call.operands[0], call.operands[1], call.results[0])
    let (image, kernels, output) =
      switch convolution.kind {
      case agnesi_convolution_forward: (first, second, result)
      case agnesi_convolution_to_data: (result, second, first)
      default: (first, result, second)
      }
    imageShape = shape(image, convolution.blocks.image)
    outputShape = shape(output, convolution.blocks.output)
    let kernelShape = shape(kernels, nil)
    description.rank = Int32(geometry.axisCount)
    (description.batch, description.channels) = (Int64(imageShape[0]), Int64(imageShape[1]))
    (description.filters, description.groups) = (Int64(kernelShape[0]), Int64(geometry.groups))
    func fill(_ field: inout (Int64, Int64, Int64), _ values: some Collection<Int>) {
      let padded = values.map(Int64.init) + [1, 1, 1]
      field = (padded[0], padded[1], padded[2])
    }
    fill(&description.size, imageShape.dropFirst(2))
    fill(&description.kernel, kernelShape.dropFirst(2))
    fill(&description.stride, geometry.stride)
    fill(&description.dilation, geometry.dilation)
    fill(&description.pad_begin, geometry.padBegin)
    fill(&description.pad_end, geometry.padEnd)
  }

  /// - Parameter keepsWeights: whether weights seldom change, so that their conversion is kept.
  func context(keepsWeights: Bool) throws -> LibraryContext {
    var flags = UInt32(AGNESI_EXTERNAL_SCRATCH)
    if convolution.hasBias { flags |= UInt32(AGNESI_BIAS) }
    let algorithm = algorithm(keepsWeights: keepsWeights)
    if keepsWeights {
      flags |= UInt32(AGNESI_KEEP_WEIGHTS)
      if algorithm == agnesi_algorithm_winograd { flags |= UInt32(AGNESI_INFERENCE) }
    }
    let layouts = layouts()
    defer { for layout in layouts { agnesi_layout_release(layout) } }
    var description = description
    var status = agnesi_ok
    let context = agnesi_convolution_create(
      convolution.kind, &description, flags, algorithm, layouts, Int32(threads), &status)
    guard let context else {
      throw FunctionError(
        call.node.operation.label,
        "oneDNN has no implementation for image \(imageShape), result \(outputShape)"
          + " (status \(status.rawValue))")
    }
    return LibraryContext(
      call: agnesi_context_call, pointer: UnsafeMutableRawPointer(context),
      scratchBytes: agnesi_context_scratch_bytes(context)
    ) { agnesi_context_destroy(OpaquePointer($0)) }
  }

  /// One for each argument; nil is row-major.
  private func layouts() -> [OpaquePointer?] {
    let image = layout(imageShape, convolution.blocks.image)
    let output = layout(outputShape, convolution.blocks.output)
    let bias: [OpaquePointer?] = convolution.hasBias ? [nil] : []
    return switch convolution.kind {
    case agnesi_convolution_forward: [image, nil] + bias + [output]
    case agnesi_convolution_to_data: [output, nil, image]
    default: [image, output, nil]
    }
  }

  private func layout(_ shape: [Int], _ blocks: ChannelBlocks?) -> OpaquePointer? {
    guard let blocks else { return nil }
    return agnesi_layout_channel_blocks(
      Int32(shape.count), shape.map(Int64.init), Int64(blocks.width))
  }

  // MARK: Direct or Winograd's

  private func algorithm(keepsWeights: Bool) -> agnesi_algorithm {
    guard convolution.blocks.image != nil, convolution.blocks.output != nil else {
      return agnesi_algorithm_direct
    }
    let cost = WinogradCost(
      kind: convolution.kind, geometry: convolution.geometry, image: imageShape,
      output: outputShape, keepsWeights: keepsWeights)
    return cost.pays ? agnesi_algorithm_winograd : agnesi_algorithm_direct
  }
}

/// Whether Winograd's algorithm F(4×4, 3×3) is worth it: a quarter of the products, plus the
/// transformation of images and weights.
///
/// Source: Lavin & Gray, *Fast algorithms for convolutional neural networks*, 2015. The constants are
/// fitted to measurements of oneDNN 2.6 on a Zen 4 core with AVX-512.
struct WinogradCost {
  var kind: agnesi_convolution_kind
  var geometry: ConvolutionGeometry
  /// Without blocks.
  var image: [Int]
  var output: [Int]
  var keepsWeights: Bool

  /// The time for the products with everything around them, in that of the direct algorithm.
  private static let share = 0.4
  /// The time for an element of the transformed weights, in that of a product.
  private static let weight = 25.0

  private var isPossible: Bool {
    let kernel = zip(image, output).enumerated().dropFirst(2).map { axis, sizes in
      sizes.0 + geometry.padBegin[axis - 2] + geometry.padEnd[axis - 2] - sizes.1 + 1
    }
    return kernel == [3, 3] && geometry.stride == [1, 1] && geometry.dilation == [1, 1]
      && (geometry.padBegin + geometry.padEnd).allSatisfy { $0 <= 1 }
  }

  var pays: Bool {
    guard isPossible else { return false }
    let pairs = Double(image[1] * output[1])
    let pixels = Double(image[0] * output[2] * output[3])
    let tiles = Double(image[0] * ((output[2] + 3) / 4) * ((output[3] + 3) / 4))
    let direct = pairs * pixels * 9
    let products = pairs * tiles * 144 * Self.share
    var weights = pairs * 36 * Self.weight
    if kind == agnesi_convolution_to_weights { weights *= 2 }
    if keepsWeights { weights /= 4 }
    return products + weights < direct
  }
}
