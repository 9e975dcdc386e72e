import AgnesiExpressions
import AgnesiLoops

extension ONNXOperators {
  /// Kernels that move over images.
  static var convolutions: [ONNXOperator] {
    [
      ONNXOperator("Conv", isFolded: false) { call in
        let (x, kernels) = (try call(0), try call(1))
        var windows = try windows(call, x, kernels)
        try windows.resolve(Array(x.shape.dropFirst(2)))
        let groups = try call.integer("group", 1)
        return try withBias(convolution(x, kernels, windows, groups), call)
      },
      ONNXOperator("ConvTranspose", isFolded: false) { call in
        try withBias(try transposed(call), call)
      },
    ]
  }

  private static func windows(
    _ call: ONNXCall, _ x: Tensor, _ kernels: Tensor
  ) throws -> ONNXWindows {
    guard kernels.rank == x.rank, x.rank >= 3, x.rank <= 5,
      let size = TensorType(.float32, Array(kernels.shape.dropFirst(2))).knownShape
    else { throw ONNXRefusal("kernels \(kernels.type) over \(x.type)") }
    if let stated = try call.integers("kernel_shape"), stated != size {
      throw ONNXRefusal("its kernel_shape is \(stated), its weights \(kernels.type)")
    }
    return try ONNXWindows(call, kernel: size)
  }

  private static func withBias(_ sums: Tensor, _ call: ONNXCall) throws -> Tensor {
    guard let bias = call.optional(2)?.tensor, sums.failure == nil else { return sums }
    try call.checkEachOf(sums.shape[1], "channels of its result", bias, "bias")
    return sums + bias.reshaped([bias.size(0)] + Shape(repeating: 1, count: sums.rank - 2))
  }

  private static func convolution(
    _ x: Tensor, _ kernels: Tensor, _ windows: ONNXWindows, _ groups: Int
  ) -> Tensor {
    let padding = PaddingND.explicit(before: windows.padBegin, behind: windows.padEnd)
    switch x.rank {
    case 3:
      return convolution1D(
        x, kernels, stride: windows.strides[0], padding: padding, dilation: windows.dilations[0],
        groups: groups)
    case 4:
      let (before, behind) = (windows.padBegin, windows.padEnd)
      return convolution2D(
        x, kernels, stride: windows.strides,
        padding: .explicit(top: before[0], bottom: behind[0], left: before[1], right: behind[1]),
        dilation: windows.dilations, groups: groups)
    default:
      return convolution3D(
        x, kernels, stride: windows.strides, padding: padding, dilation: windows.dilations,
        groups: groups)
    }
  }

  private static func transposed(_ call: ONNXCall) throws -> Tensor {
    let (x, kernels) = (try call(0), try call(1))
    var windows = try windows(call, x, kernels)
    let axes = windows.kernel.indices
    let more = try call.integers("output_padding") ?? axes.map { _ in 0 }
    let wanted = try call.integers("output_shape")?.suffix(axes.count).map { $0 }
    guard more.count == axes.count, more.allSatisfy({ $0 >= 0 }),
      wanted.map({ $0.count == axes.count }) ?? true
    else { throw ONNXRefusal("output padding \(more) for \(axes.count) axes") }
    let isSame = windows.automatic.hasPrefix("SAME")
    let moreBehind = windows.automatic == "SAME_UPPER"
    var size = Shape()
    for axis in axes {
      let input = x.shape[axis + 2]
      let full =
        (input - 1) * Size(windows.strides[axis])
        + Size(windows.span(axis) + more[axis])
      if wanted != nil || isSame {
        let target = wanted.map { Size($0[axis]) } ?? input * Size(windows.strides[axis])
        guard let total = (full - target).known, total >= 0 else {
          throw ONNXRefusal("a result of size \(target) from one of at most \(full)")
        }
        windows.distribute(total, axis: axis, moreBehind: moreBehind)
      }
      size.append(full - Size(windows.padBegin[axis] + windows.padEnd[axis]))
    }
    if let negative = size.compactMap(\.known).first(where: { $0 < 1 }) {
      throw ONNXRefusal("the padding leaves a result of size \(negative)")
    }
    let geometry = ConvolutionGeometry(
      stride: windows.strides, padBegin: windows.padBegin, padEnd: windows.padEnd,
      dilation: windows.dilations, groups: try call.integer("group", 1))
    return Tensor(ConvolutionBackwardData(geometry: geometry, size: size), x, kernels)
  }
}
