import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops
import CAgnesi

/// A convolution or one of its adjoints in numbers: all that the best algorithm depends on, but for
/// the machine.
package struct ConvolutionProblem: Hashable, Sendable {
  package var kind: ConvolutionKind
  package var geometry: ConvolutionGeometry
  /// `[batch, channels, spatial…]`, without blocks.
  package var image: [Int]
  /// `[filters, channels of a group, spatial…]`.
  package var kernels: [Int]
  /// `[batch, filters, spatial…]`, without blocks.
  package var output: [Int]
  /// How the image lies in memory; nil is row-major.
  package var imageBlocks: ChannelBlocks?
  package var outputBlocks: ChannelBlocks?
  package var hasBias = false
  /// Whether kernels seldom change, so that their conversion is kept.
  package var keepsWeights = false

  /// A convolution of two axes by 3×3 kernels that keeps the size, in the host's blocks: what networks
  /// have most of.
  package init(
    _ kind: ConvolutionKind, batch: Int, channels: Int, filters: Int, size: Int,
    keepsWeights: Bool = false
  ) {
    self.kind = kind
    geometry = ConvolutionGeometry(
      stride: [1, 1], padBegin: [1, 1], padEnd: [1, 1], dilation: [1, 1])
    image = [batch, channels, size, size]
    kernels = [filters, channels, 3, 3]
    output = [batch, filters, size, size]
    (imageBlocks, outputBlocks) = (.host, .host)
    self.keepsWeights = keepsWeights
  }

  /// The convolution of a library call whose sizes are known.
  init(
    _ convolution: LibraryKernel.Convolution, _ call: LibraryCall, sizes: [String: Int],
    keepsWeights: Bool
  ) {
    func shape(_ operand: LibraryCall.Operand, _ blocks: ChannelBlocks?) -> [Int] {
      let shape = operand.view.shape
      return (blocks?.unpacked(shape) ?? shape).map { $0.value(in: sizes) }
    }
    kind = convolution.kind
    // In every one of the three, the image, the kernels and the output are operands or result.
    let (first, second, result) = (call.operands[0], call.operands[1], call.results[0])
    let (image, kernels, output) =
      switch kind {
      case .forward: (first, second, result)
      case .backwardData: (result, second, first)
      case .backwardWeights: (first, result, second)
      }
    geometry = convolution.geometry
    (imageBlocks, outputBlocks) = convolution.blocks
    self.image = shape(image, imageBlocks)
    self.kernels = shape(kernels, nil)
    self.output = shape(output, outputBlocks)
    hasBias = convolution.hasBias
    self.keepsWeights = keepsWeights
  }

  /// Whether the library has Winograd's algorithm on this processor: with vectors of sixteen.
  package static let hasWinograd = ChannelBlocks.host?.width == 16

  /// Whether Winograd's F(4×4, 3×3) computes it, so that there is a choice.
  package var hasChoice: Bool {
    Self.hasWinograd && imageBlocks != nil && outputBlocks != nil && geometry.groups == 1
      && Array(kernels.dropFirst(2)) == [3, 3]
      && geometry.stride == [1, 1] && geometry.dilation == [1, 1]
      && (geometry.padBegin + geometry.padEnd).allSatisfy { $0 <= 1 }
  }
}

