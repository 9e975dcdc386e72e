import AgnesiArrays
import AgnesiLoops

/// What stands around an image before a kernel moves over it: zeros, in rows and columns.
public enum Padding2D: Hashable, Sendable, Codable {
  /// None: the kernel stays inside.
  case valid
  /// Half of the kernel's span on each side, which keeps the size where the stride is 1. Kernels
  /// have odd sizes.
  case same
  /// All but one of the kernel's span on each side: every position where the two overlap.
  case full
  /// The same above and below, and left and right.
  case symmetric(Int, Int)
  case explicit(top: Int, bottom: Int, left: Int, right: Int)
}

/// Padding along the axes of sequences or volumes.
public enum PaddingND: Hashable, Sendable, Codable {
  case valid
  case same
  case full
  /// The same before and behind, one number for each axis.
  case symmetric([Int])
  case explicit(before: [Int], behind: [Int])

  public static func symmetric(_ size: Int) -> PaddingND { .symmetric([size]) }
}

/// The cross-correlation of images with kernels (the kernels are not flipped).
///
/// - Parameters:
///   - x: `[batch, channels, height, width]`, floating.
///   - kernels: `[filters, channels / groups, height, width]`, of the same dtype.
///   - stride: rows and columns between neighbouring positions, at least 1.
///   - dilation: rows and columns between neighbouring points of a kernel, at least 1.
///   - groups: channels and filters fall into this many parts that do not see each other.
/// - Returns: `[batch, filters, h, w]` with
///   `h = ⌊(height + padding − (kernel − 1)·dilation − 1) / stride⌋ + 1`.
/// - Complexity: `batch · filters · h · w · channels / groups · kernel area` multiply-adds.
/// - Source: Goodfellow, Bengio & Courville, *Deep Learning*, eq. 9.6 and §9.5; Dumoulin & Visin, *A
///   guide to convolution arithmetic for deep learning*, §2.
public func convolution2D(
  _ x: Tensor, _ kernels: Tensor, stride: [Int] = [1, 1], padding: Padding2D = .valid,
  dilation: [Int] = [1, 1], groups: Int = 1
) -> Tensor {
  convolution(
    "convolution2D", x, kernels, axes: 2, stride: stride, padding: padding.general,
    dilation: dilation, groups: groups)
}

/// ``convolution2D(_:_:stride:padding:dilation:groups:)`` of sequences `[batch, channels, length]`
/// with kernels `[filters, channels / groups, size]`.
public func convolution1D(
  _ x: Tensor, _ kernels: Tensor, stride: Int = 1, padding: PaddingND = .valid, dilation: Int = 1,
  groups: Int = 1
) -> Tensor {
  convolution(
    "convolution1D", x, kernels, axes: 1, stride: [stride], padding: padding,
    dilation: [dilation], groups: groups)
}

/// ``convolution2D(_:_:stride:padding:dilation:groups:)`` of volumes
/// `[batch, channels, depth, height, width]`.
public func convolution3D(
  _ x: Tensor, _ kernels: Tensor, stride: [Int] = [1, 1, 1], padding: PaddingND = .valid,
  dilation: [Int] = [1, 1, 1], groups: Int = 1
) -> Tensor {
  convolution(
    "convolution3D", x, kernels, axes: 3, stride: stride, padding: padding, dilation: dilation,
    groups: groups)
}

/// The adjoint of ``convolution2D(_:_:stride:padding:dilation:groups:)``: each element of `x` spreads
/// a kernel over the result, so that strides enlarge images.
///
/// - Parameters:
///   - x: `[batch, in, height, width]`, floating.
///   - kernels: `[in, out / groups, height, width]`, of the same dtype.
///   - padding: rows and columns that are cut off at the borders, as the convolution would have
///     added them.
///   - outputPadding: rows and columns more at the bottom and right, smaller than the stride:
///     several sizes become `height` under a strided convolution, and this picks one of them.
/// - Returns: `[batch, out, h, w]` with
///   `h = (height − 1)·stride − padding + (kernel − 1)·dilation + 1 + outputPadding`.
/// - Source: Dumoulin & Visin, *A guide to convolution arithmetic for deep learning*, §4.
public func transposedConvolution2D(
  _ x: Tensor, _ kernels: Tensor, stride: [Int] = [1, 1], padding: Padding2D = .valid,
  outputPadding: [Int] = [0, 0], dilation: [Int] = [1, 1], groups: Int = 1
) -> Tensor {
  let name = "transposedConvolution2D"
  return withGeometry(
    name, x, kernels, axes: 2, stride: stride, padding: padding.general, dilation: dilation,
    groups: groups
  ) { geometry throws(TypeError) in
    guard outputPadding.count == 2,
      zip(outputPadding, stride).allSatisfy({ $0 >= 0 && $0 < $1 })
    else {
      throw TypeError(
        "output padding is at least 0 and smaller than the stride, got \(outputPadding) for"
          + " \(stride)")
    }
    let size = (0..<2).map { axis -> Size in
      let between = (x.shape[axis + 2] - 1) * Size(stride[axis])
      let span = geometry.span(of: kernels.shape[axis + 2], axis: axis)
      return between + span
        + Size(outputPadding[axis] - geometry.padBegin[axis] - geometry.padEnd[axis])
    }
    if let negative = size.compactMap(\.known).first(where: { $0 < 1 }) {
      throw TypeError("the padding leaves a result of size \(negative)")
    }
    return try .checked(ConvolutionBackwardData(geometry: geometry, size: size), x, kernels)
  }
}

