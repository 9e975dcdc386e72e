#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The colours of magnitudes: from nearly black over violet, red and orange to pale yellow.
///
/// Lightness grows evenly with the magnitude, so that equal steps look equal, also in grey print and
/// to people who see fewer colours; hue only helps to tell neighbours apart.
///
/// Source: the lightness, chroma and hue are those of OKLab, Ottosson, *A perceptual color space for
/// image processing*, 2020.
package enum HeatColours {
  /// Red, green and blue of a magnitude in 0...1; what lies outside gets the colour of the end, and
  /// NaN is grey.
  package static func colour(of fraction: Double) -> [UInt8] {
    if fraction.isNaN { return [128, 128, 128] }
    return table[Int((min(max(fraction, 0), 1) * 255).rounded())]
  }

  /// The colours as a CSS gradient from left to right.
  package static var gradientStops: String {
    stride(from: 0, through: 255, by: 51).map { index in
      "rgb(\(table[index].map(String.init).joined(separator: " ")))"
    }.joined(separator: ",")
  }

  private static let table: [[UInt8]] = (0..<256).map { index in
    let fraction = Double(index) / 255
    let lightness = 0.13 + 0.84 * fraction
    let hue = (285 + 182 * fraction) * Double.pi / 180
    let chroma = 0.05 + 0.13 * sin(Double.pi * fraction) + 0.05 * fraction
    return displayable(lightness, chroma: chroma, hue: hue)
  }

  /// The colour, with as much of the chroma as a screen can show.
  private static func displayable(_ lightness: Double, chroma: Double, hue: Double) -> [UInt8] {
    var (low, high) = (0.0, chroma)
    if isShown(linearColour(lightness, chroma, hue)) { low = chroma }
    for _ in 0..<20 where low < high {
      let middle = (low + high) / 2
      if isShown(linearColour(lightness, middle, hue)) { low = middle } else { high = middle }
    }
    return linearColour(lightness, low, hue).map { UInt8((encoded($0) * 255).rounded()) }
  }

  private static func isShown(_ colour: [Double]) -> Bool {
    colour.allSatisfy { $0 >= 0 && $0 <= 1 }
  }

  /// OKLab into linear red, green and blue.
  private static func linearColour(
    _ lightness: Double, _ chroma: Double, _ hue: Double
  ) -> [Double] {
    let (a, b) = (chroma * cos(hue), chroma * sin(hue))
    func cube(_ x: Double) -> Double { x * x * x }
    let long = cube(lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b)
    let medium = cube(lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b)
    let short = cube(lightness - 0.089_484_177_5 * a - 1.291_485_548 * b)
    return [
      4.076_741_662_1 * long - 3.307_711_591_3 * medium + 0.230_969_929_2 * short,
      -1.268_438_004_6 * long + 2.609_757_401_1 * medium - 0.341_319_396_5 * short,
      -0.004_196_086_3 * long - 0.703_418_614_7 * medium + 1.707_614_701 * short,
    ]
  }

  /// The transfer function of sRGB.
  private static func encoded(_ linear: Double) -> Double {
    let value = min(max(linear, 0), 1)
    return value <= 0.003_130_8 ? 12.92 * value : 1.055 * pow(value, 1 / 2.4) - 0.055
  }
}
