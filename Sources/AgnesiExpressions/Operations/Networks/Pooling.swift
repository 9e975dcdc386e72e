import AgnesiArrays
import AgnesiLoops

/// The largest element of each window of the last two axes.
///
/// - Parameters:
///   - x: `[…, height, width]`, floating; usually `[batch, channels, height, width]`.
///   - window: rows and columns of a window.
///   - stride: rows and columns between windows; those of the window where nil.
///   - padding: rows and columns around the input that never win, smaller than the window.
///   - partialWindows: whether a last window that only begins inside the input counts; without, rows
///     and columns that fill no window are dropped.
/// - Returns: `[…, h, w]` with `h = ⌊(height + 2·padding − window) / stride⌋ + 1` (with partial
///   windows the quotient is rounded up). A window with a NaN gives NaN.
///
/// The gradient goes to the first largest element of each window in row-major order.
///
/// - Complexity: one comparison for each element of each window.
/// - Source: Goodfellow, Bengio & Courville, *Deep Learning*, §9.3.
public func maxPool2D(
  _ x: Tensor, window: [Int] = [2, 2], stride: [Int]? = nil, padding: [Int] = [0, 0],
  partialWindows: Bool = false
) -> Tensor {
  maxPool("maxPool2D", x, axes: 2, window, stride, padding, partialWindows)
}

/// ``maxPool2D(_:window:stride:padding:partialWindows:)`` along the last axis.
public func maxPool1D(
  _ x: Tensor, window: Int = 2, stride: Int? = nil, padding: Int = 0, partialWindows: Bool = false
) -> Tensor {
  maxPool("maxPool1D", x, axes: 1, [window], stride.map { [$0] }, [padding], partialWindows)
}

/// ``maxPool2D(_:window:stride:padding:partialWindows:)`` along the last three axes.
public func maxPool3D(
  _ x: Tensor, window: [Int] = [2, 2, 2], stride: [Int]? = nil, padding: [Int] = [0, 0, 0],
  partialWindows: Bool = false
) -> Tensor {
  maxPool("maxPool3D", x, axes: 3, window, stride, padding, partialWindows)
}

/// The sum of each window of the last two axes; padding counts as 0. Parameters as for
/// ``maxPool2D(_:window:stride:padding:partialWindows:)``.
public func sumPool2D(
  _ x: Tensor, window: [Int] = [2, 2], stride: [Int]? = nil, padding: [Int] = [0, 0],
  partialWindows: Bool = false
) -> Tensor {
  pool("sumPool2D", x, axes: 2, window, stride, padding, partialWindows) {
    geometry throws(TypeError) in try .checked(SumPool(geometry: geometry), x)
  }
}

/// The mean of each window of the last two axes, as a composite.
///
/// - Parameters:
///   - countingPadding: whether padding counts as zeros in the mean; without, only elements of the
///     input count. What a partial window misses never counts.
///   - x, window, stride, padding, partialWindows: as for
///     ``maxPool2D(_:window:stride:padding:partialWindows:)``.
public func averagePool2D(
  _ x: Tensor, window: [Int] = [2, 2], stride: [Int]? = nil, padding: [Int] = [0, 0],
  partialWindows: Bool = false, countingPadding: Bool = false
) -> Tensor {
  averagePool(
    "averagePool2D", x, axes: 2, window, stride, padding, partialWindows, countingPadding)
}

/// ``averagePool2D(_:window:stride:padding:partialWindows:countingPadding:)`` along the last axis.
public func averagePool1D(
  _ x: Tensor, window: Int = 2, stride: Int? = nil, padding: Int = 0, partialWindows: Bool = false,
  countingPadding: Bool = false
) -> Tensor {
  averagePool(
    "averagePool1D", x, axes: 1, [window], stride.map { [$0] }, [padding], partialWindows,
    countingPadding)
}

