import AgnesiArrays

extension Picture {
  /// The rectangle whose upper left corner is at (`x`, `y`); what lies outside of the picture is black,
  /// or of the colour `background`, of which it takes as many samples as the picture has channels.
  ///
  /// - Precondition: `width` and `height` are positive.
  public func cropped(
    x: Int, y: Int, width: Int, height: Int, background: [UInt8]? = nil
  ) -> Picture {
    precondition(width > 0 && height > 0, "a picture cut to \(width) × \(height) pixels")
    let columns = max(x, 0)..<max(min(x + width, self.width), max(x, 0))
    let rows = max(y, 0)..<max(min(y + height, self.height), max(y, 0))
    let size = width * height * channels
    let result = [UInt8](unsafeUninitializedCapacity: size) { result, count in
      count = size
      if columns.count < width || rows.count < height {
        result.initialize(repeating: 0)
        if let background, background.count >= channels {
          for index in result.indices { result[index] = background[index % channels] }
        }
      }
      samples.withUnsafeBufferPointer { samples in
        for row in rows {
          let source = (row * self.width + columns.lowerBound) * channels
          let target = ((row - y) * width + columns.lowerBound - x) * channels
          let length = columns.count * channels
          _ = result[target..<(target + length)].initialize(
            fromContentsOf: samples[source..<(source + length)])
        }
      }
    }
    return Picture(width: width, height: height, channels: channels, samples: result)
  }

  /// The middle of the picture, with black around it where the picture is smaller; in doubt placed as
  /// torchvision's `CenterCrop` places it.
  ///
  /// - Precondition: `width` and `height` are positive.
  public func centerCropped(width: Int, height: Int) -> Picture {
    cropped(
      x: Self.middle(width, of: self.width).lowerBound,
      y: Self.middle(height, of: self.height).lowerBound, width: width, height: height)
  }

  /// The `kept` places around the middle of `size`, some of them outside where `kept` is larger. Half of
  /// what is cut off comes first, where a half pixel goes to the even neighbour; of what is added, the
  /// smaller half.
  static func middle(_ kept: Int, of size: Int) -> Range<Int> {
    let cut = size - kept
    let start = cut < 0 ? -(-cut / 2) : cut % 4 == 3 ? cut / 2 + 1 : cut / 2
    return start..<(start + kept)
  }

  /// Left and right exchanged.
  public func mirrored() -> Picture {
    let result = [UInt8](unsafeUninitializedCapacity: samples.count) { result, count in
      count = samples.count
      samples.withUnsafeBufferPointer { samples in
        for y in 0..<height {
          for x in 0..<width {
            let source = (y * width + x) * channels
            let target = (y * width + width - 1 - x) * channels
            for channel in 0..<channels { result[target + channel] = samples[source + channel] }
          }
        }
      }
    }
    return Picture(width: width, height: height, channels: channels, samples: result)
  }

  /// The picture as networks see it: `uint8` of shape `[channels, height, width]`.
  public var planes: NDArray {
    let pixels = width * height
    let planes = [UInt8](unsafeUninitializedCapacity: samples.count) { result, count in
      count = samples.count
      samples.withUnsafeBufferPointer { samples in
        for channel in 0..<channels {
          for pixel in 0..<pixels {
            result[channel * pixels + pixel] = samples[pixel * channels + channel]
          }
        }
      }
    }
    return NDArray(planes, shape: [channels, height, width])
  }
}
