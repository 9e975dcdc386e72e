import AgnesiLoops

// What passes, libraries and other formats ask of operations that move windows over images: which of the
// operands is what, and how the windows move. They need to know neither the types of these operations nor
// how many there are.

/// The three passes of a convolution: each computes one of image, kernels and result from the other two.
package enum ConvolutionKind: String, CaseIterable, Hashable, Sendable, Codable {
  case forward
  /// The gradient of the image from those of the result, or a transposed convolution.
  case backwardData
  /// The gradient of the kernels from image and those of the result.
  case backwardWeights

  /// What nodes of this kind are printed as, and what rules are tried at.
  package var label: String {
    switch self {
    case .forward: ConvolutionForward.name
    case .backwardData: ConvolutionBackwardData.name
    case .backwardWeights: ConvolutionBackwardWeights.name
    }
  }

  /// The operation for a geometry.
  ///
  /// - Parameter size: the spatial sizes that its operands do not tell: of the image or of the kernels.
  package func operation(_ geometry: ConvolutionGeometry, size: Shape = []) -> any Operation {
    switch self {
    case .forward: ConvolutionForward(geometry: geometry)
    case .backwardData: ConvolutionBackwardData(geometry: geometry, size: size)
    case .backwardWeights: ConvolutionBackwardWeights(geometry: geometry, size: size)
    }
  }
}

/// An operation that is a pass of a convolution.
protocol ConvolutionPass: Operation {
  var kind: ConvolutionKind { get }
  var geometry: ConvolutionGeometry { get }
}

extension ConvolutionForward: ConvolutionPass {
  var kind: ConvolutionKind { .forward }
}
extension ConvolutionBackwardData: ConvolutionPass {
  var kind: ConvolutionKind { .backwardData }
}
extension ConvolutionBackwardWeights: ConvolutionPass {
  var kind: ConvolutionKind { .backwardWeights }
}

/// A pass of a convolution, with what its operands and its result are.
package struct ConvolutionDescription {
  package var kind: ConvolutionKind
  package var geometry: ConvolutionGeometry
  /// `[samples, channels, …]`, or its gradient.
  package var image: TensorType
  /// `[filters, channels of a group, …]`, or their gradient.
  package var kernels: TensorType
  /// What the convolution forward gives, `[samples, filters, …]`, or its gradient.
  package var output: TensorType

  /// The spatial sizes of what the pass computes, where its operands do not tell them.
  package var size: Shape {
    switch kind {
    case .forward: []
    case .backwardData: Array(image.shape.dropFirst(2))
    case .backwardWeights: kernelSize
    }
  }

  /// The spatial sizes of the kernels.
  package var kernelSize: Shape { Array(kernels.shape.dropFirst(2)) }

  /// The operation itself, with another geometry.
  package func operation(_ geometry: ConvolutionGeometry) -> any Operation {
    kind.operation(geometry, size: size)
  }
}

/// An operation over windows that have one size each, without weights.
protocol WindowOperation: Operation, LooksAtMany {
  var geometry: PoolingGeometry { get }
  /// The same with windows that move in another way.
  func with(_ geometry: PoolingGeometry) -> Self
}

extension WindowOperation {
  package func looks(at operands: [TensorType]) -> Int { geometry.area }
}

extension MaxPool: WindowOperation {
  func with(_ geometry: PoolingGeometry) -> MaxPool { MaxPool(geometry: geometry) }
}
extension SumPool: WindowOperation {
  func with(_ geometry: PoolingGeometry) -> SumPool { SumPool(geometry: geometry) }
}

/// Pooling forward.
package struct PoolingDescription {
  package var geometry: PoolingGeometry
  /// Whether it takes the largest element, and says which; else it sums.
  package var isMaximum: Bool
  private let operation: any WindowOperation

  fileprivate init(_ operation: any WindowOperation) {
    (geometry, isMaximum) = (operation.geometry, operation is MaxPool)
    self.operation = operation
  }

  /// The operation itself, with another geometry.
  package func operation(_ geometry: PoolingGeometry) -> any Operation { operation.with(geometry) }
}

/// Maximum pooling backwards: values that go to where windows had their largest elements.
package struct UnpoolingDescription {
  package var geometry: PoolingGeometry
  /// What is moved.
  package var values: Tensor
  /// Where the largest elements of the windows were.
  package var argmax: Tensor
}

extension PoolingGeometry {
  /// The largest element of each window and its place, as two results.
  package var maximum: any Operation { MaxPool(geometry: self) }

  /// The way back of ``maximum`` into images of these spatial sizes.
  package func unpooling(to size: Shape) -> any Operation {
    MaxPoolBackward(geometry: self, size: size)
  }
}

extension Node {
  /// The convolution that this is a pass of; nil for other nodes and for those with a mistake.
  package var convolution: ConvolutionDescription? {
    guard let pass = operation as? any ConvolutionPass, failure == nil, operands.count == 2,
      types[0].isKnown
    else { return nil }
    let (first, second, own) = (operands[0].type, operands[1].type, types[0])
    let (image, kernels, output) =
      switch pass.kind {
      case .forward: (first, second, own)
      case .backwardData: (own, second, first)
      case .backwardWeights: (first, own, second)
      }
    return ConvolutionDescription(
      kind: pass.kind, geometry: pass.geometry, image: image, kernels: kernels, output: output)
  }

  /// The pooling that this is; nil for other nodes, gradients of pooling among them.
  package var pooling: PoolingDescription? {
    (operation as? any WindowOperation).map { PoolingDescription($0) }
  }

  /// What this is as the way back of maximum pooling; nil for other nodes.
  package var unpooling: UnpoolingDescription? {
    (operation as? MaxPoolBackward).map {
      UnpoolingDescription(geometry: $0.geometry, values: operands[0], argmax: operands[1])
    }
  }
}
