import AgnesiArrays
import AgnesiLoops

/// The largest element of each window, and its place.
///
/// Two results: the values, and the row-major position of the first largest element within its
/// window (int32; padding counts in positions but never wins). A NaN in a window is its largest
/// element.
package struct MaxPool: Operation {
  package static let name = "maxPool"
  package var leavesElementsOut: Bool { true }
  package let geometry: PoolingGeometry

  package init(geometry: PoolingGeometry) { self.geometry = geometry }

  package var resultCount: Int { 2 }
  package var roles: [String] { ["input"] }

  package func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let x = operands[0]
    try geometry.validate(x)
    guard x.dtype.isFloating else {
      throw TypeError(
        "needs a floating operand, got \(x.dtype)", hint: x.dtype.conversionHint(to: .float32))
    }
    let shape = try geometry.outputShape(x.shape)
    return [TensorType(x.dtype, shape), TensorType(.int32, shape)]
  }

  package func gradient(
    _ upstream: [Tensor?], operands: [Tensor], results: [Tensor]
  ) -> [Tensor?] {
    guard let upstream = upstream[0] else { return [nil] }
    let size = geometry.split(operands[0].shape).spatial
    return [Tensor(MaxPoolBackward(geometry: geometry, size: size), upstream, results[1])]
  }

  package func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    let x = operands[0].doubles
    let shape = types[0].knownShape ?? []
    var values = [Double](repeating: -.infinity, count: shape.product)
    var argmax = [Double](repeating: -1, count: values.count)
    geometry.forEachMember(input: operands[0].shape, output: shape) { position, window, within in
      let isFirst = argmax[window] < 0
      guard isFirst || (!(x[position] <= values[window]) && !values[window].isNaN) else { return }
      values[window] = x[position]
      argmax[window] = Double(within)
    }
    return [
      NDArray(rounding: values, shape: shape, types[0].dtype),
      NDArray(rounding: argmax, shape: shape, .int32),
    ]
  }

  package func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering? {
    let (leading, spatial) = geometry.split(results[0].shape)
    let planes = leading.reduce(1) { $0 * $1 }
    return .loops { context in
      let body = context.nest("o", [planes] + spatial, parallel: true, vector: true) { index in
        let plane = Reshape.indices(of: index[0], in: leading)
        return self.window(context, plane: plane, output: Array(index.dropFirst()))
      }
      return body
    }
  }

  private static let (best, place) = (0, 1)

  /// The statements of one window: start with the first element inside, compare with all.
  private func window(
    _ context: LoopContext, plane: [Scalar], output: [Scalar]
  ) -> [Statement] {
    let x = context.operands[0]
    let sizes = geometry.split(x.shape).spatial
    let best = Scalar.local(Self.best, x.dtype.computed)
    let first = firstInside(output)
    var statements: [Statement] = [
      .define(Self.best, x(plane + first.index)),
      .define(Self.place, geometry.position(within: first.within).cast(to: .int32)),
    ]
    statements += compare(
      within: { within in
        let (index, conditions) = geometry.input(output: output, within: within, sizes: sizes)
        let value = Scalar.guarded(by: conditions, x(plane + index))
        let isLarger = Scalar.unary(.not, value .<= best) .& .unary(.not, best(.isNaN))
        let isTaken = conditions.reduce(isLarger) { $0 .& $1 }
        let position = geometry.position(within: within).cast(to: .int32)
        // Choices instead of branches: neighbouring windows are compared in one vector.
        return [
          .assign(Self.place, .select(isTaken, position, .local(Self.place, .int32))),
          .assign(Self.best, .select(isTaken, value, best)),
        ]
      }, context)
    if context.isUsed[0] { statements.append(context.results[0].store(best, at: plane + output)) }
    if context.isUsed[1] {
      let place = Scalar.local(Self.place, .int32)
      statements.append(context.results[1].store(place, at: plane + output))
    }
    return statements
  }

  /// Windows of at most this many elements are written out.
  private static let unrolledArea = 16

  /// The statements for all elements of a window, in row-major order.
  private func compare(
    within body: ([Scalar]) -> [Statement], _ context: LoopContext
  ) -> [Statement] {
    let shape = geometry.window.map { Size($0) }
    guard geometry.area <= Self.unrolledArea else { return context.nest("k", shape, body: body) }
    return (0..<geometry.area).flatMap { element in
      body(Reshape.indices(of: .index(Size(element)), in: shape))
    }
  }

  /// The first element of a window that is not padding, which exists since padding is smaller than
  /// the window and the last window begins inside.
  private func firstInside(_ output: [Scalar]) -> (index: [Scalar], within: [Scalar]) {
    var (index, within): ([Scalar], [Scalar]) = ([], [])
    for axis in output.indices {
      let step = Scalar.index(Size(geometry.stride[axis]))
      let start = output[axis] * step - .index(Size(geometry.padBegin[axis]))
      let isPadded = geometry.padBegin[axis] > 0
      let position = isPadded ? .binary(.maximum, start, .index(0)) : start
      index.append(position)
      within.append(isPadded ? position - start : .index(0))
    }
    return (index, within)
  }
}

