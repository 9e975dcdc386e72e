import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops
import CAgnesi

/// Images whose channels lie in blocks as wide as a vector: what convolutions of many channels want.
///
/// `[n, c, spatial…]` becomes `[n, c / width, spatial…, width]`. To the compiler that is a tensor
/// like any other, so a layout is a rewrite of the graph: elementwise operations, reductions and
/// pooling go on as they are, and nothing below the graph knows of layouts.
package struct ChannelBlocks: Hashable, Sendable, Codable {
  /// Channels of a block.
  package let width: Int

  package init(width: Int) { self.width = width }

  /// The blocks that oneDNN's kernels use on the running processor; nil where it has none.
  package static var host: ChannelBlocks? {
    let lanes = Int(agnesi_vector_lanes())
    return lanes >= 8 ? ChannelBlocks(width: lanes) : nil
  }

  /// Whether the channels of an image of this shape fill whole blocks.
  func divides(_ shape: Shape) -> Bool {
    guard (3...5).contains(shape.count), let channels = shape[1].known else { return false }
    return channels > 0 && channels % width == 0
  }

  /// Images of this many axes in blocks.
  func layout(rank: Int) -> Layout { .blocked(axis: 1, by: width, rank: rank) }

  /// The shape in blocks of an image that they divide.
  func packed(_ shape: Shape) -> Shape { layout(rank: shape.count).shape(of: shape) }

  /// The shape of the image that lies in blocks.
  func unpacked(_ shape: Shape) -> Shape {
    [shape[0], shape[1] * Size(width)] + shape.dropFirst(2).dropLast()
  }

  /// The image in blocks.
  func packed(_ image: NDArray) -> NDArray { layout(rank: image.rank).packed(image) }

  /// The image that lies in blocks, as it was.
  func unpacked(_ packed: NDArray) -> NDArray {
    let shape = unpacked(packed.shape.map { Size($0) }).map { $0.known ?? 0 }
    return layout(rank: packed.rank - 1).unpacked(packed, shape)
  }
}