extension ConvolutionProblem: CustomStringConvertible {
  /// One line, the same for equal problems and for no others: the key of tables and checkpoints.
  package var description: String {
    func sizes(_ numbers: [Int]) -> String { numbers.map(String.init).joined(separator: "x") }
    func isOne(_ numbers: [Int]) -> Bool { numbers.allSatisfy { $0 == 1 } }
    // Tables of measurements and checkpoints hold these words since earlier versions.
    let pass =
      switch kind {
      case .forward: "forward"
      case .backwardData: "toInput"
      case .backwardWeights: "toKernels"
      }
    var words = [pass, sizes(image), "by", sizes(kernels)]
    let (begin, end) = (geometry.padBegin, geometry.padEnd)
    if (begin + end).contains(where: { $0 != 0 }) {
      words += ["pad", sizes(begin)] + (begin == end ? [] : [sizes(end)])
    }
    if !isOne(geometry.stride) { words += ["stride", sizes(geometry.stride)] }
    if !isOne(geometry.dilation) { words += ["dilation", sizes(geometry.dilation)] }
    if geometry.groups != 1 { words += ["groups", String(geometry.groups)] }
    if imageBlocks != nil || outputBlocks != nil {
      words.append("blocks")
      words += [imageBlocks, outputBlocks].map { String($0?.width ?? 1) }
    }
    if hasBias { words.append("bias") }
    if keepsWeights { words.append("kept") }
    return words.joined(separator: " ")
  }
}

extension ConvolutionProblem {
  /// Readies the library's kernel; `label` is what errors call the operation.
  func context(
    _ algorithm: ConvolutionAlgorithm, threads: Int, label: String
  ) throws -> LibraryContext {
    var flags = UInt32(AGNESI_EXTERNAL_SCRATCH)
    if hasBias { flags |= UInt32(AGNESI_BIAS) }
    if keepsWeights {
      flags |= UInt32(AGNESI_KEEP_WEIGHTS)
      if algorithm == .winograd { flags |= UInt32(AGNESI_INFERENCE) }
    }
    let layouts = layouts()
    defer { for layout in layouts { agnesi_layout_release(layout) } }
    var numbers = numbers
    var status = agnesi_ok
    let context = agnesi_convolution_create(
      kind.call, &numbers, flags,
      algorithm == .winograd ? agnesi_algorithm_winograd : agnesi_algorithm_direct, layouts,
      Int32(threads), &status)
    guard let context else {
      throw FunctionError(
        label,
        "oneDNN has no implementation for image \(image), result \(output)"
          + " (status \(status.rawValue))")
    }
    return LibraryContext(
      call: agnesi_context_call, pointer: UnsafeMutableRawPointer(context),
      implementation: "oneDNN \(String(cString: agnesi_context_implementation(context)))",
      scratchBytes: agnesi_context_scratch_bytes(context)
    ) { agnesi_context_destroy(OpaquePointer($0)) }
  }

  /// As the library is asked for it.
  private var numbers: agnesi_convolution {
    var result = agnesi_convolution()
    result.rank = Int32(geometry.axisCount)
    (result.batch, result.channels) = (Int64(image[0]), Int64(image[1]))
    (result.filters, result.groups) = (Int64(kernels[0]), Int64(geometry.groups))
    func fill(_ field: inout (Int64, Int64, Int64), _ values: some Collection<Int>) {
      let padded = values.map(Int64.init) + [1, 1, 1]
      field = (padded[0], padded[1], padded[2])
    }
    fill(&result.size, image.dropFirst(2))
    fill(&result.kernel, kernels.dropFirst(2))
    fill(&result.stride, geometry.stride)
    fill(&result.dilation, geometry.dilation)
    fill(&result.pad_begin, geometry.padBegin)
    fill(&result.pad_end, geometry.padEnd)
    return result
  }

  /// One for each argument; nil is row-major.
  private func layouts() -> [OpaquePointer?] {
    let image = layout(image, imageBlocks)
    let output = layout(output, outputBlocks)
    let bias: [OpaquePointer?] = hasBias ? [nil] : []
    return switch kind {
    case .forward: [image, nil] + bias + [output]
    case .backwardData: [output, nil, image]
    case .backwardWeights: [image, output, nil]
    }
  }

  private func layout(_ shape: [Int], _ blocks: ChannelBlocks?) -> OpaquePointer? {
    guard let blocks else { return nil }
    return agnesi_layout_channel_blocks(
      Int32(shape.count), shape.map(Int64.init), Int64(blocks.width))
  }
}
