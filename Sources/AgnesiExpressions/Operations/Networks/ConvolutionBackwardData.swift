import AgnesiArrays
import AgnesiLoops

/// Backward-data: the adjoint of a convolution with respect to its input, gradients of outputs
/// become gradients of inputs. Also the transposed convolution of networks that enlarge images.
package struct ConvolutionBackwardData: Operation {
  package static let name = "convolutionBackwardData"
  package let geometry: ConvolutionGeometry
  /// The spatial sizes of the input: those of the output do not tell them where strides round.
  package let size: Shape

  package init(geometry: ConvolutionGeometry, size: Shape) {
    self.geometry = geometry
    self.size = size
  }

  package var roles: [String] { ["gradients", "kernels"] }

  package func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let (gradients, kernels) = (operands[0], operands[1])
    try geometry.validate(gradients, kernels)
    try geometry.validateGroups(of: kernels.shape[0], "filters")
    guard gradients.shape[1].mayEqual(kernels.shape[0]) else {
      throw TypeError("\(gradients.shape[1]) channels do not meet \(kernels.shape[0]) filters")
    }
    let spatial = try geometry.outputShape(
      input: size, kernel: Array(kernels.shape.dropFirst(2)))
    for axis in spatial.indices where !spatial[axis].mayEqual(gradients.shape[axis + 2]) {
      throw TypeError(
        "gradients of size \(gradients.shape[axis + 2]) along axis \(axis + 2), where the convolution"
          + " gives \(spatial[axis])")
    }
    let channels = kernels.shape[1] * Size(geometry.groups)
    return [TensorType(gradients.dtype, [gradients.shape[0], channels] + size)]
  }

  package func gradient(
    _ upstream: [Tensor?], operands: [Tensor], results: [Tensor]
  ) -> [Tensor?] {
    guard let upstream = upstream[0] else { return [nil, nil] }
    let (outputs, kernels) = (operands[0], operands[1])
    let backwardWeights = ConvolutionBackwardWeights(
      geometry: geometry, size: Array(kernels.shape.dropFirst(2)))
    return [
      Tensor(ConvolutionForward(geometry: geometry), upstream, kernels),
      Tensor(backwardWeights, upstream, outputs),
    ]
  }

  package func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    let (gradients, kernels) = (operands[0].doubles, operands[1].doubles)
    let shape = types[0].knownShape ?? []
    var result = [Double](repeating: 0, count: shape.product)
    geometry.forEachProduct(
      input: shape, kernels: operands[1].shape, output: operands[0].shape
    ) { result[$0] += kernels[$1] * gradients[$2] }
    return [NDArray(rounding: result, shape: shape, types[0].dtype)]
  }

  package func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering? {
    let (geometry, outputs, kernels) = (geometry, operands[0].shape, operands[1].shape)
    let channels = results[0].shape[1]
    let domain = [kernels[0] / Size(geometry.groups)] + kernels.dropFirst(2)
    return .reduce(.sum, over: domain) { index, domain, operands in
      let kernel = Array(domain.dropFirst())
      let (position, conditions) = geometry.output(
        input: Array(index.dropFirst(2)), kernel: kernel, sizes: Array(outputs.dropFirst(2)))
      let (group, within) = geometry.split(index[1], of: channels)
      let filter = geometry.join(group, domain[0], of: kernels[0])
      let gradient = operands[0]([index[0], filter] + position)
      return .guarded(by: conditions, gradient * operands[1]([filter, within] + kernel))
    }
  }

  package func substituting(_ sizes: [String: Size]) -> ConvolutionBackwardData {
    ConvolutionBackwardData(geometry: geometry, size: size.map { $0.substituting(sizes) })
  }
}

extension ConvolutionBackwardData: CountsWork {
  package func multiplyAdds(of operands: [TensorType]) -> Size {
    operands[1].shape.dropFirst().reduce(operands[0].count) { $0 * $1 }
  }
}

extension ConvolutionBackwardData {
  package static let examples = [
    Example("3×3", [.init([2, 4, 5, 4]), .init([4, 3, 3, 3])]) {
      transposedConvolution2D($0[0], $0[1])
    },
    Example("size 1", [.init([1, 1, 1, 1]), .init([1, 1, 1, 1])]) {
      transposedConvolution2D($0[0], $0[1])
    },
    Example("stride and output padding", [.init([2, 3, 4, 3]), .init([3, 2, 3, 3])]) {
      transposedConvolution2D(
        $0[0], $0[1], stride: [2, 3], padding: .symmetric(1, 1), outputPadding: [1, 2])
    },
    Example("stride larger than the kernel", [.init([1, 2, 3, 3]), .init([2, 2, 2, 1])]) {
      transposedConvolution2D($0[0], $0[1], stride: [3, 3])
    },
    Example("full padding", [.init([1, 3, 6, 6]), .init([3, 2, 3, 2])]) {
      transposedConvolution2D($0[0], $0[1], padding: .full)
    },
    Example("asymmetric padding", [.init([2, 3, 5, 6]), .init([3, 2, 3, 3])]) {
      transposedConvolution2D(
        $0[0], $0[1], padding: .explicit(top: 2, bottom: 0, left: 1, right: 3))
    },
    Example("dilation and stride", [.init([1, 3, 5, 4]), .init([3, 2, 3, 3])]) {
      transposedConvolution2D($0[0], $0[1], stride: [2, 1], dilation: [2, 2])
    },
    Example("groups", [.init([2, 4, 5, 5]), .init([4, 3, 3, 3])]) {
      transposedConvolution2D($0[0], $0[1], padding: .same, groups: 2)
    },
    Example("empty batch", [.init([0, 3, 3, 3]), .init([3, 2, 3, 3])]) {
      transposedConvolution2D($0[0], $0[1])
    },
    Example("not contiguous", [.init([2, 5, 4, 3]), .init([3, 3, 2, 3])]) {
      transposedConvolution2D($0[0].transposed([0, 3, 1, 2]), $0[1].transposed([1, 2, 0, 3]))
    },
  ]
}
