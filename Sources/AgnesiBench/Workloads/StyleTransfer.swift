import Agnesi

/// The gradient of a content and style loss along a picture; the network's weights are fixed.
///
/// Source: Gatys, Ecker & Bethge, *Image style transfer using convolutional neural networks*, 2016.
enum StyleTransfer {
  /// A step gives the gradient back, in the picture's shape.
  static func job(batch: Int) throws -> Job {
    let layers = try Layers(batch: batch, side: 256)
    return Job(
      inputs: [layers.picture], batch: [Noise.pixels([batch, 3, 256, 256])],
      network: layers.deepest
    ) {
      .init(outputs: gradient(of: layers.loss, withRespectTo: [layers.picture]))
    }
  }

  /// What the loss looks at.
  struct Layers {
    let picture: Tensor
    let styles: [Tensor]
    let content: Tensor
    let deepest: Tensor

    init(batch: Int, side: Int) throws {
      picture = .input("picture", [Size(batch), 3, Size(side), Size(side)])
      let network = try Notation.parse(VGG19.features)
      // Up to the first convolution of the last block; positions count poolings.
      let maps = Chain(Array(network.layers.prefix(17))).outputs(picture)
      styles = [maps[0], maps[3], maps[6], maps[11], maps[16]]
      (content, deepest) = (maps[12], maps[16])
    }

    var loss: Tensor {
      let contentLoss = square(content - 0.1).mean()
      return styles.reduce(contentLoss) { $0 + square(gram($1) - 0.01).sum() }
    }
  }

  /// The products of all pairs of channels of the one picture, over its number of elements.
  private static func gram(_ maps: Tensor) -> Tensor {
    let rows = maps.reshaped([maps.size(1), maps.size(2) * maps.size(3)])
    let count = maps.shape.reduce(Size(1)) { $0 * $1 }.known ?? 1
    return matmul(rows, rows.matrixTransposed()) / Double(count)
  }
}
