import AgnesiArrays
import AgnesiLoops

/// How kernels move over an image: everything about a convolution but the sizes of its operands.
///
/// One number for each spatial axis, so that the same three operations serve sequences, images and
/// volumes. Output position `o` of an axis reads inputs `o · stride + k · dilation - padBegin`.
package struct ConvolutionGeometry: Hashable, Sendable, Codable {
  package var stride: [Int]
  package var padBegin: [Int]
  package var padEnd: [Int]
  package var dilation: [Int]
  /// Channels and filters fall into this many parts that do not see each other.
  package var groups: Int

  package init(
    stride: [Int], padBegin: [Int], padEnd: [Int], dilation: [Int], groups: Int = 1
  ) {
    self.stride = stride
    self.padBegin = padBegin
    self.padEnd = padEnd
    self.dilation = dilation
    self.groups = groups
  }

  package var axisCount: Int { stride.count }

  /// The number of inputs between the first and the last that a kernel of `size` sees, both
  /// included.
  package func span(of size: Size, axis: Int) -> Size { (size - 1) * Size(dilation[axis]) + 1 }

  /// The number of positions of the kernel along an axis. Source: Dumoulin & Visin, *A guide to
  /// convolution arithmetic for deep learning*, relationship 6, with dilation.
  package func outputSize(
    input: Size, kernel: Size, axis: Int
  ) throws(TypeError) -> Size {
    let padded = input + Size(padBegin[axis] + padEnd[axis])
    let span = span(of: kernel, axis: axis)
    if let size = kernel.known, size < 1 {
      throw TypeError("a kernel of size \(size) along axis \(axis + 2)")
    }
    if let available = padded.known, let needed = span.known, needed > available {
      throw TypeError(
        "the kernel spans \(needed) along axis \(axis + 2), the padded input only \(available)",
        hint: "padding of \(needed - available) more makes it fit")
    }
    return (padded - span) / Size(stride[axis]) + 1
  }

  package func outputShape(input: Shape, kernel: Shape) throws(TypeError) -> Shape {
    var result = Shape()
    for axis in 0..<axisCount {
      result.append(try outputSize(input: input[axis], kernel: kernel[axis], axis: axis))
    }
    return result
  }

  /// Checks the attributes themselves.
  func validate() throws(TypeError) {
    let lists = [stride, padBegin, padEnd, dilation]
    guard axisCount > 0, lists.allSatisfy({ $0.count == axisCount }) else {
      let counts = "\(stride), \(padBegin), \(padEnd) and \(dilation)"
      throw TypeError("strides, padding and dilation of different lengths: \(counts)")
    }
    guard stride.allSatisfy({ $0 >= 1 }) else {
      throw TypeError("strides are at least 1, got \(stride)")
    }
    guard dilation.allSatisfy({ $0 >= 1 }) else {
      throw TypeError("dilations are at least 1, got \(dilation)")
    }
    guard (padBegin + padEnd).allSatisfy({ $0 >= 0 }) else {
      throw TypeError("padding is at least 0, got \(padBegin) before and \(padEnd) behind")
    }
    guard groups >= 1 else { throw TypeError("the number of groups is at least 1, got \(groups)") }
  }

  /// Checks what all three operations ask of their two operands.
  func validate(_ first: TensorType, _ second: TensorType) throws(TypeError) {
    try validate()
    guard first.dtype.isFloating, first.dtype == second.dtype else {
      throw TypeError(
        "needs two operands of one floating dtype, got \(first.dtype) and \(second.dtype)")
    }
    guard first.rank == axisCount + 2, second.rank == axisCount + 2 else {
      throw TypeError(
        "needs two operands of \(axisCount + 2) axes, got \(first.rank) and \(second.rank)")
    }
  }

  /// Checks channels against kernels `[filters, channels / groups, …]`.
  func validate(channels: Size, kernels: Shape) throws(TypeError) {
    try validateGroups(of: channels, "channels")
    try validateGroups(of: kernels[0], "filters")
    guard channels.mayEqual(kernels[1] * Size(groups)) else {
      let parts = groups == 1 ? "" : " in \(groups) groups"
      throw TypeError("the input has \(channels) channels\(parts), each kernel takes \(kernels[1])")
    }
  }

  func validateGroups(of size: Size, _ what: String) throws(TypeError) {
    if let known = size.known, known % groups != 0 {
      throw TypeError("\(groups) groups do not divide \(known) \(what)")
    }
  }
}

// MARK: - Loops

