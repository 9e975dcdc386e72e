import AgnesiArrays
import AgnesiLoops

/// Cross-correlation of images with kernels.
///
/// With its two adjoints it is closed under differentiation: each one's gradient is made of the
/// other two, so second derivatives need nothing new.
package struct ConvolutionForward: Operation {
  package static let name = "convolution"
  /// Steps may skip elements, and windows that do not fit are left away.
  package var leavesElementsOut: Bool { true }
  package let geometry: ConvolutionGeometry

  package init(geometry: ConvolutionGeometry) { self.geometry = geometry }

  package var roles: [String] { ["input", "kernels"] }

  package func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let (x, kernels) = (operands[0], operands[1])
    try geometry.validate(x, kernels)
    try geometry.validate(channels: x.shape[1], kernels: kernels.shape)
    let spatial = try geometry.outputShape(
      input: Array(x.shape.dropFirst(2)), kernel: Array(kernels.shape.dropFirst(2)))
    return [TensorType(x.dtype, [x.shape[0], kernels.shape[0]] + spatial)]
  }

  package func gradient(
    _ upstream: [Tensor?], operands: [Tensor], results: [Tensor]
  ) -> [Tensor?] {
    guard let upstream = upstream[0] else { return [nil, nil] }
    let (x, kernels) = (operands[0], operands[1])
    let backwardData = ConvolutionBackwardData(
      geometry: geometry, size: Array(x.shape.dropFirst(2)))
    let backwardWeights = ConvolutionBackwardWeights(
      geometry: geometry, size: Array(kernels.shape.dropFirst(2)))
    return [Tensor(backwardData, upstream, kernels), Tensor(backwardWeights, x, upstream)]
  }

  package func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    let (x, kernels) = (operands[0].doubles, operands[1].doubles)
    let shape = types[0].knownShape ?? []
    var result = [Double](repeating: 0, count: shape.product)
    geometry.forEachProduct(
      input: operands[0].shape, kernels: operands[1].shape, output: shape
    ) { result[$2] += x[$0] * kernels[$1] }
    return [NDArray(rounding: result, shape: shape, types[0].dtype)]
  }

  package func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering? {
    let (geometry, input, kernels) = (geometry, operands[0].shape, operands[1].shape)
    return .reduce(.sum, over: Array(kernels.dropFirst())) { index, domain, operands in
      let kernel = Array(domain.dropFirst())
      let (position, conditions) = geometry.input(
        output: Array(index.dropFirst(2)), kernel: kernel, sizes: Array(input.dropFirst(2)))
      let group = geometry.split(index[1], of: kernels[0]).group
      let channel = geometry.join(group, domain[0], of: input[1])
      let x = operands[0]([index[0], channel] + position)
      return .guarded(by: conditions, x * operands[1]([index[1], domain[0]] + kernel))
    }
  }
}

extension ConvolutionForward: CountsWork {
  package func multiplyAdds(of operands: [TensorType]) -> Size {
    guard let result = try? types(of: operands)[0] else { return 0 }
    return operands[1].shape.dropFirst().reduce(result.count) { $0 * $1 }
  }
}

extension ConvolutionForward {
  package static let examples = [
    Example("3×3", [.init([2, 3, 7, 6]), .init([4, 3, 3, 3])]) { convolution2D($0[0], $0[1]) },
    Example("size 1", [.init([1, 1, 1, 1]), .init([1, 1, 1, 1])]) { convolution2D($0[0], $0[1]) },
    Example(
      "odd sizes, half padding", [.init([3, 5, 9, 11]), .init([7, 5, 3, 5])], tolerance: 64
    ) {
      convolution2D($0[0], $0[1], padding: .same)
    },
    Example("full padding", [.init([1, 2, 4, 5]), .init([3, 2, 3, 2])]) {
      convolution2D($0[0], $0[1], padding: .full)
    },
    Example("asymmetric padding", [.init([2, 2, 5, 6]), .init([3, 2, 3, 3])]) {
      convolution2D(
        $0[0], $0[1], padding: .explicit(top: 2, bottom: 0, left: 1, right: 3))
    },
    Example("stride", [.init([2, 3, 8, 9]), .init([4, 3, 3, 3])]) {
      convolution2D($0[0], $0[1], stride: [2, 3], padding: .symmetric(1, 1))
    },
    Example("stride larger than the kernel", [.init([1, 2, 9, 8]), .init([2, 2, 2, 1])]) {
      convolution2D($0[0], $0[1], stride: [3, 3])
    },
    Example("dilation", [.init([1, 2, 9, 8]), .init([3, 2, 3, 3])]) {
      convolution2D($0[0], $0[1], padding: .symmetric(1, 2), dilation: [2, 3])
    },
    Example("dilation and stride", [.init([1, 2, 9, 8]), .init([3, 2, 3, 3])]) {
      convolution2D($0[0], $0[1], stride: [2, 2], padding: .same, dilation: [2, 2])
    },
    Example("groups", [.init([2, 6, 5, 5]), .init([4, 3, 3, 3])]) {
      convolution2D($0[0], $0[1], padding: .same, groups: 2)
    },
    Example("a group for each channel", [.init([2, 3, 5, 4]), .init([6, 1, 3, 3])]) {
      convolution2D($0[0], $0[1], stride: [2, 1], padding: .same, groups: 3)
    },
    Example("1×1", [.init([2, 5, 3, 4]), .init([3, 5, 1, 1])]) { convolution2D($0[0], $0[1]) },
    Example("kernel as large as the image", [.init([3, 2, 4, 5]), .init([6, 2, 4, 5])]) {
      convolution2D($0[0], $0[1])
    },
    Example("empty batch", [.init([0, 2, 5, 5]), .init([3, 2, 3, 3])]) {
      convolution2D($0[0], $0[1])
    },
    Example("not contiguous", [.init([2, 6, 5, 3]), .init([3, 3, 4, 3])]) {
      convolution2D(
        $0[0].transposed([0, 3, 1, 2]), $0[1].transposed([2, 0, 1, 3]), padding: .symmetric(1, 1))
    },
    Example("one axis", [.init([2, 3, 9]), .init([4, 3, 3])]) {
      convolution1D($0[0], $0[1], stride: 2, padding: .symmetric(1))
    },
    Example("three axes", [.init([1, 2, 4, 5, 3]), .init([2, 2, 2, 3, 2])]) {
      convolution3D($0[0], $0[1], stride: [1, 2, 1], padding: .symmetric([1, 0, 1]))
    },
    Example("float64", [.init([1, 2, 4, 4], .uniform(-1...1), .float64), .init([2, 2, 3, 3])]) {
      convolution2D($0[0], $0[1].cast(to: .float64))
    },
  ]
}
