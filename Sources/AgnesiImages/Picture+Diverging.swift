import AgnesiArrays

extension Picture {
  /// The picture of signed values: blue below zero, white at zero, red above.
  ///
  /// - Parameters:
  ///   - array: `[height, width]` or `[1, height, width]`, any dtype.
  ///   - limit: the magnitude that gets the full colour; larger ones get it too. By default the
  ///     largest finite magnitude.
  ///
  /// NaN is grey.
  ///
  /// - Throws: ``PictureError`` for another shape.
  public static func diverging(
    _ array: NDArray, limit: Double? = nil
  ) throws(PictureError) -> Picture {
    let size = try planeSize(of: array)
    let values = array.doubles
    let limit = limit ?? values.filter(\.isFinite).map(abs).max() ?? 0
    return Picture(
      width: size.width, height: size.height, channels: 3,
      samples: values.flatMap { DivergingColours.colour(of: $0, limit: limit) })
  }
}

/// The colours of signed values.
///
/// Both ends are equally dark, so that equal magnitudes look equally strong, and blue against red
/// is told apart by people who do not see red and green as different.
package enum DivergingColours {
  /// From no magnitude to the full one.
  private static let negative: [[Double]] = [[250, 250, 250], [146, 190, 228], [30, 84, 160]]
  private static let positive: [[Double]] = [[250, 250, 250], [243, 160, 134], [176, 28, 44]]

  /// Red, green and blue, 0...255 each.
  package static func colour(of value: Double, limit: Double) -> [UInt8] {
    if value.isNaN { return [128, 128, 128] }
    if limit <= 0 || value == 0 { return mixed(positive, 0) }
    return mixed(value < 0 ? negative : positive, min(abs(value) / limit, 1))
  }

  private static func mixed(_ stops: [[Double]], _ fraction: Double) -> [UInt8] {
    let position = fraction * Double(stops.count - 1)
    let index = min(Int(position), stops.count - 2)
    let weight = position - Double(index)
    return zip(stops[index], stops[index + 1]).map { low, high in
      UInt8((low + weight * (high - low)).rounded())
    }
  }
}