private func convolution(
  _ name: String, _ x: Tensor, _ kernels: Tensor, axes: Int, stride: [Int], padding: PaddingND,
  dilation: [Int], groups: Int
) -> Tensor {
  withGeometry(
    name, x, kernels, axes: axes, stride: stride, padding: padding, dilation: dilation,
    groups: groups
  ) { geometry throws(TypeError) in
    try .checked(ConvolutionForward(geometry: geometry), x, kernels)
  }
}

/// Resolves the padding, which depends on the kernels' sizes, and reports mistakes under the name of
/// the function that the user called.
private func withGeometry(
  _ name: String, _ x: Tensor, _ kernels: Tensor, axes: Int, stride: [Int], padding: PaddingND,
  dilation: [Int], groups: Int, _ build: (ConvolutionGeometry) throws(TypeError) -> Tensor
) -> Tensor {
  var geometry = ConvolutionGeometry(
    stride: stride, padBegin: stride.map { _ in 0 }, padEnd: stride.map { _ in 0 },
    dilation: dilation, groups: groups)
  // Types that are not known yet come with no sizes; the operation passes their mistake on.
  guard x.type.isKnown, kernels.type.isKnown else {
    return Tensor(ConvolutionForward(geometry: geometry), x, kernels)
  }
  do throws(TypeError) {
    for (what, list) in [("stride", stride), ("dilation", dilation)] where list.count != axes {
      throw TypeError("needs a \(what) of \(axes) numbers, got \(list)")
    }
    try geometry.validate(x.type, kernels.type)
    let kernel = Array(kernels.shape.dropFirst(2))
    (geometry.padBegin, geometry.padEnd) = try padding.resolved(kernel, dilation: dilation)
    return try build(geometry)
  } catch {
    return .mistake(name, error, [("input", x), ("kernels", kernels)])
  }
}

extension Padding2D {
  var general: PaddingND {
    switch self {
    case .valid: .valid
    case .same: .same
    case .full: .full
    case .symmetric(let height, let width): .symmetric([height, width])
    case .explicit(let top, let bottom, let left, let right):
      .explicit(before: [top, left], behind: [bottom, right])
    }
  }
}

extension PaddingND {
  /// The zeros before and behind along each axis.
  func resolved(
    _ kernel: Shape, dilation: [Int]
  ) throws(TypeError) -> (before: [Int], behind: [Int]) {
    switch self {
    case .valid:
      let zeros = kernel.map { _ in 0 }
      return (zeros, zeros)
    case .symmetric(let sizes): return (sizes, sizes)
    case .explicit(let before, let behind): return (before, behind)
    case .full:
      let sizes = try spans(kernel, dilation)
      return (sizes, sizes)
    case .same:
      let sizes = try spans(kernel, dilation)
      guard sizes.allSatisfy({ $0 % 2 == 0 }) else {
        let text = kernel.map(\.description).joined(separator: "×")
        throw TypeError(
          "padding: .same needs kernels of odd sizes, got \(text)",
          hint: "say how much on each side with .explicit(…)")
      }
      return (sizes.map { $0 / 2 }, sizes.map { $0 / 2 })
    }
  }

  /// All but one of each kernel's span.
  private func spans(_ kernel: Shape, _ dilation: [Int]) throws(TypeError) -> [Int] {
    var result: [Int] = []
    for (size, step) in zip(kernel, dilation) {
      guard let known = size.known else {
        throw TypeError("padding: .same and .full need kernels of known sizes, got \(size)")
      }
      result.append((known - 1) * step)
    }
    return result
  }
}
