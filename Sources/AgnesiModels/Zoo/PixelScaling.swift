import AgnesiArrays
import AgnesiExpressions

/// The numeric half of a picture's preprocessing, as an expression: `(pixel − mean) / deviation`, with
/// the channels in the order that the network was trained with.
///
/// It is part of a model's graph, so whoever runs the model hands in pixels as they were decoded.
public struct PixelScaling: Codable, Hashable, Sendable {
  /// The order of the channels that the network sees; pixels always come as red, green, blue.
  public enum Order: String, Codable, Hashable, Sendable { case rgb, bgr }

  /// What is subtracted, in the network's order of channels and the pixels' range, 0...255.
  public enum Mean: Codable, Hashable, Sendable {
    /// One number for each channel.
    case channels([Double])
    /// A number for each pixel, row by row, channel after channel; pictures have exactly this size.
    case image([Float], height: Int, width: Int)
  }

  /// The order of the channels that the network sees.
  public var order: Order
  /// What is subtracted.
  public var mean: Mean
  /// What is divided by: one number for each channel, above 0.
  public var deviation: [Double]

  /// Scaling by these numbers.
  public init(order: Order = .rgb, mean: Mean, deviation: [Double]) {
    self.order = order
    self.mean = mean
    self.deviation = deviation
  }

  /// Scaling by one number for each channel.
  public init(order: Order = .rgb, mean: [Double], deviation: [Double]) {
    self.init(order: order, mean: .channels(mean), deviation: deviation)
  }

  /// The scaled values of `pixels`.
  ///
  /// - Parameter pixels: floating, `[batch, channels, height, width]`, 0...255.
  public func callAsFunction(_ pixels: Tensor) -> Tensor {
    let ordered = order == .bgr ? pixels.flipped([1]) : pixels
    let centred = ordered - subtracted
    if Set(deviation).count == 1, let all = deviation.first {
      return all == 1 ? centred : centred / all
    }
    return centred
      / Tensor.constant(NDArray(deviation.map(Float.init), shape: [deviation.count, 1, 1]))
  }

  private var subtracted: Tensor {
    switch mean {
    case .channels(let numbers):
      return .constant(NDArray(numbers.map(Float.init), shape: [numbers.count, 1, 1]))
    case .image(let values, let height, let width):
      // As many channels as fit, so that a wrong count is a mistake of the graph and stops nothing.
      let channels = values.count / max(height * width, 1)
      let kept = Array(values.prefix(channels * height * width))
      return .constant(NDArray(kept, shape: [channels, height, width]))
    }
  }
}

extension PixelScaling {
  /// Torchvision's: to 0...1, then by mean and deviation of ImageNet's photos.
  static let torchvision = PixelScaling(
    mean: [0.485, 0.456, 0.406].map { $0 * 255 }, deviation: [0.229, 0.224, 0.225].map { $0 * 255 })

  /// Grey pixels to 0...1.
  static let unit = PixelScaling(mean: [0], deviation: [255])

  /// VGG's: blue, green, red, minus the mean of ImageNet's photos.
  static let vgg = PixelScaling(
    order: .bgr, mean: [103.939, 116.779, 123.68], deviation: [1, 1, 1])

  /// To −1...1 around `middle`.
  static func centred(at middle: Double, deviation: Double, channels: Int = 3) -> PixelScaling {
    PixelScaling(
      mean: [Double](repeating: middle, count: channels),
      deviation: [Double](repeating: deviation, count: channels))
  }
}
