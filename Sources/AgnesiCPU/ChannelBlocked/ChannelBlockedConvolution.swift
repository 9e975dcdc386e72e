import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops
import CAgnesi

/// A convolution, or one of its two adjoints, on images in channel blocks.
///
/// Kernels and biases stay as they are: the library brings kernels into its own order, which costs
/// little beside the work. Made by ``ChannelBlockedLayout``, run by oneDNN.
struct ChannelBlockedConvolution: Operation {
  static let name = "channelBlockedConvolution"

  let kind: ConvolutionKind
  let geometry: ConvolutionGeometry
  let blocks: ChannelBlocks
  /// Whether the image, or its gradients, lie in blocks.
  let blocksImage: Bool
  /// Whether the convolution's result, or its gradients, lie in blocks.
  let blocksOutput: Bool
  /// Whether a bias is added; forward only.
  var hasBias = false
  /// Spatial sizes that the operands do not tell: of the image (to input), of the kernels (to
  /// kernels).
  var size: Shape = []

  var label: String { "channelBlockedConvolution.\(kind.rawValue)" }

  var roles: [String] {
    switch kind {
    case .forward: ["input", "kernels"] + (hasBias ? ["bias"] : [])
    case .backwardData: ["gradients", "kernels"]
    case .backwardWeights: ["input", "gradients"]
    }
  }

  /// The same on plain images, without the bias.
  private var plain: any Operation { kind.operation(geometry, size: size) }

  /// Which of the operands and of the result lie in blocks.
  private var isBlocked: (operands: [Bool], result: Bool) {
    switch kind {
    case .forward: ([blocksImage, false, false], blocksOutput)
    case .backwardData: ([blocksOutput, false], blocksImage)
    case .backwardWeights: ([blocksImage, blocksOutput], false)
    }
  }

  /// The types of the operands as plain images.
  private func plainTypes(_ operands: [TensorType]) -> [TensorType] {
    zip(operands, isBlocked.operands).map { type, isBlocked in
      isBlocked ? TensorType(type.dtype, blocks.unpacked(type.shape)) : type
    }
  }

  func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let plain = Array(plainTypes(operands).prefix(2))
    let result = try plain.types(self.plain)
    guard isBlocked.result else { return [result] }
    return [TensorType(result.dtype, blocks.packed(result.shape))]
  }

  // Made after all gradients are taken.
  func gradient(_ upstream: [Tensor?], operands: [Tensor], results: [Tensor]) -> [Tensor?] {
    operands.map { _ in nil }
  }

  func reference(_ operands: [NDArray], types: [TensorType]) throws -> [NDArray] {
    let arrays = zip(operands, isBlocked.operands).map { array, isBlocked in
      isBlocked ? blocks.unpacked(array) : array
    }
    let type = isBlocked.result ? blocks.unpacked(types[0].shape) : types[0].shape
    let plainType = TensorType(types[0].dtype, type)
    var result = try plain.reference(Array(arrays.prefix(2)), types: [plainType])[0]
    if hasBias {
      let bias = operands[2].doubles
      let shape = result.shape
      let area = shape.dropFirst(2).product
      let values = result.doubles.enumerated().map { position, value in
        value + bias[position / Swift.max(1, area) % shape[1]]
      }
      result = NDArray(rounding: values, shape: shape, types[0].dtype)
    }
    return [isBlocked.result ? blocks.packed(result) : result]
  }

  // The library takes it whole.
  func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering? { nil }

  func substituting(_ sizes: [String: Size]) -> ChannelBlockedConvolution {
    var result = ChannelBlockedConvolution(
      kind: kind, geometry: geometry, blocks: blocks, blocksImage: blocksImage,
      blocksOutput: blocksOutput, hasBias: hasBias)
    result.size = size.map { $0.substituting(sizes) }
    return result
  }

  init(
    kind: ConvolutionKind, geometry: ConvolutionGeometry, blocks: ChannelBlocks, blocksImage: Bool,
    blocksOutput: Bool, hasBias: Bool = false, size: Shape = []
  ) {
    self.kind = kind
    self.geometry = geometry
    self.blocks = blocks
    self.blocksImage = blocksImage
    self.blocksOutput = blocksOutput
    self.hasBias = hasBias
    self.size = size
  }
}

extension [TensorType] {
  /// The type of an operation's only result.
  fileprivate func types(_ operation: any Operation) throws(TypeError) -> TensorType {
    try operation.types(of: self)[0]
  }
}

extension ChannelBlockedConvolution {
  /// The library's description of it.
  var call: LibraryKernel.Convolution {
    LibraryKernel.Convolution(
      kind: kind, geometry: geometry, hasBias: hasBias,
      blocks: (blocksImage ? blocks : nil, blocksOutput ? blocks : nil))
  }
}

extension ChannelBlockedConvolution: CountsWork {
  func multiplyAdds(of operands: [TensorType]) -> Size {
    let plain = Array(plainTypes(operands).prefix(2))
    return (self.plain as? any CountsWork)?.multiplyAdds(of: plain) ?? 0
  }
}
