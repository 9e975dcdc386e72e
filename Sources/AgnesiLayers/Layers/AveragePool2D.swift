import AgnesiExpressions

/// The mean of each window of each channel.
///
/// Input `[batch, channels, height, width]`; sizes as for `averagePool2D`.
public struct AveragePool2D: Layer {
  public static let kind = "averagePool"

  /// Rows and columns of a window.
  public var window: Extent2D
  /// Nil: that of the window.
  public var stride: Extent2D?
  /// Rows and columns around the input.
  public var padding: Extent2D
  /// Whether a last window that only begins inside the input counts.
  public var partialWindows: Bool
  /// Whether padding counts as zeros in the mean.
  public var countingPadding: Bool

  /// Windows of 2×2 that do not overlap and stay inside of the image, unless said otherwise.
  public init(
    _ window: Extent2D = 2, stride: Extent2D? = nil, padding: Extent2D = 0,
    partialWindows: Bool = false, countingPadding: Bool = false
  ) {
    self.window = window
    self.stride = stride
    self.padding = padding
    self.partialWindows = partialWindows
    self.countingPadding = countingPadding
  }

  public func build(_ input: Tensor) -> Tensor {
    rankMistake(input)
      ?? averagePool2D(
        input, window: window.numbers, stride: stride?.numbers, padding: padding.numbers,
        partialWindows: partialWindows, countingPadding: countingPadding)
  }

  public var details: String {
    Details.text(
      "\(window)", .identity, .zeros, stride.flatMap { Details.extent("stride", $0) },
      Details.pooling(padding), partialWindows ? "partial windows" : nil,
      countingPadding ? "counting padding" : nil)
  }
}

extension AveragePool2D: Codable {
  private enum Keys: String, CodingKey, CaseIterable {
    case window, stride, padding, partialWindows, countingPadding
  }

  public init(from decoder: any Decoder) throws {
    let fields = try LayerReader(decoder, Self.kind, Keys.self)
    self.init(
      try fields.value(.window, or: 2), stride: try fields.optional(.stride),
      padding: try fields.value(.padding, or: 0),
      partialWindows: try fields.value(.partialWindows, or: false),
      countingPadding: try fields.value(.countingPadding, or: false))
  }

  public func encode(to encoder: any Encoder) throws {
    var fields = LayerWriter(encoder, Keys.self)
    try fields.write(.window, window)
    try fields.write(.stride, ifAny: stride)
    try fields.write(.padding, padding, unless: 0)
    try fields.write(.partialWindows, partialWindows, unless: false)
    try fields.write(.countingPadding, countingPadding, unless: false)
  }
}

/// The mean of each channel over all of the image: `[batch, channels, …]` becomes
/// `[batch, channels]`, whatever the image's size.
public struct GlobalAveragePool2D: Layer {
  public static let kind = "globalAveragePool"

  /// There is nothing to choose.
  public init() {}

  public func build(_ input: Tensor) -> Tensor {
    rankMistake(input) ?? input.mean(axes: [2, 3])
  }
}
