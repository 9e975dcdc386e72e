import Agnesi

/// A small network that tells the class of each pixel from ever larger surroundings, without pooling.
///
/// Source: Yu & Koltun, *Multi-scale context aggregation by dilated convolutions*, 2016, has longer
/// ones of this kind.
enum DilatedNetwork {
  private static let network =
    "32C3p1 32C3p2d2 32C3p4d4 32C3p8d8 32C3p4d4 32C3p1 \(classes)C1"
  private static let classes = 2
  private static let side = 128

  /// A training step by the mean cross-entropy of the pixels, with Adam.
  static func job(batch: Int) throws -> Job {
    let image = Tensor.input("image", [.batch, 3, Size(side), Size(side)])
    return Job(
      segmenting: image, into: try Notation.parse(network)(image),
      images: Noise.pixels([batch, 3, side, side]), classes: classes
    ) { adam($0, $1, rate: 0.001) }
  }
}

extension Job {
  /// A training step by the mean cross-entropy of the pixels' classes, which are made up.
  ///
  /// - Parameter scores: `[batch, classes, height, width]`, of `image`.
  init(
    segmenting image: Tensor, into scores: Tensor, images: NDArray, classes: Int,
    updates: @escaping (_ loss: Tensor, _ parameters: [Tensor]) -> Updates
  ) {
    let mask = Tensor.input("mask", [.batch] + scores.shape.dropFirst(2), .int32)
    let loss = softmaxCrossEntropy(scores.transposed([0, 2, 3, 1]), mask).mean()
    let masks = Noise.masks([images.shape[0]] + images.shape.dropFirst(2), classes: classes)
    self.init(
      training: scores, by: loss, inputs: [image, mask], batch: [images, masks],
      updates: updates)
  }
}