extension MaxPool {
  package static let examples = [
    Example("2×2", [.init([2, 3, 6, 8], .distinct)]) { maxPool2D($0[0]) },
    Example("both results", [.init([1, 2, 5, 6], .distinct)], differentiable: false) {
      Tensor.make(MaxPool(geometry: .square(3, stride: 2, padding: 1)), $0)
    },
    Example("only the argmax", [.init([1, 2, 5, 6], .distinct)], differentiable: false) {
      Tensor.make(MaxPool(geometry: .square(3, stride: 2)), $0)[1]
    },
    Example("odd sizes", [.init([3, 2, 7, 5], .distinct)]) { maxPool2D($0[0]) },
    Example("partial windows", [.init([1, 2, 7, 5], .distinct)]) {
      maxPool2D($0[0], partialWindows: true)
    },
    Example("partial, overlapping", [.init([1, 2, 8, 7], .distinct)]) {
      maxPool2D($0[0], window: [3, 3], stride: [2, 2], partialWindows: true)
    },
    Example("overlapping, padded", [.init([2, 2, 7, 6], .distinct)]) {
      maxPool2D($0[0], window: [3, 3], stride: [2, 2], padding: [1, 1])
    },
    Example("stride 1", [.init([1, 2, 5, 4], .distinct)]) {
      maxPool2D($0[0], window: [3, 2], stride: [1, 1])
    },
    Example("stride larger than the window", [.init([1, 2, 9, 8], .distinct)]) {
      maxPool2D($0[0], window: [2, 1], stride: [3, 3])
    },
    Example("size 1", [.init([1, 1, 1, 1])]) { maxPool2D($0[0], window: [1, 1]) },
    Example("no leading axes", [.init([4, 6], .distinct)]) { maxPool2D($0[0]) },
    Example("empty batch", [.init([0, 2, 4, 4])]) { maxPool2D($0[0]) },
    Example("ties and infinities", [.init([1, 1, 2, 4], .given(tied))], differentiable: false) {
      Tensor.make(MaxPool(geometry: .square(2, stride: 2)), $0)
    },
    Example("NaN", [.init([1, 1, 2, 4], .given(notNumbers))], differentiable: false) {
      Tensor.make(MaxPool(geometry: .square(2, stride: 2)), $0)
    },
    Example("not contiguous", [.init([6, 5, 2, 3], .distinct)]) {
      maxPool2D($0[0].transposed([3, 2, 0, 1]))
    },
    Example("one axis", [.init([2, 3, 9], .distinct)]) { maxPool1D($0[0], window: 3, stride: 2) },
    Example("three axes", [.init([1, 2, 4, 5, 6], .distinct)]) { maxPool3D($0[0]) },
  ]

  private static let tied: [Double] = [1, 1, -.infinity, -.infinity, 1, 0, -.infinity, -.infinity]
  private static let notNumbers: [Double] = [1, .nan, 5, 6, .nan, 2, 7, .nan]
}

extension PoolingGeometry {
  static func square(_ size: Int, stride: Int, padding: Int = 0) -> PoolingGeometry {
    PoolingGeometry(
      window: [size, size], stride: [stride, stride], padBegin: [padding, padding],
      padEnd: [padding, padding])
  }
}

extension MaxPool: FollowsLayout {
  package func laidOut(_ layout: Layout, _ operands: [TensorType]) -> LaidOutOperation? {
    geometry.laidOut(layout, results: 2) { geometry, _ in MaxPool(geometry: geometry) }
  }
}
