import AgnesiArrays
import AgnesiImages

/// The weights that look at the input itself, and can therefore be shown as pictures.
public struct FirstLayer: Sendable {
  /// `[n, channels, height, width]` of a convolution, or `[inputs, n]` of a dense layer.
  public var weights: NDArray
  /// `[channels, height, width]` of the input; needed for dense layers only, and there only where
  /// the number of inputs is no square (taken as grey) nor three times a square (taken as colour).
  public var inputShape: [Int]?

  /// The first layer with the given weights.
  public init(weights: NDArray, inputShape: [Int]? = nil) {
    self.weights = weights
    self.inputShape = inputShape
  }
}

/// Pictures of a first layer's kernels, all on one scale.
package struct KernelPictures {
  package let pictures: [Picture]
  /// How many kernels there are, of which `pictures` shows the first.
  package let total: Int
  /// `[channels, height, width]` of a kernel.
  package let kernelShape: [Int]
  /// The magnitude shown in full colour.
  package let limit: Double

  /// The pictures of at most `most` kernels: in colour for three channels; otherwise blue for
  /// negative and red for positive weights, several channels side by side.
  package init(_ layer: FirstLayer, most: Int = 64) throws(PictureError) {
    let kernels = try Self.kernels(of: layer, most: most)
    total = layer.weights.rank == 4 ? layer.weights.shape[0] : layer.weights.shape[1]
    kernelShape = Array(kernels.shape.dropFirst())
    let limit = Self.limit(of: kernels.doubles)
    self.limit = limit
    var pictures: [Picture] = []
    for index in 0..<kernels.shape[0] {
      let kernel = kernels[rows: index..<(index + 1)].reshaped(kernelShape)
      pictures.append(try Self.picture(of: kernel, limit: limit))
    }
    self.pictures = pictures
  }

  /// `[n, channels, height, width]` of the kernels to show.
  private static func kernels(
    of layer: FirstLayer, most: Int
  ) throws(PictureError) -> NDArray {
    let weights = layer.weights
    guard weights.count > 0 else {
      throw PictureError(dtype: weights.dtype, shape: weights.shape)
    }
    if weights.rank == 4 { return weights[rows: 0..<min(most, weights.shape[0])] }
    guard weights.rank == 2, let shape = inputShape(of: layer) else {
      throw PictureError(dtype: weights.dtype, shape: weights.shape)
    }
    let shown = min(most, weights.shape[1])
    return weights.transposed()[rows: 0..<shown].reshaped([shown] + shape)
  }

  private static func inputShape(of layer: FirstLayer) -> [Int]? {
    let inputs = layer.weights.shape[0]
    if let shape = layer.inputShape {
      let full = shape.count == 2 ? [1] + shape : shape
      return full.count == 3 && full.product == inputs ? full : nil
    }
    for channels in [1, 3] {
      let side = Int((Double(inputs) / Double(channels)).squareRoot().rounded())
      if side * side * channels == inputs { return [channels, side, side] }
    }
    return nil
  }

  /// Nearly the largest magnitude: a single outlier must not make everything else pale.
  private static func limit(of values: [Double]) -> Double {
    let sorted = values.filter(\.isFinite).map(abs).sorted()
    guard !sorted.isEmpty else { return 0 }
    return sorted[min(Int(Double(sorted.count) * 0.995), sorted.count - 1)]
  }

  private static func picture(of kernel: NDArray, limit: Double) throws(PictureError) -> Picture {
    let channels = kernel.shape[0]
    if channels == 3 { return try Picture(kernel, range: -limit...limit) }
    var planes: [Picture] = []
    for channel in 0..<channels {
      let plane = kernel[rows: channel..<(channel + 1)].contiguous()
      planes.append(try Picture.diverging(plane, limit: limit))
    }
    guard let grid = Picture.grid(planes, gap: 1, background: 128) else {
      throw PictureError(dtype: kernel.dtype, shape: kernel.shape)
    }
    return grid
  }
}
