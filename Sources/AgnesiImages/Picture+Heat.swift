import AgnesiArrays

extension Picture {
  /// The picture of magnitudes, dark where they are 0 and pale where they are largest.
  ///
  /// - Parameters:
  ///   - heat: `[height, width]` or `[1, height, width]`, any dtype. Negative values count as 0.
  ///   - limit: the value that gets the brightest colour; larger ones get it too. By default the
  ///     largest finite value.
  ///
  /// NaN is grey.
  ///
  /// - Throws: ``PictureError`` for another shape.
  public static func heat(_ heat: NDArray, limit: Double? = nil) throws(PictureError) -> Picture {
    let size = try planeSize(of: heat)
    let values = heat.doubles
    let limit = HeatLimit.positive(limit, values)
    return Picture(
      width: size.width, height: size.height, channels: 3,
      samples: values.flatMap { HeatColours.colour(of: HeatLimit.fraction($0, limit)) })
  }

  /// This picture with a heat map drawn over it: cold places stay as they are, a little paler in
  /// colour and darker; hot places glow.
  ///
  /// - Parameters:
  ///   - heat: `[height, width]` or `[1, height, width]`, any dtype; it covers the whole picture and
  ///     is brought to its size smoothly.
  ///   - limit: the magnitude that gets the full colour; larger ones get it too. By default the
  ///     largest finite one.
  ///   - isSigned: whether negative values are shown too, in blue (positive ones are then red);
  ///     otherwise they count as 0.
  ///   - opacity: how much of the picture the hottest places hide, 0...1.
  /// - Returns: a picture in colour of this one's size.
  /// - Throws: ``PictureError`` for another shape.
  public func overlaid(
    heat: NDArray, limit: Double? = nil, isSigned: Bool = false, opacity: Double = 0.8
  ) throws(PictureError) -> Picture {
    let size = try Self.planeSize(of: heat)
    let plane = Plane(heat.doubles, width: size.width, height: size.height)
    let values = plane.resized(width: width, height: height).values
    // The limit is that of the map as it was given: smoothing would change it.
    let limit =
      isSigned
      ? limit ?? HeatLimit.magnitude(plane.values) : HeatLimit.positive(limit, plane.values)
    var result: [UInt8] = []
    result.reserveCapacity(width * height * 3)
    for (index, value) in values.enumerated() {
      let pixel = quiet(index)
      let fraction = min(max(HeatLimit.fraction(isSigned ? abs(value) : value, limit), 0), 1)
      let colour =
        isSigned
        ? DivergingColours.colour(of: value, limit: limit) : HeatColours.colour(of: fraction)
      // The root lets middling places show; at 0 nothing hides the picture.
      let share = value.isNaN ? 0 : min(max(opacity, 0), 1) * fraction.squareRoot()
      for channel in 0..<3 {
        let mixed = pixel[channel] * (1 - share) + Double(colour[channel]) * share
        result.append(UInt8(min(max(mixed, 0), 255).rounded()))
      }
    }
    return Picture(width: width, height: height, channels: 3, samples: result)
  }

  /// A pixel with half of its colour taken out and a little darker, so that heat stands out.
  private func quiet(_ index: Int) -> [Double] {
    let start = index * channels
    let colour = (0..<3).map { Double(samples[start + min($0, channels - 1)]) }
    let grey = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
    return colour.map { ($0 + grey) / 2 * 0.85 }
  }

  package static func planeSize(
    of array: NDArray
  ) throws(PictureError) -> (height: Int, width: Int) {
    let size = try size(of: array)
    guard size.channels == 1 else { throw PictureError(dtype: array.dtype, shape: array.shape) }
    return (size.height, size.width)
  }
}

/// What a heat map's values are measured by.
private enum HeatLimit {
  static func positive(_ given: Double?, _ values: [Double]) -> Double {
    given ?? values.filter(\.isFinite).max() ?? 0
  }

  static func magnitude(_ values: [Double]) -> Double {
    values.filter(\.isFinite).map(abs).max() ?? 0
  }

  static func fraction(_ value: Double, _ limit: Double) -> Double {
    limit > 0 ? value / limit : (value.isNaN ? .nan : 0)
  }
}
