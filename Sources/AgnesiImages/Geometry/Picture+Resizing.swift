import CAgnesiFiles

extension Picture {
  /// The picture of another size.
  ///
  /// Each new pixel is the filter's weighted mean of the old ones around its place. Where a side
  /// shrinks, the filter is as much wider, so that all old pixels count and nothing flickers
  /// (antialiasing); ``ResizeFilter/nearest`` only picks. The results equal those of Pillow's `resize`.
  ///
  /// - Precondition: `width` and `height` are positive.
  public func resized(
    width: Int, height: Int, filter: ResizeFilter = .bilinear
  ) -> Picture {
    precondition(width > 0 && height > 0, "a picture resized to \(width) × \(height) pixels")
    if width == self.width && height == self.height { return self }
    let samples = [UInt8](unsafeUninitializedCapacity: width * height * channels) { result, count in
      let isDone = agnesi_resize(
        self.samples, self.width, self.height, channels, result.baseAddress, width, height,
        filter.number)
      precondition(isDone, "no memory to resize a picture")
      count = width * height * channels
    }
    return Picture(width: width, height: height, channels: channels, samples: samples)
  }

  /// The picture whose shorter side has `shortSide` pixels, the other in proportion, rounded down, as
  /// torchvision's `Resize` does.
  ///
  /// - Precondition: `shortSide` is positive.
  public func resized(shortSide: Int, filter: ResizeFilter = .bilinear) -> Picture {
    precondition(shortSide > 0, "a picture resized to \(shortSide) pixels")
    let longSide = max(shortSide * max(width, height) / min(width, height), 1)
    return width <= height
      ? resized(width: shortSide, height: longSide, filter: filter)
      : resized(width: longSide, height: shortSide, filter: filter)
  }
}

extension ResizeFilter {
  fileprivate var number: agnesi_filter {
    switch self {
    case .nearest: AGNESI_FILTER_NEAREST
    case .box: AGNESI_FILTER_BOX
    case .bilinear: AGNESI_FILTER_BILINEAR
    case .bicubic: AGNESI_FILTER_BICUBIC
    case .lanczos: AGNESI_FILTER_LANCZOS
    }
  }
}
