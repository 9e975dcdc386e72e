import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

extension ONNXOperators {
  /// One value for each window.
  static var pooling: [ONNXOperator] {
    [
      ONNXOperator("MaxPool", isFolded: false) { call in
        try call.refuse(call.asks(for: 1), "its second output, the argmax of each window,")
        let x = try call(0)
        let dtype: DType = x.dtype.isFloating ? x.dtype : .float32
        guard x.dtype.isFloating || x.dtype.size == 1 else {
          throw ONNXRefusal("pooling of \(x.dtype) is not supported")
        }
        let geometry = try geometry(call, x)
        return Tensor(MaxPool(geometry: geometry), x.cast(to: dtype)).cast(to: x.dtype)
      },
      ONNXOperator("AveragePool", isFolded: false, averaged),
      ONNXOperator("LpPool", isFolded: false) { call in
        let x = try call(0)
        let p = Double(try call.integer("p", 2))
        guard p >= 1 else { throw ONNXRefusal("a norm of order \(p)") }
        let sums = Tensor(SumPool(geometry: try geometry(call, x)), power(abs(x.widened), p))
        return power(sums, 1 / p).narrowed(as: x)
      },
      ONNXOperator("GlobalAveragePool") { call in
        try whole(call) { $0.mean(axes: $1, keepingAxes: true) }
      },
      ONNXOperator("GlobalMaxPool") { call in
        try whole(call) { $0.max(axes: $1, keepingAxes: true) }
      },
      ONNXOperator("GlobalLpPool") { call in
        let p = Double(try call.integer("p", 2))
        guard p >= 1 else { throw ONNXRefusal("a norm of order \(p)") }
        return try whole(call) { x, axes in
          power(power(abs(x.widened), p).sum(axes: axes, keepingAxes: true), 1 / p)
            .narrowed(as: x)
        }
      },
    ]
  }

  private static func whole(
    _ call: ONNXCall, _ function: (Tensor, [Int]) -> Tensor
  ) throws -> Tensor {
    let x = try call(0)
    guard x.rank > 2 else { throw ONNXRefusal("pooling of \(x.type)") }
    return function(x, Array(2..<x.rank))
  }

  private static func geometry(_ call: ONNXCall, _ x: Tensor) throws -> PoolingGeometry {
    guard let kernel = try call.integers("kernel_shape"), kernel.count == x.rank - 2,
      (1...3).contains(kernel.count)
    else { throw ONNXRefusal("its kernel_shape does not fit \(x.type)") }
    var windows = try ONNXWindows(call, kernel: kernel)
    try call.refuse(windows.dilations.contains { $0 != 1 }, "pooling with dilations")
    try windows.resolve(Array(x.shape.dropFirst(2)))
    return PoolingGeometry(
      window: windows.kernel, stride: windows.strides, padBegin: windows.padBegin,
      padEnd: windows.padEnd, partialWindows: windows.roundsUp)
  }

  private static func averaged(_ call: ONNXCall) throws -> Tensor {
    let x = try call(0)
    let countsPadding = try call.flag("count_include_pad")
    let geometry = try geometry(call, x)
    if geometry.padBegin == geometry.padEnd, geometry.axisCount == 2 {
      return averagePool2D(
        x, window: geometry.window, stride: geometry.stride, padding: geometry.padBegin,
        partialWindows: geometry.partialWindows, countingPadding: countsPadding)
    }
    let sums = Tensor(SumPool(geometry: geometry), x)
    let isPlain =
      !geometry.partialWindows && (geometry.padBegin + geometry.padEnd).allSatisfy { $0 == 0 }
    if !geometry.partialWindows, countsPadding || isPlain { return sums / Double(geometry.area) }
    // How many elements there are under each window: the sum of as many ones.
    let spatial = Array(x.shape.dropFirst(2))
    var counted = geometry
    var area = spatial
    if countsPadding {
      area = spatial.indices.map { spatial[$0] + Size(geometry.padBegin[$0] + geometry.padEnd[$0]) }
      (counted.padBegin, counted.padEnd) = (area.map { _ in 0 }, area.map { _ in 0 })
    }
    var counts = Tensor(SumPool(geometry: counted), .filled(1, [1, 1] + area, x.dtype))
    // Windows that begin in the padding behind are none.
    for axis in spatial.indices where counts.failure == nil {
      let size = sums.size(axis + 2)
      if counts.size(axis + 2) != size {
        counts = counts.split(sizes: [size, counts.size(axis + 2) - size], axis: axis + 2)[0]
      }
    }
    return sums / counts
  }
}
