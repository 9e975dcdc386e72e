/// How a resized picture's pixels are made of the original's.
public enum ResizeFilter: String, Codable, Sendable, Hashable, CaseIterable {
  case nearest, box, bilinear, bicubic, lanczos
}

/// What happens to a photo's geometry before a network sees it: resized, then cut from the middle.
///
/// Part of a model, stored in its file. What happens to the pixels' values is part of the network's
/// graph.
public struct PicturePreprocessing: Codable, Hashable, Sendable {
  /// The size before anything is cut off.
  public enum Resizing: Codable, Hashable, Sendable {
    /// As the photo is.
    case none
    /// The shorter side has this many pixels, and the other is in proportion.
    case shortSide(Int)
    /// Both sides, whatever the photo's proportions are.
    case exact(width: Int, height: Int)
    /// The largest size in the photo's proportions within this one.
    case within(width: Int, height: Int)
  }

  /// The size before anything is cut off.
  public var resizing: Resizing
  /// How pixels are made when the size changes.
  public var filter: ResizeFilter
  /// Pixels from left to right that are kept around the middle; nil keeps all.
  public var cropWidth: Int?
  /// Pixels from top to bottom that are kept around the middle; nil keeps all.
  public var cropHeight: Int?
  /// The colour around a picture that is smaller than what is kept: a sample for each channel; nil for
  /// black.
  public var background: [UInt8]?

  /// Keeps photos as they are unless told otherwise.
  public init(
    resizing: Resizing = .none, filter: ResizeFilter = .bilinear, cropWidth: Int? = nil,
    cropHeight: Int? = nil, background: [UInt8]? = nil
  ) {
    self.resizing = resizing
    self.filter = filter
    self.cropWidth = cropWidth
    self.cropHeight = cropHeight
    self.background = background
  }

  /// Whole photos in their proportions, as large as fits into `width` × `height`, with a colour around
  /// them (padding).
  public static func padded(
    width: Int, height: Int, filter: ResizeFilter = .bilinear, background: [UInt8]? = nil
  ) -> PicturePreprocessing {
    PicturePreprocessing(
      resizing: .within(width: width, height: height), filter: filter, cropWidth: width,
      cropHeight: height, background: background)
  }

  /// The same resizing with nothing cut off: for networks that take any size.
  public func withoutCrop() -> Self {
    PicturePreprocessing(resizing: resizing, filter: filter)
  }
}
