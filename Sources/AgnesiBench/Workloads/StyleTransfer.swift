import Agnesi

/// The slope of a content and style loss along a picture; the network's weights are fixed.
///
/// Source: Gatys, Ecker & Bethge, *Image style transfer using convolutional neural networks*, 2016.
enum StyleTransfer {
  /// A step gives the slope back, in the picture's shape.
  static func job(batch: Int) throws -> Job {
    let picture = Tensor.input("picture", [Size(batch), 3, 256, 256])
    let network = try Notation.parse(VGG19.features)
    // Up to the first convolution of the last block; positions count poolings.
    let maps = Chain(Array(network.layers.prefix(17))).outputs(picture)
    let styles = [maps[0], maps[3], maps[6], maps[11], maps[16]]
    let content = maps[12]
    return Job(
      inputs: [picture], batch: [Noise.pixels([batch, 3, 256, 256])], network: maps[16]
    ) {
      let contentLoss = square(content - 0.1).mean()
      let loss = styles.reduce(contentLoss) { $0 + square(gram($1) - 0.01).sum() }
      return .init(outputs: gradient(of: loss, withRespectTo: [picture]))
    }
  }

  /// The products of all pairs of channels of the one picture, over its number of elements.
  private static func gram(_ maps: Tensor) -> Tensor {
    let rows = maps.reshaped([maps.size(1), maps.size(2) * maps.size(3)])
    let count = maps.shape.reduce(Size(1)) { $0 * $1 }.known ?? 1
    return matmul(rows, rows.matrixTransposed()) / Double(count)
  }
}
