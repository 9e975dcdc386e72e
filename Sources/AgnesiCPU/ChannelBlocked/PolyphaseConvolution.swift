import AgnesiExpressions
import AgnesiLoops

/// Whether a convolution of 4×4 kernels that move by two pixels, or one of its adjoints, is worth
/// doing with 25 products where the direct algorithm takes 64.
///
/// Along an axis, tap `2t + r` of a kernel meets pixel `2(o + t) + r − 1` for result `o`: for each of
/// the two phases `r`, a convolution of two taps that moves by one pixel of that phase. Two taps give
/// four results with five products instead of eight, by values of polynomials at five points. With
/// both axes, a convolution is
///
///     result = Aᵀ · (image values × kernel values) · A
///
/// with one matrix product for each of 25 points, over all channels and phases. The adjoints are the
/// same three transforms, each turned around, so values that one pass made serve the others.
///
/// Source: Toom & Cook's algorithm as in Winograd, *Arithmetic complexity of computations*, 1980;
/// Lavin & Gray, *Fast algorithms for convolutional neural networks*, 2015. The constants are fitted
/// to measurements on two Zen 4 cores with AVX-512.
struct PolyphaseConvolution {
  let image: Shape
  let result: Shape
  let kernels: Shape

  /// Nil where the algorithm is not for it.
  init?(_ convolution: ChannelBlockedConvolution, _ node: Node) {
    let (first, second) = (node.operands[0].shape, node.operands[1].shape)
    let own = node.results[0].shape
    (image, result, kernels) =
      switch convolution.kind {
      case .forward: (first, own, second)
      case .backwardData: (own, first, second)
      case .backwardWeights: (first, second, own)
      }
    let geometry = convolution.geometry
    guard convolution.blocksImage, convolution.blocksOutput, kernels.count == 4,
      kernels.suffix(2) == [4, 4], kernels[0].known != nil, kernels[1].known != nil,
      geometry.stride == [2, 2], geometry.dilation == [1, 1],
      geometry.padBegin == [1, 1], geometry.padEnd == [1, 1], geometry.groups == 1
    else { return nil }
  }

  /// The time for a product with the other algorithm, in that of one with the direct one.
  private static let product = 1.15
  /// The time to write a value at a point and to read it, in that of a product.
  private static let value = 25.0

  /// About what is left of the time where it pays.
  static let saving = 0.7

  /// Whether it is faster for these sizes; not where they are unknown.
  func pays(_ sizes: [String: Int]) -> Bool {
    let known = result.compactMap { $0.evaluated(sizes) }
    guard known.count == 4, let filters = kernels[0].known, let channels = kernels[1].known else {
      return false
    }
    let side = TileTransform.side
    let tiles = known[0] * ((known[2] + side - 1) / side) * ((known[3] + side - 1) / side)
    let direct = Double(channels * filters * known[0] * known[2] * known[3]) * 16
    let points = TileTransform.points * TileTransform.points
    let (rows, columns) = (Double(tiles), Double(channels * TileTransform.phases))
    let products = rows * columns * Double(filters * points) * Self.product
    let images = rows * (columns + Double(filters))
    // Values of kernels serve several passes of a step.
    let values = images + columns * Double(filters) / 2
    return products + values * Double(points) * Self.value < direct
  }
}
