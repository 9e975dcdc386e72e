import AgnesiArrays
import AgnesiLoops

/// The elements at a given argmax of windows: what maximum pooling takes, with the argmax of
/// another tensor's maxima. The adjoint of ``MaxPoolBackward``. A place on padding gives 0.
package struct MaxPoolTaken: Operation {
  package static let name = "maxPoolTaken"
  package var leavesElementsOut: Bool { true }
  package let geometry: PoolingGeometry

  package init(geometry: PoolingGeometry) { self.geometry = geometry }

  package var roles: [String] { ["input", "argmax"] }

  package func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let (x, argmax) = (operands[0], operands[1])
    try geometry.validate(x)
    guard x.dtype.isFloating, argmax.dtype == .int32 else {
      throw TypeError("needs floating values and an int32 argmax, got \(x) and \(argmax)")
    }
    try geometry.validate(outputs: argmax.shape, input: x.shape)
    return [TensorType(x.dtype, argmax.shape)]
  }

  package func gradient(
    _ upstream: [Tensor?], operands: [Tensor], results: [Tensor]
  ) -> [Tensor?] {
    guard let upstream = upstream[0] else { return [nil, nil] }
    let size = geometry.split(operands[0].shape).spatial
    return [Tensor(MaxPoolBackward(geometry: geometry, size: size), upstream, operands[1]), nil]
  }

  package func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    let (x, argmax) = (operands[0].doubles, operands[1].doubles)
    let shape = types[0].knownShape ?? []
    var result = [Double](repeating: 0, count: shape.product)
    geometry.forEachMember(input: operands[0].shape, output: shape) { position, window, within in
      if Double(within) == argmax[window] { result[window] = x[position] }
    }
    return [NDArray(rounding: result, shape: shape, types[0].dtype)]
  }

  package func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering? {
    let geometry = geometry
    let (leading, sizes) = geometry.split(operands[0].shape)
    let window = geometry.window.map { Size($0) }
    return .pull { index, operands in
      let place = operands[1](index).cast(to: .int64)
      let within = Reshape.indices(of: place, in: window)
      let (position, conditions) = geometry.input(
        output: Array(index.dropFirst(leading.count)), within: within, sizes: sizes)
      let value = operands[0](Array(index.prefix(leading.count)) + position)
      return .guarded(by: conditions, value)
    }
  }

  package static let examples = [
    Example("2×2", [.init([2, 3, 6, 8]), .argmax([2, 3, 3, 4], 4)]) {
      Tensor(MaxPoolTaken(geometry: .square(2, stride: 2)), $0[0], $0[1])
    },
    Example("overlapping, padded", [.init([2, 1, 7, 6]), .argmax([2, 1, 4, 3], 9)]) {
      Tensor(MaxPoolTaken(geometry: .square(3, stride: 2, padding: 1)), $0[0], $0[1])
    },
    Example("not contiguous", [.init([6, 4, 1, 2]), .argmax([2, 1, 3, 2], 4)]) {
      Tensor(MaxPoolTaken(geometry: .square(2, stride: 2)), $0[0].transposed([3, 2, 0, 1]), $0[1])
    },
    Example("empty batch", [.init([0, 1, 4, 4]), .argmax([0, 1, 2, 2], 4)]) {
      Tensor(MaxPoolTaken(geometry: .square(2, stride: 2)), $0[0], $0[1])
    },
  ]
}

extension MaxPoolTaken: FollowsLayout {
  package func laidOut(_ layout: Layout, _ operands: [TensorType]) -> LaidOutOperation? {
    geometry.laidOut(layout, results: 1) { geometry, _ in MaxPoolTaken(geometry: geometry) }
  }
}
