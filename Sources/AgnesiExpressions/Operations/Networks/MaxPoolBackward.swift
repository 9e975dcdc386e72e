import AgnesiArrays
import AgnesiLoops

/// The adjoint of maximum pooling: each gradient goes to the element that its window's maximum came
/// from; gradients of overlapping windows add up. Also the unpooling of decoders, with the argmax
/// of an encoder.
package struct MaxPoolBackward: Operation {
  package static let name = "maxPoolBackward"
  package let geometry: PoolingGeometry
  /// The sizes of the pooled axes before pooling.
  package let size: Shape

  package init(geometry: PoolingGeometry, size: Shape) {
    self.geometry = geometry
    self.size = size
  }

  package var roles: [String] { ["gradients", "argmax"] }

  package func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let (gradients, argmax) = (operands[0], operands[1])
    try geometry.validate(gradients)
    guard gradients.dtype.isFloating, argmax.dtype == .int32 else {
      throw TypeError("needs floating values and an int32 argmax, got \(gradients) and \(argmax)")
    }
    let outputs = try Shape.equal(gradients.shape, argmax.shape)
    let shape = geometry.split(outputs).leading + size
    try geometry.validate(outputs: outputs, input: shape)
    return [TensorType(gradients.dtype, shape)]
  }

  package func gradient(
    _ upstream: [Tensor?], operands: [Tensor], results: [Tensor]
  ) -> [Tensor?] {
    guard let upstream = upstream[0] else { return [nil, nil] }
    return [Tensor(MaxPoolTaken(geometry: geometry), upstream, operands[1]), nil]
  }

  package func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    let (gradients, argmax) = (operands[0].doubles, operands[1].doubles)
    let shape = types[0].knownShape ?? []
    var result = [Double](repeating: 0, count: shape.product)
    geometry.forEachMember(input: shape, output: operands[0].shape) { x, y, within in
      if Double(within) == argmax[y] { result[x] += gradients[y] }
    }
    return [NDArray(rounding: result, shape: shape, types[0].dtype)]
  }

  package func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering? {
    geometry.scattering(operands[0].shape, to: results[0].shape) {
      [geometry] window, within, operands in
      let isWinner =
        operands[1](window) .== geometry.position(within: within).cast(to: .int32)
      return .guarded(by: [isWinner], operands[0](window))
    }
  }

  package func substituting(_ sizes: [String: Size]) -> MaxPoolBackward {
    MaxPoolBackward(geometry: geometry, size: size.map { $0.substituting(sizes) })
  }

  package static let examples = [
    Example("2×2", [.init([2, 3, 3, 4]), .argmax([2, 3, 3, 4], 4)]) {
      Tensor(MaxPoolBackward(geometry: .square(2, stride: 2), size: [6, 8]), $0[0], $0[1])
    },
    Example("a rest at the border", [.init([1, 2, 3, 2]), .argmax([1, 2, 3, 2], 4)]) {
      Tensor(MaxPoolBackward(geometry: .square(2, stride: 2), size: [7, 5]), $0[0], $0[1])
    },
    Example("overlapping, padded", [.init([2, 1, 4, 3]), .argmax([2, 1, 4, 3], 9)]) {
      Tensor(
        MaxPoolBackward(geometry: .square(3, stride: 2, padding: 1), size: [7, 6]), $0[0], $0[1])
    },
    Example("stride 1", [.init([1, 2, 4, 3]), .argmax([1, 2, 4, 3], 9)]) {
      Tensor(MaxPoolBackward(geometry: .square(3, stride: 1), size: [6, 5]), $0[0], $0[1])
    },
    Example("stride larger than the window", [.init([1, 1, 3, 2]), .argmax([1, 1, 3, 2], 4)]) {
      Tensor(MaxPoolBackward(geometry: .square(2, stride: 3), size: [9, 7]), $0[0], $0[1])
    },
    Example("empty batch", [.init([0, 1, 2, 2]), .argmax([0, 1, 2, 2], 4)]) {
      Tensor(MaxPoolBackward(geometry: .square(2, stride: 2), size: [4, 4]), $0[0], $0[1])
    },
  ]
}

extension Example.Input {
  /// Places in windows of `area` elements.
  static func argmax(_ shape: [Int], _ area: Int) -> Example.Input {
    .init(shape, .whole(0...(area - 1)), .int32)
  }
}

extension MaxPoolBackward: FollowsLayout {
  package func laidOut(_ layout: Layout, _ operands: [TensorType]) -> LaidOutOperation? {
    geometry.laidOut(layout, results: 1) { geometry, width in
      MaxPoolBackward(geometry: geometry, size: size + [width])
    }
  }
}
