import Agnesi

/// Dense layers that squeeze a picture into few numbers, and make the picture of them again.
///
/// Source: Hinton & Salakhutdinov, *Reducing the dimensionality of data with neural networks*, 2006, with
/// rectifiers.
enum Autoencoder {
  private static let network = "512FC 256FC 64FC 256FC 512FC \(pixels)FC"
  private static let pixels = 784

  /// A training step by the mean cross-entropy of the pixels behind sigmoids, with Adam.
  static func job(batch: Int) throws -> Job {
    let image = Tensor.input("image", [.batch, Size(pixels)])
    let logits = try Notation.parse(network)(image)
    return Job(
      training: logits, by: sigmoidCrossEntropy(logits, image).mean(), inputs: [image],
      batch: [Noise.pixels([batch, pixels])]
    ) { adam($0, $1, rate: 0.001) }
  }
}
