import AgnesiArrays
import AgnesiExpressions
import AgnesiTraining

extension Explainer {
  /// The kernels of the first convolution as they see pixels: the model's scaling of colours, and
  /// another order of channels, are taken in. Nil where the first layer is no convolution of the
  /// picture.
  public func firstLayer() throws -> FirstLayer? {
    let place = graph.scaledPixels
    let node = [model.logits].topologicalNodes().first { node in
      node.convolution?.kind == .forward && node.operands[0].inputs == [model.pixels]
    }
    guard let kernels = node?.operands[1], kernels.rank == 4, kernels.inputs.isEmpty,
      kernels.shape[1] == model.pixels.shape[1]
    else { return nil }
    let weights = try function("kernels") { ([], [kernels]) }()
    if place == model.pixels { return FirstLayer(weights: weights) }
    return FirstLayer(weights: Self.mixed(weights, by: try colourMatrix(at: place)))
  }

  /// How much each channel of the scaled picture grows with each channel of the pixels, by
  /// `[scaled][pixel]`.
  private func colourMatrix(at place: Tensor) throws -> [[Double]] {
    let channels = model.channels
    let (height, width) = (
      model.pixels.shape[2].known ?? 1, model.pixels.shape[3].known ?? 1
    )
    // Black, and each channel alone: scaling is a factor and an offset.
    let pictures = (0...channels).flatMap { picture in
      (0..<channels).flatMap { channel in
        [Float](repeating: channel + 1 == picture ? 1 : 0, count: height * width)
      }
    }
    let function = try function("scaling") { ([self.model.pixels], [place]) }
    let values = try function(
      NDArray(pictures, shape: [channels + 1, channels, height, width]))
    return (0..<channels).map { scaled in
      (0..<channels).map { values[$0 + 1, scaled, 0, 0] - values[0, scaled, 0, 0] }
    }
  }

  /// `[filters, channels, height, width]` times a matrix over the channels.
  private static func mixed(_ weights: NDArray, by matrix: [[Double]]) -> NDArray {
    let (filters, channels) = (weights.shape[0], weights.shape[1])
    let area = weights.shape[2] * weights.shape[3]
    let values = weights.doubles
    var result = [Double](repeating: 0, count: values.count)
    for filter in 0..<filters {
      for (scaled, row) in matrix.enumerated() {
        for (pixel, factor) in row.enumerated() {
          let (from, to) = ((filter * channels + scaled) * area, (filter * channels + pixel) * area)
          for index in 0..<area { result[to + index] += factor * values[from + index] }
        }
      }
    }
    return NDArray(rounding: result, shape: weights.shape, .float32)
  }
}
