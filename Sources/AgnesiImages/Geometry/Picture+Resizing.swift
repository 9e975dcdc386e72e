import CAgnesiFiles

extension Picture {
  /// The picture of another size.
  ///
  /// Each new pixel is the filter's weighted mean of the old ones around its place. Where a side
  /// shrinks, the filter is as much wider, so that all old pixels count and nothing flickers
  /// (antialiasing); ``ResizeFilter/nearest`` only picks. The results equal those of
  /// `resize` in Pillow 11 and 12: first the width, then the height, rounded between. Pillow 13 begins
  /// with the height where pictures are tall, and differs by 1 of 255 there.
  ///
  /// - Precondition: `width` and `height` are positive.
  public func resized(
    width: Int, height: Int, filter: ResizeFilter = .bilinear
  ) -> Picture {
    precondition(width > 0 && height > 0, "a picture resized to \(width) × \(height) pixels")
    if width == self.width && height == self.height { return self }
    return resized(width: width, height: height, filter: filter, x: 0..<width, y: 0..<height)
  }

  /// The pixels of the picture of another size that lie in columns `x` and rows `y`, which are not empty
  /// and within it; only these are computed, so that the new size itself costs nothing.
  func resized(
    width: Int, height: Int, filter: ResizeFilter, x: Range<Int>, y: Range<Int>
  ) -> Picture {
    let kept = agnesi_rectangle(x: x.lowerBound, y: y.lowerBound, width: x.count, height: y.count)
    let size = x.count * y.count * channels
    let samples = [UInt8](unsafeUninitializedCapacity: size) { result, count in
      let isDone = agnesi_resize(
        self.samples, self.width, self.height, channels, result.baseAddress, width, height, kept,
        filter.number)
      precondition(isDone, "no memory to resize a picture")
      count = size
    }
    return Picture(width: x.count, height: y.count, channels: channels, samples: samples)
  }

  /// The picture whose shorter side has `shortSide` pixels, the other in proportion, rounded down, as
  /// torchvision's `Resize` does.
  ///
  /// - Precondition: `shortSide` is positive.
  public func resized(shortSide: Int, filter: ResizeFilter = .bilinear) -> Picture {
    precondition(shortSide > 0, "a picture resized to \(shortSide) pixels")
    let size = size(shortSide: shortSide)
    return resized(width: size.width, height: size.height, filter: filter)
  }

  /// The size with a shorter side of `shortSide`, the longer one in proportion, rounded down.
  func size(shortSide: Int) -> (width: Int, height: Int) {
    let longSide = max(shortSide * max(width, height) / min(width, height), 1)
    return width <= height ? (shortSide, longSide) : (longSide, shortSide)
  }
}

extension Picture {
  /// The largest size in the picture's proportions within this one, rounded to the nearest.
  func size(within mostWidth: Int, _ mostHeight: Int) -> (width: Int, height: Int) {
    let (width, height) = (Double(self.width), Double(self.height))
    let scale = min(Double(mostWidth) / width, Double(mostHeight) / height)
    func scaled(_ side: Double, _ most: Int) -> Int {
      min(max(Int((side * scale).rounded()), 1), most)
    }
    return (scaled(width, mostWidth), scaled(height, mostHeight))
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