/// ``averagePool2D(_:window:stride:padding:partialWindows:countingPadding:)`` along the last three
/// axes.
public func averagePool3D(
  _ x: Tensor, window: [Int] = [2, 2, 2], stride: [Int]? = nil, padding: [Int] = [0, 0, 0],
  partialWindows: Bool = false, countingPadding: Bool = false
) -> Tensor {
  averagePool(
    "averagePool3D", x, axes: 3, window, stride, padding, partialWindows, countingPadding)
}

private func maxPool(
  _ name: String, _ x: Tensor, axes: Int, _ window: [Int], _ stride: [Int]?, _ padding: [Int],
  _ partialWindows: Bool
) -> Tensor {
  pool(name, x, axes: axes, window, stride, padding, partialWindows) {
    geometry throws(TypeError) in try .checked(MaxPool(geometry: geometry), x)
  }
}

private func averagePool(
  _ name: String, _ x: Tensor, axes: Int, _ window: [Int], _ stride: [Int]?, _ padding: [Int],
  _ partialWindows: Bool, _ countingPadding: Bool
) -> Tensor {
  pool(name, x, axes: axes, window, stride, padding, partialWindows) {
    geometry throws(TypeError) in
    // The mistakes of the body are the user's, under the name of this function.
    _ = try Tensor.checked(SumPool(geometry: geometry), x)
    let attributes: [String: Attribute] = [
      "window": .integers(geometry.window), "stride": .integers(geometry.stride),
      "padding": .integers(geometry.padBegin),
      "partialWindows": .integers([partialWindows ? 1 : 0]),
      "countingPadding": .integers([countingPadding ? 1 : 0]),
    ]
    return .builtIn("averagePool", [x], attributes: attributes) { operands in
      let sums = Tensor(SumPool(geometry: geometry), operands[0])
      return sums
        / geometry.counts(input: operands[0], sums: sums, countingPadding: countingPadding)
    }
  }
}

/// Checks the numbers of numbers, and reports mistakes under the name of the user's function.
private func pool(
  _ name: String, _ x: Tensor, axes: Int, _ window: [Int], _ stride: [Int]?, _ padding: [Int],
  _ partialWindows: Bool, _ build: (PoolingGeometry) throws(TypeError) -> Tensor
) -> Tensor {
  do throws(TypeError) {
    let lists = [("window", window), ("stride", stride ?? window), ("padding", padding)]
    for (what, list) in lists where list.count != axes {
      throw TypeError("needs a \(what) of \(axes) numbers, got \(list)")
    }
    return try build(
      PoolingGeometry(
        window: window, stride: stride ?? window, padBegin: padding, padEnd: padding,
        partialWindows: partialWindows))
  } catch {
    return .mistake(name, error, [("input", x)])
  }
}

extension PoolingGeometry {
  /// How many elements each window's mean is over, to divide `sums` by.
  fileprivate func counts(input: Tensor, sums: Tensor, countingPadding: Bool) -> Tensor {
    let isPadded = (padBegin + padEnd).contains { $0 > 0 }
    if !partialWindows, countingPadding || !isPadded {
      return .constant(Double(area), sums.dtype)
    }
    let (inputs, outputs) = (split(input.shape).spatial, split(sums.shape).spatial)
    var product: Tensor?
    for axis in 0..<axisCount {
      let (before, behind) = countingPadding ? (padBegin[axis], padEnd[axis]) : (0, 0)
      let start = Tensor.range(outputs[axis]) * stride[axis] - padBegin[axis]
      let end = start + window[axis]
      let limit = Tensor.integer(inputs[axis] + Size(behind))
      let first = select(start .< -before, .constant(Double(-before), .int64), start)
      let last = select(limit .< end, limit, end)
      let narrow = outputs.indices.map { $0 == axis ? outputs[axis] : 1 }
      let count = (last - first).reshaped(narrow)
      product = product.map { $0 * count } ?? count
    }
    return (product ?? .constant(1, .int64)).cast(to: sums.dtype)
  }
}
