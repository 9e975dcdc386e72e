import AgnesiArrays
import AgnesiExpressions
import AgnesiLayers
import AgnesiLoops

/// Points that learn to sit on what they look for in feature maps: each is the mean place, and the
/// deviation about it, of a softmax over all places of a convolution of 1×1.
///
/// From `[batch, channels, height, width]` of known sizes but for the first to `[batch, 4 · count]`: x, y
/// and their deviations, for each point, where the sides of the maps are -1...1.
///
/// Source: Levine, Finn, Darrell and Abbeel, *End-to-end training of deep visuomotor policies*, 2016
/// (spatial softmax); the deviations, which tell how large something is, are added here.
struct SpatialPoints {
  /// Points.
  var count: Int
  /// What parameters' names begin with.
  var name: String

  func callAsFunction(_ maps: Tensor) -> Tensor {
    let scores = Convolution2D(filters: count, kernel: 1, name: name)(maps)
    guard scores.failure == nil, let height = maps.shape[2].known, let width = maps.shape[3].known
    else { return scores }
    let batch = maps.shape[0]
    let shares = softmax(
      scores.reshaped([batch * Size(count), Size(height * width)]), axis: 1)
    let places = Tensor.constant(Self.places(height, width))
    let mean = matmul(shares, places)
    let square = matmul(shares, places * places)
    // Rounding may leave a little less than nothing, and the root is steep there.
    let deviation = sqrt(maximum(square - mean * mean, 0) + 1e-4)
    let rows: Shape = [batch, Size(2 * count)]
    return concatenated([mean.reshaped(rows), deviation.reshaped(rows)], axis: 1)
  }

  /// `[height · width, 2]`: x and y of the middle of each place.
  private static func places(_ height: Int, _ width: Int) -> NDArray {
    func middle(_ index: Int, of count: Int) -> Float {
      (2 * Float(index) + 1) / Float(count) - 1
    }
    let values = (0..<(height * width)).flatMap { place in
      [middle(place % width, of: width), middle(place / width, of: height)]
    }
    return NDArray(values, shape: [height * width, 2])
  }
}
