import Agnesi

/// A network in which each layer reads what all layers before it made.
///
/// Source: Huang, Liu, van der Maaten & Weinberger, *Densely connected convolutional networks*, 2017,
/// §3 and §4.1: 40 layers that grow by 12 channels, without bottlenecks, compression or dropout.
enum DenseNetwork {
  private static let growth = 12
  private static let blocks = 3
  private static let layersOfBlock = 12
  private static let classes = 10

  /// A training step, with Nesterov's momentum.
  static func job(batch: Int) -> Job {
    let image = Tensor.input("image", [.batch, 3, 32, 32])
    let label = Tensor.input("label", [.batch], .int32)
    let logits = logits(of: image)
    return Job(
      training: logits, by: softmaxCrossEntropy(logits, label).mean(), inputs: [image, label],
      batch: [Noise.pixels([batch, 3, 32, 32]), Noise.labels(batch, classes: classes)]
    ) { nesterov($0, $1, rate: 0.01, momentum: 0.9) }
  }

  private static func logits(of image: Tensor) -> Tensor {
    var maps = convolution(image, filters: 16, kernel: 3)
    for block in 0..<blocks {
      if block > 0 {
        let channels = maps.size(1).known ?? 0
        maps = AveragePool2D(2)(convolution(rectified(maps), filters: channels, kernel: 1))
      }
      for _ in 0..<layersOfBlock {
        let new = convolution(rectified(maps), filters: growth, kernel: 3)
        maps = concatenated([maps, new], axis: 1)
      }
    }
    return rectified(maps).through(GlobalAveragePool2D()).through(Dense(units: classes))
  }

  private static func rectified(_ maps: Tensor) -> Tensor { relu(BatchNormalization()(maps)) }

  private static func convolution(_ maps: Tensor, filters: Int, kernel: Extent2D) -> Tensor {
    Convolution2D(
      filters: filters, kernel: kernel, padding: .same, weight: .heNormal, bias: nil)(maps)
  }
}
