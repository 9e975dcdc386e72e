#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A picture that would become too large.
public struct PictureSizeError: Error, Hashable, Sendable {
  /// More pixels than any network is shown are a mistake, or a trap.
  public static let mostPixels = 400_000_000

  /// The picture's pixels from left to right.
  public let width: Int
  /// The picture's pixels from top to bottom.
  public let height: Int
  /// What its width would become.
  public let newWidth: Int
  /// What its height would become.
  public let newHeight: Int
}

extension PictureSizeError: CustomStringConvertible, LocalizedError {
  /// The error as one sentence.
  public var description: String {
    "a picture of \(width) × \(height) pixels would become one of \(newWidth) × \(newHeight), more than"
      + " the limit of \(Self.mostPixels) pixels"
  }

  /// The same, for Foundation.
  public var errorDescription: String? { description }
}

extension PicturePreprocessing {
  /// The picture, resized and cut as this says. A side that is not to be cut stays as it is.
  ///
  /// Only what is kept is computed: however long and thin a photo is, it costs no more than others.
  ///
  /// - Precondition: the sizes asked for are positive.
  /// - Throws: ``PictureSizeError`` where more than 400 million pixels would remain, because a photo is
  ///   long and thin and nothing is cut off.
  public func callAsFunction(_ picture: Picture) throws(PictureSizeError) -> Picture {
    let size = resizedSize(of: picture)
    let width = cropWidth ?? size.width
    let height = cropHeight ?? size.height
    let (pixels, isTooMuch) = width.multipliedReportingOverflow(by: height)
    guard !isTooMuch, pixels <= PictureSizeError.mostPixels else {
      throw PictureSizeError(
        width: picture.width, height: picture.height, newWidth: width, newHeight: height)
    }
    // Where the cut is larger than the picture, what remains is smaller than asked for.
    let x = Picture.middle(width, of: size.width)
    let y = Picture.middle(height, of: size.height)
    let columns = x.clamped(to: 0..<size.width)
    let rows = y.clamped(to: 0..<size.height)
    let isSameSize = size.width == picture.width && size.height == picture.height
    let kept =
      isSameSize
      ? picture.cropped(
        x: columns.lowerBound, y: rows.lowerBound, width: columns.count, height: rows.count)
      : picture.resized(
        width: size.width, height: size.height, filter: filter, x: columns, y: rows)
    if columns == x && rows == y { return kept }
    return kept.cropped(
      x: x.lowerBound - columns.lowerBound, y: y.lowerBound - rows.lowerBound, width: width,
      height: height, background: background)
  }

  /// Where the whole picture lies in what is kept of it: inside where it is padded, beyond it where
  /// something is cut off.
  package func place(of picture: Picture) -> (columns: Range<Int>, rows: Range<Int>) {
    let size = resizedSize(of: picture)
    let x = Picture.middle(cropWidth ?? size.width, of: size.width).lowerBound
    let y = Picture.middle(cropHeight ?? size.height, of: size.height).lowerBound
    return (-x..<(size.width - x), -y..<(size.height - y))
  }

  private func resizedSize(of picture: Picture) -> (width: Int, height: Int) {
    switch resizing {
    case .none: (picture.width, picture.height)
    case .shortSide(let side): picture.size(shortSide: side)
    case .exact(let width, let height): (width, height)
    case .within(let width, let height): picture.size(within: width, height)
    }
  }
}
