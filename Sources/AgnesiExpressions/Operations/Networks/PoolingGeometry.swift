import AgnesiArrays
import AgnesiLoops

/// How windows move over the last axes of a tensor: everything about pooling but the sizes.
package struct PoolingGeometry: Hashable, Sendable, Codable {
  package var window: [Int]
  package var stride: [Int]
  package var padBegin: [Int]
  package var padEnd: [Int]
  /// Whether a last window that only begins inside the input counts.
  package var partialWindows: Bool

  package init(
    window: [Int], stride: [Int], padBegin: [Int], padEnd: [Int], partialWindows: Bool = false
  ) {
    self.window = window
    self.stride = stride
    self.padBegin = padBegin
    self.padEnd = padEnd
    self.partialWindows = partialWindows
  }

  package var axisCount: Int { window.count }

  /// The number of elements of a window.
  package var area: Int { window.product }

  /// `shape` split before the axes that windows move along.
  package func split(_ shape: Shape) -> (leading: Shape, spatial: Shape) {
    (Array(shape.dropLast(axisCount)), Array(shape.suffix(axisCount)))
  }

  /// The number of windows along each axis: those that fit into the padded input, or with partial
  /// windows those that begin inside it.
  package func outputShape(_ shape: Shape) throws(TypeError) -> Shape {
    let (leading, spatial) = split(shape)
    var result = leading
    for (axis, size) in spatial.enumerated() {
      result.append(try outputSize(size, axis: axis, of: shape.count))
    }
    return result
  }

  private func outputSize(_ input: Size, axis: Int, of rank: Int) throws(TypeError) -> Size {
    let position = rank - axisCount + axis
    let (window, step) = (window[axis], Size(stride[axis]))
    let padded = input + Size(padBegin[axis] + padEnd[axis])
    if input.isZero { throw TypeError("axis \(position) is empty, no window sees an element") }
    if partialWindows {
      // Of "covers everything" and "begins inside", the condition that allows fewer windows.
      let excess = Swift.min(padEnd[axis] - window + stride[axis] - 1, -1)
      let count = (input + Size(padBegin[axis] + excess)) / step + 1
      return count.known.map { Size(Swift.max($0, 1)) } ?? count
    }
    if let available = padded.known, available < window {
      throw TypeError(
        "the window spans \(window) along axis \(position), the padded input only \(available)",
        hint: "partialWindows: true allows it")
    }
    return (padded - Size(window)) / step + 1
  }

  /// Checks the attributes and that `operand` has enough axes.
  func validate(_ operand: TensorType) throws(TypeError) {
    guard axisCount > 0, [stride, padBegin, padEnd].allSatisfy({ $0.count == axisCount }) else {
      throw TypeError(
        "window, stride and padding of different lengths: \(window), \(stride) and \(padBegin)")
    }
    guard (window + stride).allSatisfy({ $0 >= 1 }) else {
      throw TypeError("windows and strides are at least 1, got \(window) and \(stride)")
    }
    for padding in [padBegin, padEnd] {
      guard zip(padding, window).allSatisfy({ $0 >= 0 && $0 < $1 }) else {
        throw TypeError(
          "padding is at least 0 and smaller than the window, got \(padding) for \(window)")
      }
    }
    guard operand.rank >= axisCount else {
      throw TypeError("needs at least \(axisCount) axes, got \(operand.rank)")
    }
  }

  /// Checks that `outputs` is the shape of the windows over `input`.
  func validate(outputs: Shape, input: Shape) throws(TypeError) {
    let expected = try outputShape(input)
    guard expected.count == outputs.count,
      zip(expected, outputs).allSatisfy({ $0.mayEqual($1) })
    else {
      let (have, want) = (TensorType(.float32, outputs), TensorType(.float32, expected))
      throw TypeError(
        "values \(have.shapeText) for windows \(want.shapeText)")
    }
  }
}

extension TensorType {
  /// The sizes without the dtype: `[batch, 10]`.
  var shapeText: String { "[\(shape.map(\.description).joined(separator: ", "))]" }
}

// MARK: - Loops

extension PoolingGeometry {
  /// The input under element `within` of the window at `output`, and what must hold for it to be
  /// inside.
  func input(
    output: [Scalar], within: [Scalar], sizes: Shape
  ) -> (index: [Scalar], conditions: [Scalar]) {
    var conditions: [Scalar] = []
    let index = (0..<axisCount).map { axis in
      let start = output[axis] * .index(Size(stride[axis])) - .index(Size(padBegin[axis]))
      let position = start + within[axis]
      if padBegin[axis] > 0 { conditions.append(.index(0) .<= position) }
      if padEnd[axis] > 0 || partialWindows { conditions.append(position .< .index(sizes[axis])) }
      return position
    }
    return (index, conditions)
  }

  /// How many windows at most see one input, along each axis.
  var coverage: [Int] { zip(window, stride).map { ($0 + $1 - 1) / $1 } }

