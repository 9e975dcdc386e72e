import AgnesiArrays

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A small picture of 8-bit samples, grey or in colour, at least one pixel large.
public struct Picture: Sendable, Equatable {
  /// Pixels from left to right.
  public let width: Int
  /// Pixels from top to bottom.
  public let height: Int
  /// 1 for grey; 3 for red, green and blue.
  public let channels: Int
  /// `height · width · channels` samples, row by row from the top, a pixel's channels adjacent.
  public let samples: [UInt8]

  /// A picture of the given samples.
  ///
  /// - Precondition: `width` and `height` are positive, `channels` is 1 or 3, and
  ///   `samples.count == width * height * channels`.
  public init(width: Int, height: Int, channels: Int, samples: [UInt8]) {
    precondition(width > 0 && height > 0, "a picture of \(width) × \(height) pixels")
    precondition(channels == 1 || channels == 3, "a picture of \(channels) channels")
    precondition(
      samples.count == width * height * channels,
      "\(width) × \(height) × \(channels) samples, got \(samples.count)")
    self.width = width
    self.height = height
    self.channels = channels
    self.samples = samples
  }

  /// The picture as a PNG file.
  public var png: [UInt8] {
    PNG.encode(width: width, height: height, channels: channels, samples: samples)
  }

  /// The picture as a `data:` address that stands in a page by itself.
  package var dataURI: String { "data:image/png;base64,\(Data(png).base64EncodedString())" }

  /// The samples of one pixel: one of a grey picture, three of a coloured one.
  public func pixel(x: Int, y: Int) -> [UInt8] {
    let start = (y * width + x) * channels
    return Array(samples[start..<(start + channels)])
  }
}

// MARK: - From arrays

extension Picture {
  /// The picture of an array of shape `[height, width]`, `[1, height, width]` (both grey) or
  /// `[3, height, width]` (red, green, blue).
  ///
  /// - Parameters:
  ///   - array: any dtype. Bytes (`uint8`) are taken as they are where no range is given.
  ///   - range: the values that become black (0) and white (255); values outside are cut. By
  ///     default the smallest and the largest finite value, or 0 and 1 for `bool`.
  ///
  /// Where all values are equal and no range is given, the picture is mid-grey. NaN is black.
  ///
  /// - Throws: ``PictureError`` for another shape.
  public init(_ array: NDArray, range: ClosedRange<Double>? = nil) throws(PictureError) {
    let size = try Self.size(of: array)
    let planes: [UInt8]
    if array.dtype == .uint8, range == nil {
      planes = array.scalars(as: UInt8.self)
    } else {
      let values = array.doubles
      planes = Self.bytes(values, range ?? Self.automaticRange(of: values, array.dtype))
    }
    self.init(
      width: size.width, height: size.height, channels: size.channels,
      samples: Self.interleaved(planes, channels: size.channels))
  }

  package static func size(
    of array: NDArray
  ) throws(PictureError) -> (channels: Int, height: Int, width: Int) {
    let shape = array.rank == 2 ? [1] + array.shape : array.shape
    guard shape.count == 3, shape[0] == 1 || shape[0] == 3, shape[1] > 0, shape[2] > 0 else {
      throw PictureError(dtype: array.dtype, shape: array.shape)
    }
    return (shape[0], shape[1], shape[2])
  }

  private static func automaticRange(of values: [Double], _ dtype: DType) -> ClosedRange<Double> {
    if dtype == .bool { return 0...1 }
    let finite = values.filter(\.isFinite)
    guard let low = finite.min(), let high = finite.max() else { return 0...1 }
    return low...high
  }

  private static func bytes(_ values: [Double], _ range: ClosedRange<Double>) -> [UInt8] {
    let extent = range.upperBound - range.lowerBound
    return values.map { value in
      if value.isNaN { return 0 }
      if extent <= 0 {
        if value == range.lowerBound { return 128 }
        return value < range.lowerBound ? 0 : 255
      }
      let position = (value - range.lowerBound) / extent
      return UInt8((min(max(position, 0), 1) * 255).rounded())
    }
  }

  /// Plane after plane into pixel after pixel.
  private static func interleaved(_ planes: [UInt8], channels: Int) -> [UInt8] {
    if channels == 1 { return planes }
    let pixels = planes.count / channels
    return (0..<planes.count).map { planes[$0 % channels * pixels + $0 / channels] }
  }
}

/// An array that is no picture.
public struct PictureError: Error, Equatable, CustomStringConvertible, LocalizedError {
  /// The array's dtype.
  public let dtype: DType
  /// The array's shape.
  public let shape: [Int]

  package init(dtype: DType, shape: [Int]) {
    self.dtype = dtype
    self.shape = shape
  }

  public var description: String {
    """
    cannot show a \(dtype) array of shape \(shape) as a picture
      needed: [height, width], [1, height, width] or [3, height, width], no size 0
    """
  }

  public var errorDescription: String? { description }
}
