/// How stored inputs become the numbers that a network sees: `stored · factor + offset`.
public struct InputScaling: Codable, Hashable, Sendable {
  /// What stored values are multiplied by.
  public var factor: Double
  /// What is added afterwards.
  public var offset: Double

  /// `stored · factor + offset`.
  public init(factor: Double, offset: Double = 0) {
    self.factor = factor
    self.offset = offset
  }

  /// As they are stored.
  public static let identity = InputScaling(factor: 1)
  /// Bytes to 0...1.
  public static let unit = InputScaling(factor: 1 / 255.0)
  /// Bytes to -1...1.
  public static let symmetric = InputScaling(factor: 2 / 255.0, offset: -1)
}
