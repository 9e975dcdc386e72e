/// Whether Winograd's algorithm F(4×4, 3×3) is worth it: a quarter of the products, plus the
/// transformation of images and weights.
///
/// Source: Lavin & Gray, *Fast algorithms for convolutional neural networks*, 2015. The constants are
/// fitted to measurements of oneDNN 2.6 on Zen 4 cores with AVX-512, by `agnesi-bench convolutions`:
/// of 475 convolutions, 11 get the slower algorithm, 3 of them at more than 10 %.
struct WinogradCost {
  var problem: ConvolutionProblem

  /// The time for a product, in that of the direct algorithm.
  private static let product = 0.3
  /// The time to transform a tile of an image or a result into or from its 36 numbers, one channel.
  private static let tile = 750.0
  /// The time for an element of the transformed weights.
  private static let weight = 30.0
  /// The part of that which is left where the transformed weights are kept, to read them.
  private static let kept = 0.2

  var pays: Bool {
    guard problem.hasChoice else { return false }
    let (image, output) = (problem.image, problem.output)
    let pairs = Double(image[1] * output[1])
    let pixels = Double(image[0] * output[2] * output[3])
    let tiles = Double(image[0] * ((output[2] + 3) / 4) * ((output[3] + 3) / 4))
    let products = pairs * tiles * 144 * Self.product
    let transforms = tiles * Double(image[1] + output[1]) * Self.tile
    var weights = pairs * 36 * Self.weight
    // The library keeps them for the forward pass only.
    if problem.keepsWeights, problem.kind == .forward { weights *= Self.kept }
    return products + transforms + weights < pairs * pixels * 9
  }
}
