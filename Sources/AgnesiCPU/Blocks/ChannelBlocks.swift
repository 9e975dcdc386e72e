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

  /// The shape in blocks of an image that they divide.
  func packed(_ shape: Shape) -> Shape {
    [shape[0], blocks(of: shape)] + shape.dropFirst(2) + [Size(width)]
  }

  /// The shape of the image that lies in blocks.
  func unpacked(_ shape: Shape) -> Shape {
    [shape[0], shape[1] * Size(width)] + shape.dropFirst(2).dropLast()
  }

  /// The image in blocks: views, no work by themselves.
  func packed(_ image: Tensor) -> Tensor {
    let shape = image.shape
    let split = [shape[0], blocks(of: shape), Size(width)] + shape.dropFirst(2)
    let order = [0, 1] + Array(3..<split.count) + [2]
    return image.reshaped(Array(split)).transposed(order)
  }

  /// The image that lies in blocks, as it was.
  func unpacked(_ packed: Tensor) -> Tensor {
    let last = packed.rank - 1
    let order = [0, 1, last] + Array(2..<last)
    return packed.transposed(order).reshaped(unpacked(packed.shape))
  }

  /// As ``packed(_:)-(Tensor)``, for values.
  func packed(_ image: NDArray) -> NDArray {
    let shape = image.shape
    let split = [shape[0], shape[1] / width, width] + shape.dropFirst(2)
    let order = [0, 1] + Array(3..<split.count) + [2]
    return image.contiguous().reshaped(Array(split)).transposed(order).contiguous()
  }

  /// As ``unpacked(_:)-(Tensor)``, for values.
  func unpacked(_ packed: NDArray) -> NDArray {
    let last = packed.rank - 1
    let order = [0, 1, last] + Array(2..<last)
    let shape = [packed.shape[0], packed.shape[1] * width] + packed.shape[2..<last]
    return packed.transposed(order).contiguous().reshaped(Array(shape))
  }

  private func blocks(of shape: Shape) -> Size { Size((shape[1].known ?? 0) / width) }
}
