import AgnesiArrays
import AgnesiLoops

/// The sum of each window; padding counts as 0. What average pooling is made of.
package struct SumPool: Operation {
  package static let name = "sumPool"
  /// Steps may skip elements, and windows that do not fit are left away.
  package var leavesElementsOut: Bool { true }
  package let geometry: PoolingGeometry

  package init(geometry: PoolingGeometry) { self.geometry = geometry }

  package var roles: [String] { ["input"] }

  package func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let x = operands[0]
    try geometry.validate(x)
    guard x.dtype.isFloating else {
      throw TypeError(
        "needs a floating operand, got \(x.dtype)", hint: x.dtype.conversionHint(to: .float32))
    }
    return [TensorType(x.dtype, try geometry.outputShape(x.shape))]
  }

  package func gradient(
    _ upstream: [Tensor?], operands: [Tensor], results: [Tensor]
  ) -> [Tensor?] {
    guard let upstream = upstream[0] else { return [nil] }
    let size = geometry.split(operands[0].shape).spatial
    return [Tensor(SumPoolBackward(geometry: geometry, size: size), upstream)]
  }

  package func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    let x = operands[0].doubles
    let shape = types[0].knownShape ?? []
    var result = [Double](repeating: 0, count: shape.product)
    geometry.forEachMember(input: operands[0].shape, output: shape) { position, window, _ in
      result[window] += x[position]
    }
    return [NDArray(rounding: result, shape: shape, types[0].dtype)]
  }

  package func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering? {
    let geometry = geometry
    let (leading, sizes) = geometry.split(operands[0].shape)
    let window = geometry.window.map { Size($0) }
    return .reduce(.sum, over: window) { index, domain, operands in
      let (position, conditions) = geometry.input(
        output: Array(index.dropFirst(leading.count)), within: domain, sizes: sizes)
      let value = operands[0](Array(index.prefix(leading.count)) + position)
      return .guarded(by: conditions, value)
    }
  }

  package static let examples = [
    Example("2×2", [.init([2, 3, 6, 8])]) { sumPool2D($0[0]) },
    Example("odd sizes", [.init([3, 2, 7, 5])]) { sumPool2D($0[0]) },
    Example("partial windows", [.init([1, 2, 7, 5])]) { sumPool2D($0[0], partialWindows: true) },
    Example("overlapping, padded", [.init([2, 2, 7, 6])]) {
      sumPool2D($0[0], window: [3, 3], stride: [2, 2], padding: [1, 1])
    },
    Example("stride 1", [.init([1, 2, 5, 4])]) {
      sumPool2D($0[0], window: [3, 2], stride: [1, 1])
    },
    Example("stride larger than the window", [.init([1, 2, 9, 8])]) {
      sumPool2D($0[0], window: [2, 1], stride: [3, 3])
    },
    Example("size 1", [.init([1, 1, 1, 1])]) { sumPool2D($0[0], window: [1, 1]) },
    Example("empty batch", [.init([0, 2, 4, 4])]) { sumPool2D($0[0]) },
    Example("not contiguous", [.init([6, 5, 2, 3])]) {
      sumPool2D($0[0].transposed([3, 2, 0, 1]))
    },
  ]
}

/// The adjoint of sum pooling: the sum of the gradients of all windows that see an element.
package struct SumPoolBackward: Operation {
  package static let name = "sumPoolBackward"
  package let geometry: PoolingGeometry
  /// The sizes of the pooled axes before pooling.
  package let size: Shape

  package init(geometry: PoolingGeometry, size: Shape) {
    self.geometry = geometry
    self.size = size
  }

  package var roles: [String] { ["gradients"] }

  package func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let gradients = operands[0]
    try geometry.validate(gradients)
    guard gradients.dtype.isFloating else {
      throw TypeError("needs floating gradients, got \(gradients.dtype)")
    }
    let shape = geometry.split(gradients.shape).leading + size
    try geometry.validate(outputs: gradients.shape, input: shape)
    return [TensorType(gradients.dtype, shape)]
  }

  package func gradient(
    _ upstream: [Tensor?], operands: [Tensor], results: [Tensor]
  ) -> [Tensor?] {
    [upstream[0].map { Tensor(SumPool(geometry: geometry), $0) }]
  }

  package func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    let gradients = operands[0].doubles
    let shape = types[0].knownShape ?? []
    var result = [Double](repeating: 0, count: shape.product)
    geometry.forEachMember(input: shape, output: operands[0].shape) { position, window, _ in
      result[position] += gradients[window]
    }
    return [NDArray(rounding: result, shape: shape, types[0].dtype)]
  }

  package func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering? {
    geometry.scattering(operands[0].shape, to: results[0].shape) { window, _, operands in
      operands[0](window)
    }
  }

  package func substituting(_ sizes: [String: Size]) -> SumPoolBackward {
    SumPoolBackward(geometry: geometry, size: size.map { $0.substituting(sizes) })
  }

  package static let examples = [
    Example("2×2", [.init([2, 3, 3, 4])]) {
      Tensor(SumPoolBackward(geometry: .square(2, stride: 2), size: [6, 8]), $0[0])
    },
    Example("a rest at the border", [.init([1, 2, 3, 2])]) {
      Tensor(SumPoolBackward(geometry: .square(2, stride: 2), size: [7, 5]), $0[0])
    },
    Example("overlapping, padded", [.init([2, 1, 4, 3])]) {
      Tensor(SumPoolBackward(geometry: .square(3, stride: 2, padding: 1), size: [7, 6]), $0[0])
    },
    Example("stride 1", [.init([1, 2, 4, 3])]) {
      Tensor(SumPoolBackward(geometry: .square(3, stride: 1), size: [6, 5]), $0[0])
    },
    Example("empty batch", [.init([0, 1, 2, 2])]) {
      Tensor(SumPoolBackward(geometry: .square(2, stride: 2), size: [4, 4]), $0[0])
    },
  ]
}

extension SumPool: FollowsLayout {
  package func laidOut(_ layout: Layout, _ operands: [TensorType]) -> LaidOutOperation? {
    geometry.laidOut(layout, results: 1) { geometry, _ in SumPool(geometry: geometry) }
  }
}

extension SumPoolBackward: FollowsLayout {
  package func laidOut(_ layout: Layout, _ operands: [TensorType]) -> LaidOutOperation? {
    geometry.laidOut(layout, results: 1) { geometry, width in
      SumPoolBackward(geometry: geometry, size: size + [width])
    }
  }
}