  /// The `candidate`-th last window that may see `input`, the element's place in that window, and
  /// what must hold for it to see it.
  func output(
    input: [Scalar], candidate: [Scalar], inputs: Shape, outputs: Shape
  ) -> (index: [Scalar], within: [Scalar], conditions: [Scalar]) {
    var (index, within, conditions): ([Scalar], [Scalar], [Scalar]) = ([], [], [])
    for axis in 0..<axisCount {
      let shifted = input[axis] + .index(Size(padBegin[axis]))
      let step = Scalar.index(Size(stride[axis]))
      let position = Scalar.binary(.floorDivide, shifted, step) - candidate[axis]
      let place = shifted - position * step
      index.append(position)
      within.append(place)
      if coverage[axis] > 1 { conditions.append(.index(0) .<= position) }
      if window[axis] % stride[axis] != 0 { conditions.append(place .< .index(Size(window[axis]))) }
      if !coversAll(inputs[axis], outputs[axis], axis: axis) {
        conditions.append(position .< .index(outputs[axis]))
      }
    }
    return (index, within, conditions)
  }

  /// The lowering of an adjoint of pooling, as a pull: each element of the input sums what the windows that
  /// see it give.
  ///
  /// - Parameters:
  ///   - outputs: the shape of the windows' results.
  ///   - inputs: the shape of what was pooled.
  ///   - share: what a window gives to one of its elements: the window's index among the outputs, the
  ///     element's place within it, and the operands. It is asked, and reads memory, only where there is a
  ///     window that sees the element.
  func scattering(
    _ outputs: Shape, to inputs: Shape,
    _ share: @escaping (_ window: [Scalar], _ within: [Scalar], [Reader]) -> Scalar
  ) -> Lowering {
    let (leading, inputs) = split(inputs)
    let outputs = split(outputs).spatial
    func value(_ index: [Scalar], _ candidate: [Scalar], _ operands: [Reader]) -> Scalar {
      let window = output(
        input: Array(index.dropFirst(leading.count)), candidate: candidate, inputs: inputs,
        outputs: outputs)
      let position = Array(index.prefix(leading.count)) + window.index
      return .guarded(by: window.conditions, share(position, window.within, operands))
    }
    if coverage.allSatisfy({ $0 == 1 }) {
      let only = coverage.map { _ in Scalar.index(0) }
      return .pull { index, operands in value(index, only, operands) }
    }
    return .reduce(.sum, over: coverage.map { Size($0) }, value)
  }

  /// Whether the last window that begins before the end of the input is one of `outputs`.
  private func coversAll(_ input: Size, _ outputs: Size, axis: Int) -> Bool {
    guard let size = input.known, let count = outputs.known else { return false }
    return (size - 1 + padBegin[axis]) / stride[axis] < count
  }

  /// The row-major position of `place` in a window.
  func position(within place: [Scalar]) -> Scalar {
    Reshape.position(place, in: window.map { Size($0) })
  }
}

// MARK: - Reference

extension PoolingGeometry {
  /// One element of one window, as row-major positions.
  struct Member {
    var output = 0
    var within = 0
    var input = 0
  }

  /// The elements of all windows over one plane, window by window, each in row-major order; what
  /// falls on padding is left out.
  func members(input: [Int], output: [Int]) -> [Member] {
    var result = [Member()]
    for axis in 0..<axisCount {
      var line: [Member] = []
      for o in 0..<output[axis] {
        for k in 0..<window[axis] {
          let position = o * stride[axis] + k - padBegin[axis]
          guard position >= 0, position < input[axis] else { continue }
          line.append(Member(output: o, within: k, input: position))
        }
      }
      result = result.flatMap { outer in
        line.map { inner in
          Member(
            output: outer.output * output[axis] + inner.output,
            within: outer.within * window[axis] + inner.within,
            input: outer.input * input[axis] + inner.input)
        }
      }
    }
    return result.sorted { ($0.output, $0.within) < ($1.output, $1.within) }
  }

  /// Visits every element of every window of an array of shape `input`, as positions in the whole
  /// arrays.
  func forEachMember(
    input: [Int], output: [Int], _ body: (_ x: Int, _ y: Int, _ within: Int) -> Void
  ) {
    let (planeIn, planeOut) = (Array(input.suffix(axisCount)), Array(output.suffix(axisCount)))
    let (sizeIn, sizeOut) = (planeIn.product, planeOut.product)
    let members = members(input: planeIn, output: planeOut)
    for plane in 0..<input.dropLast(axisCount).product {
      for member in members {
        body(plane * sizeIn + member.input, plane * sizeOut + member.output, member.within)
      }
    }
  }
}

extension PoolingGeometry {
  /// The same windows where an axis lies innermost that they do not move along.
  fileprivate var besideInnermost: PoolingGeometry {
    PoolingGeometry(
      window: window + [1], stride: stride + [1], padBegin: padBegin + [0], padEnd: padEnd + [0],
      partialWindows: partialWindows)
  }

  /// What pooling is in a layout: pooling along one axis more, with windows of one element there; nil where
  /// the windows move along the axis in blocks.
  func laidOut(
    _ layout: Layout, results: Int,
    _ operation: (_ geometry: PoolingGeometry, _ width: Size) -> any Operation
  ) -> LaidOutOperation? {
    guard let (axis, width) = layout.block, axis < layout.rank - axisCount else { return nil }
    return LaidOutOperation(
      operation: operation(besideInnermost, Size(width)),
      results: [Layout](repeating: layout, count: results))
  }
}
