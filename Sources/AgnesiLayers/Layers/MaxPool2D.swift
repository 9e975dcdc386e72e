import AgnesiExpressions

/// The largest element of each window of each channel.
///
/// Input `[batch, channels, height, width]`; sizes as for `maxPool2D`.
public struct MaxPool2D: Layer {
  public static let kind = "maxPool"

  /// Rows and columns of a window.
  public var window: Extent2D
  /// Nil: that of the window, so that windows do not overlap.
  public var stride: Extent2D?
  /// Rows and columns around the input that never win.
  public var padding: Extent2D
  /// Whether a last window that only begins inside the input counts.
  public var partialWindows: Bool

  /// Windows of 2×2 that do not overlap and stay inside of the image, unless said otherwise.
  public init(
    _ window: Extent2D = 2, stride: Extent2D? = nil, padding: Extent2D = 0,
    partialWindows: Bool = false
  ) {
    self.window = window
    self.stride = stride
    self.padding = padding
    self.partialWindows = partialWindows
  }

  public func build(_ input: Tensor) -> Tensor {
    rankMistake(input)
      ?? maxPool2D(
        input, window: window.numbers, stride: stride?.numbers, padding: padding.numbers,
        partialWindows: partialWindows)
  }

  public var details: String {
    Details.text(
      "\(window)", .identity, .zeros, stride.flatMap { Details.extent("stride", $0) },
      Details.pooling(padding), partialWindows ? "partial windows" : nil)
  }
}

extension Details {
  /// The padding of a pooling layer, or nothing.
  static func pooling(_ padding: Extent2D) -> String? {
    padding == 0 ? nil : self.padding(.symmetric(padding.height, padding.width))
  }
}

extension MaxPool2D: Codable {
  private enum Keys: String, CodingKey, CaseIterable {
    case window, stride, padding, partialWindows
  }

  public init(from decoder: any Decoder) throws {
    let fields = try LayerReader(decoder, Self.kind, Keys.self)
    self.init(
      try fields.value(.window, or: 2), stride: try fields.optional(.stride),
      padding: try fields.value(.padding, or: 0),
      partialWindows: try fields.value(.partialWindows, or: false))
  }

  public func encode(to encoder: any Encoder) throws {
    var fields = LayerWriter(encoder, Keys.self)
    try fields.write(.window, window)
    try fields.write(.stride, ifAny: stride)
    try fields.write(.padding, padding, unless: 0)
    try fields.write(.partialWindows, partialWindows, unless: false)
  }
}
