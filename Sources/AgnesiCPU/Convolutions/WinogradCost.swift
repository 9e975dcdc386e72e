/// Whether Winograd's algorithm F(4×4, 3×3) is worth it: a quarter of the products, plus the
/// transformation of images and weights.
///
/// Source: Lavin & Gray, *Fast algorithms for convolutional neural networks*, 2015. The constants are
/// fitted to measurements of oneDNN 2.6 on a Zen 4 core with AVX-512.
struct WinogradCost {
  var problem: ConvolutionProblem

  /// The time for the products with everything around them, in that of the direct algorithm.
  private static let share = 0.4
  /// The time for an element of the transformed weights, in that of a product.
  private static let weight = 25.0

  var pays: Bool {
    guard problem.hasChoice else { return false }
    let (image, output) = (problem.image, problem.output)
    let pairs = Double(image[1] * output[1])
    let pixels = Double(image[0] * output[2] * output[3])
    let tiles = Double(image[0] * ((output[2] + 3) / 4) * ((output[3] + 3) / 4))
    let direct = pairs * pixels * 9
    let products = pairs * tiles * 144 * Self.share
    var weights = pairs * 36 * Self.weight
    if problem.kind == .toKernels { weights *= 2 }
    if problem.keepsWeights { weights /= 4 }
    return products + weights < direct
  }
}
