import AgnesiArrays

/// Numbers on a grid of pixels, row by row from the top: a heat map before it becomes a picture.
package struct Plane: Sendable, Equatable {
  package let values: [Double]
  package let width: Int
  package let height: Int

  /// - Precondition: `values.count == width * height`.
  package init(_ values: [Double], width: Int, height: Int) {
    precondition(values.count == width * height, "\(width) × \(height), got \(values.count)")
    self.values = values
    self.width = width
    self.height = height
  }

  package var array: NDArray { NDArray(rounding: values, shape: [height, width], .float32) }

  /// The plane at another size: a smooth surface through the values, which stand for the middles of
  /// their pixels; means of areas where it shrinks. Never beyond the smallest and largest value.
  ///
  /// - Precondition: both sides are positive, the plane's and the new ones.
  /// - Source: cubic convolution with a = −½, Keys, *Cubic convolution interpolation for digital
  ///   image processing*, 1981; stretched where it shrinks.
  package func resized(width newWidth: Int, height newHeight: Int) -> Plane {
    if newWidth == width, newHeight == height { return self }
    let wide = transposedResize(to: newWidth)
    let result = wide.transposedResize(to: newHeight)
    let finite = values.filter(\.isFinite)
    guard let low = finite.min(), let high = finite.max() else { return result }
    return Plane(
      result.values.map { min(max($0, low), high) }, width: newWidth, height: newHeight)
  }

  /// Rows brought to `size` and written as columns; twice is both directions.
  private func transposedResize(to size: Int) -> Plane {
    let taps = (0..<size).map { Self.taps(at: $0, of: size, from: width) }
    var result = [Double](repeating: 0, count: size * height)
    for y in 0..<height {
      for (x, taps) in taps.enumerated() {
        var sum = 0.0
        for (index, weight) in taps { sum += weight * values[y * width + index] }
        result[x * height + y] = sum
      }
    }
    return Plane(result, width: height, height: size)
  }

  /// Which old positions make the new one, with weights that sum to 1.
  private static func taps(
    at position: Int, of size: Int, from oldSize: Int
  ) -> [(index: Int, weight: Double)] {
    let scale = Double(oldSize) / Double(size)
    let stretch = max(scale, 1)
    let centre = (Double(position) + 0.5) * scale - 0.5
    // At the borders, the positions that there are share all the weight.
    let first = max(Int((centre - 2 * stretch).rounded(.up)), 0)
    let last = min(Int((centre + 2 * stretch).rounded(.down)), oldSize - 1)
    let taps = (first...last).map { index in
      (index: index, weight: cubic(abs(Double(index) - centre) / stretch))
    }
    let total = taps.reduce(0) { $0 + $1.weight }
    return taps.map { ($0.index, $0.weight / total) }
  }

  private static func cubic(_ x: Double) -> Double {
    if x < 1 { return (1.5 * x - 2.5) * x * x + 1 }
    if x < 2 { return ((-0.5 * x + 2.5) * x - 4) * x + 2 }
    return 0
  }
}
