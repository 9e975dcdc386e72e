import AgnesiArrays
import AgnesiLoops

/// The adjoint of a convolution with respect to its kernels: inputs and gradients of outputs become
/// gradients of kernels.
package struct ConvolutionBackwardWeights: Operation {
  package static let name = "convolutionBackwardWeights"
  package let geometry: ConvolutionGeometry
  /// The spatial sizes of the kernels.
  package let size: Shape

  package init(geometry: ConvolutionGeometry, size: Shape) {
    self.geometry = geometry
    self.size = size
  }

  package var roles: [String] { ["input", "gradients"] }

  package func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let (x, gradients) = (operands[0], operands[1])
    try geometry.validate(x, gradients)
    guard x.shape[0].mayEqual(gradients.shape[0]) else {
      throw TypeError("batches differ, \(x.shape[0]) ≠ \(gradients.shape[0])")
    }
    try geometry.validateGroups(of: x.shape[1], "channels")
    try geometry.validateGroups(of: gradients.shape[1], "filters")
    let spatial = try geometry.outputShape(input: Array(x.shape.dropFirst(2)), kernel: size)
    for axis in spatial.indices where !spatial[axis].mayEqual(gradients.shape[axis + 2]) {
      throw TypeError(
        "gradients of size \(gradients.shape[axis + 2]) along axis \(axis + 2), where the convolution"
          + " gives \(spatial[axis])")
    }
    let channels = x.shape[1] / Size(geometry.groups)
    return [TensorType(x.dtype, [gradients.shape[1], channels] + size)]
  }

  package func gradient(
    _ upstream: [Tensor?], operands: [Tensor], results: [Tensor]
  ) -> [Tensor?] {
    guard let upstream = upstream[0] else { return [nil, nil] }
    let (x, outputs) = (operands[0], operands[1])
    let backwardData = ConvolutionBackwardData(
      geometry: geometry, size: Array(x.shape.dropFirst(2)))
    return [
      Tensor(backwardData, outputs, upstream),
      Tensor(ConvolutionForward(geometry: geometry), x, upstream),
    ]
  }

  package func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    let (x, gradients) = (operands[0].doubles, operands[1].doubles)
    let shape = types[0].knownShape ?? []
    var result = [Double](repeating: 0, count: shape.product)
    geometry.forEachProduct(
      input: operands[0].shape, kernels: shape, output: operands[1].shape
    ) { result[$1] += x[$0] * gradients[$2] }
    return [NDArray(rounding: result, shape: shape, types[0].dtype)]
  }

  package func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering? {
    let (geometry, input, outputs) = (geometry, operands[0].shape, operands[1].shape)
    let domain = [outputs[0]] + outputs.dropFirst(2)
    return .reduce(.sum, over: domain) { index, domain, operands in
      let output = Array(domain.dropFirst())
      let (position, conditions) = geometry.input(
        output: output, kernel: Array(index.dropFirst(2)), sizes: Array(input.dropFirst(2)))
      let group = geometry.split(index[0], of: outputs[1]).group
      let channel = geometry.join(group, index[1], of: input[1])
      let x = operands[0]([domain[0], channel] + position)
      return .guarded(by: conditions, x * operands[1]([domain[0], index[0]] + output))
    }
  }

  package func substituting(_ sizes: [String: Size]) -> ConvolutionBackwardWeights {
    ConvolutionBackwardWeights(geometry: geometry, size: size.map { $0.substituting(sizes) })
  }
}

extension ConvolutionBackwardWeights: CountsWork {
  package func multiplyAdds(of operands: [TensorType]) -> Size {
    let kernel = [operands[0].shape[1] / Size(geometry.groups)] + size
    return kernel.reduce(operands[1].count) { $0 * $1 }
  }
}

extension ConvolutionBackwardWeights {
  private static func build(
    size: Shape, stride: [Int] = [1, 1], begin: [Int] = [0, 0], end: [Int] = [0, 0],
    dilation: [Int] = [1, 1], groups: Int = 1
  ) -> @Sendable ([Tensor]) -> Tensor {
    let geometry = ConvolutionGeometry(
      stride: stride, padBegin: begin, padEnd: end, dilation: dilation, groups: groups)
    return { Tensor(ConvolutionBackwardWeights(geometry: geometry, size: size), $0[0], $0[1]) }
  }

  package static let examples = [
    Example("3×3", [.init([2, 3, 7, 6]), .init([2, 4, 5, 4])], build(size: [3, 3])),
    Example("size 1", [.init([1, 1, 1, 1]), .init([1, 1, 1, 1])], build(size: [1, 1])),
    Example(
      "asymmetric padding and stride", [.init([3, 2, 8, 7]), .init([3, 5, 4, 4])],
      build(size: [3, 2], stride: [2, 2], begin: [1, 0], end: [0, 2])),
    Example(
      "stride larger than the kernel", [.init([1, 2, 9, 8]), .init([1, 2, 3, 3])],
      build(size: [2, 1], stride: [3, 3])),
    Example(
      "dilation", [.init([1, 2, 9, 8]), .init([1, 3, 7, 6])],
      build(size: [3, 3], begin: [1, 1], end: [1, 1], dilation: [2, 2])),
    Example(
      "groups", [.init([2, 6, 5, 5]), .init([2, 4, 3, 3])], build(size: [3, 3], groups: 2)),
    Example("empty batch", [.init([0, 2, 4, 4]), .init([0, 3, 2, 2])], build(size: [3, 3])),
    Example("not contiguous", [.init([2, 7, 6, 3]), .init([4, 2, 4, 5])]) {
      build(size: [3, 3])([$0[0].transposed([0, 3, 1, 2]), $0[1].transposed([1, 0, 3, 2])])
    },
  ]
}
