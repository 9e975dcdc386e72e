import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiImages
import Foundation

/// A wave under a bell: what the first layers of networks that see learn by themselves, written down.
///
/// At (x, y), turned by the orientation θ to x′ = x·cos θ + y·sin θ and y′ = −x·sin θ + y·cos θ:
///
/// g = exp(−(x′² + y′²) / 2σ²) / 2πσ² · exp(2πi·x′ / λ)
///
/// The deviation σ follows from the wavelength λ and the bandwidth b in octaves:
/// σ = λ/π · √(ln 2 / 2) · (2ᵇ + 1) / (2ᵇ − 1).
///
/// Source: Daugman, *Uncertainty relation for resolution in space, spatial frequency, and orientation
/// optimized by two-dimensional visual cortical filters*, 1985.
public struct GaborFilter: Sendable, Hashable {
  /// Pixels from crest to crest, more than 0.
  public var wavelength: Double
  /// The direction in which the wave runs, in radians from the x axis; y points down.
  public var orientation: Double
  /// The width of its answer over frequencies at half height, in octaves, more than 0.
  public var bandwidth: Double

  public init(wavelength: Double, orientation: Double, bandwidth: Double = 1.2) {
    self.wavelength = wavelength
    self.orientation = orientation
    self.bandwidth = bandwidth
  }

  /// The bell's deviation in pixels.
  public var deviation: Double {
    let octaves = exp2(bandwidth)
    return wavelength / Double.pi * (log(2) / 2).squareRoot() * (octaves + 1) / (octaves - 1)
  }

  /// Pixels from the middle after which the bell is as good as 0: three deviations.
  public var radius: Int { Int((3 * deviation).rounded(.up)) }

  /// The real part (even) and the imaginary part (odd) at whole pixels, `[2r + 1, 2r + 1]`, float32.
  ///
  /// - Parameter radius: r; by default the filter's own.
  public func kernel(radius: Int? = nil) -> (real: NDArray, imaginary: NDArray) {
    let radius = radius ?? self.radius
    let (cosine, sine) = (cos(orientation), sin(orientation))
    let spread = 2 * deviation * deviation
    var (real, imaginary): ([Double], [Double]) = ([], [])
    for y in -radius...radius {
      for x in -radius...radius {
        let bell = exp(-Double(x * x + y * y) / spread) / (Double.pi * spread)
        let phase = 2 * Double.pi * (Double(x) * cosine + Double(y) * sine) / wavelength
        real.append(bell * cos(phase))
        imaginary.append(bell * sin(phase))
      }
    }
    let shape = [2 * radius + 1, 2 * radius + 1]
    return (
      NDArray(rounding: real, shape: shape, .float32),
      NDArray(rounding: imaginary, shape: shape, .float32)
    )
  }

  /// Filters of all wavelengths in evenly spaced orientations from 0 up to π, wavelength by
  /// wavelength.
  public static func bank(
    wavelengths: [Double] = [4, 8], orientations: Int = 6, bandwidth: Double = 1.2
  ) -> [GaborFilter] {
    wavelengths.flatMap { wavelength in
      (0..<max(orientations, 0)).map { index in
        GaborFilter(
          wavelength: wavelength, orientation: Double(index) * Double.pi / Double(orientations),
          bandwidth: bandwidth)
      }
    }
  }
}

extension [GaborFilter] {
  /// The kernels for a convolution, all of the largest one's size: real parts, then imaginary ones,
  /// `[2 · count, 1, side, side]`.
  public var kernels: NDArray {
    let radius = map(\.radius).max() ?? 0
    let side = 2 * radius + 1
    let parts = map { $0.kernel(radius: radius) }
    let values = (parts.map(\.real) + parts.map(\.imaginary)).flatMap {
      $0.scalars(as: Float.self)
    }
    return NDArray(values, shape: [2 * count, 1, side, side])
  }

  /// How strongly a grey image contains each wave, whatever its phase: the magnitude of the complex
  /// answer, √(real² + imaginary²).
  ///
  /// - Parameter image: `[batch, 1, height, width]`, float32; around it are zeros.
  /// - Returns: `[batch, count, height, width]`.
  public func magnitudes(in image: Tensor) -> Tensor {
    let answers = convolution2D(image, .constant(kernels), padding: .same)
    let parts = answers.split(into: 2, axis: 1)
    return sqrt(square(parts[0]) + square(parts[1]))
  }

  /// How strongly a picture contains each wave, a map for each filter.
  ///
  /// - Throws: what the backend throws.
  public func answers(to picture: Picture, on backend: any Backend) throws -> Activations {
    let image = Tensor.input("image", [1, 1, Size(picture.height), Size(picture.width)])
    let maps = magnitudes(in: image)
    let function = try compile(
      [image], to: [maps], options: CompileOptions(name: "gabor"), on: backend)
    let planes = picture.planes.cast(to: .float32)
    // The mean of the colours; edges are what is looked for, so its offset does not matter.
    let area = picture.width * picture.height
    let values = planes.scalars(as: Float.self)
    let greys = (0..<area).map { pixel in
      stride(from: pixel, to: values.count, by: area).reduce(0) { $0 + values[$1] }
        / Float(picture.channels)
    }
    let mean = greys.reduce(0, +) / Float(area)
    let grey = NDArray(greys.map { $0 - mean }, shape: [1, 1, picture.height, picture.width])
    let answers = try function(grey).arrays[0]
    return Activations(layer: "gabor", maps: answers.reshaped([Int](answers.shape.dropFirst())))
  }

  /// Real parts above, imaginary parts below, a column for each filter; nil without filters.
  ///
  /// - Parameter scale: each point becomes so many pixels.
  public func drawn(scale: Int = 2) throws(PictureError) -> Picture? {
    let kernels = kernels
    var pictures: [Picture] = []
    for index in 0..<kernels.shape[0] {
      let kernel = kernels[rows: index..<(index + 1)].reshaped(
        Array<Int>(kernels.shape.dropFirst()))
      // Each on its own scale: long waves are lower, since their sums are equal.
      pictures.append(try Picture.diverging(kernel).enlarged(by: Swift.max(scale, 1)))
    }
    return Picture.grid(pictures, columns: count, gap: 3)
  }
}