extension ConvolutionGeometry {
  /// The input that kernel position `kernel` sees from output position `output`, and what must hold
  /// for it to be inside; nothing where padding cannot be reached.
  func input(
    output: [Scalar], kernel: [Scalar], sizes: Shape
  ) -> (index: [Scalar], conditions: [Scalar]) {
    var conditions: [Scalar] = []
    let index = (0..<axisCount).map { axis in
      let start = output[axis] * .index(Size(stride[axis])) - .index(Size(padBegin[axis]))
      let position = start + kernel[axis] * .index(Size(dilation[axis]))
      if padBegin[axis] > 0 { conditions.append(.index(0) .<= position) }
      if padEnd[axis] > 0 { conditions.append(position .< .index(sizes[axis])) }
      return position
    }
    return (index, conditions)
  }

  /// The output position from which kernel position `kernel` sees input `input`, and what must hold
  /// for there to be one.
  func output(
    input: [Scalar], kernel: [Scalar], sizes: Shape
  ) -> (index: [Scalar], conditions: [Scalar]) {
    var conditions: [Scalar] = []
    let index = (0..<axisCount).map { axis in
      let shifted = input[axis] + .index(Size(padBegin[axis]))
      let scaled = shifted - kernel[axis] * .index(Size(dilation[axis]))
      let step = Scalar.index(Size(stride[axis]))
      let position = Scalar.binary(.floorDivide, scaled, step)
      conditions.append(.index(0) .<= scaled)
      conditions.append(position .< .index(sizes[axis]))
      if stride[axis] > 1 { conditions.append(.binary(.modulo, scaled, step) .== .index(0)) }
      return position
    }
    return (index, conditions)
  }

  /// The group of `index` among `count` channels or filters, and its position within the group.
  func split(_ index: Scalar, of count: Size) -> (group: Scalar, within: Scalar) {
    guard groups > 1 else { return (.index(0), index) }
    let share = Scalar.index(count / Size(groups))
    return (.binary(.floorDivide, index, share), .binary(.modulo, index, share))
  }

  /// The opposite of `split`.
  func join(_ group: Scalar, _ within: Scalar, of count: Size) -> Scalar {
    groups > 1 ? group * .index(count / Size(groups)) + within : within
  }
}

extension Scalar {
  /// `value` where all conditions hold, else 0; the value is not evaluated there.
  static func guarded(by conditions: [Scalar], _ value: Scalar) -> Scalar {
    guard let first = conditions.first else { return value }
    let all = conditions.dropFirst().reduce(first) { $0 .& $1 }
    return .select(all, value, value.like(0))
  }
}

// MARK: - Reference

extension ConvolutionGeometry {
  /// One product of the sum: which output, kernel position and input meet, as row-major positions.
  struct Tap {
    var output = 0
    var kernel = 0
    var input = 0
  }

  /// All meetings of a kernel with an image; what falls on padding is left out.
  func taps(input: [Int], kernel: [Int], output: [Int]) -> [Tap] {
    var result = [Tap()]
    for axis in 0..<axisCount {
      var line: [Tap] = []
      for o in 0..<output[axis] {
        for k in 0..<kernel[axis] {
          let position = o * stride[axis] + k * dilation[axis] - padBegin[axis]
          guard position >= 0, position < input[axis] else { continue }
          line.append(Tap(output: o, kernel: k, input: position))
        }
      }
      result = result.flatMap { outer in
        line.map { inner in
          Tap(
            output: outer.output * output[axis] + inner.output,
            kernel: outer.kernel * kernel[axis] + inner.kernel,
            input: outer.input * input[axis] + inner.input)
        }
      }
    }
    return result
  }

  /// Visits every product of the convolution of `[batch, channels, …]` with
  /// `[filters, channels / groups, …]`, as positions in the three arrays.
  func forEachProduct(
    input: [Int], kernels: [Int], output: [Int], _ body: (_ x: Int, _ w: Int, _ y: Int) -> Void
  ) {
    let areas = [input, kernels, output].map { $0.dropFirst(2).product }
    let taps = taps(
      input: Array(input.dropFirst(2)), kernel: Array(kernels.dropFirst(2)),
      output: Array(output.dropFirst(2)))
    let filtersPerGroup = kernels[0] / groups
    for sample in 0..<input[0] {
      for filter in 0..<kernels[0] {
        let y = (sample * kernels[0] + filter) * areas[2]
        for within in 0..<kernels[1] {
          let channel = filter / filtersPerGroup * kernels[1] + within
          let x = (sample * input[1] + channel) * areas[0]
          let w = (filter * kernels[1] + within) * areas[1]
          for tap in taps { body(x + tap.input, w + tap.kernel, y + tap.output) }
        }
      }
    }
  }
}
