extension Picture {
  /// The picture with each pixel repeated `factor` times in both directions.
  ///
  /// - Precondition: `factor ≥ 1`.
  public func enlarged(by factor: Int) -> Picture {
    precondition(factor >= 1, "a picture enlarged by \(factor)")
    var result: [UInt8] = []
    result.reserveCapacity(samples.count * factor * factor)
    for y in 0..<height {
      var row: [UInt8] = []
      for x in 0..<width {
        let pixel = pixel(x: x, y: y)
        for _ in 0..<factor { row += pixel }
      }
      for _ in 0..<factor { result += row }
    }
    return Picture(
      width: width * factor, height: height * factor, channels: channels, samples: result)
  }

  /// The pictures side by side in rows, with gaps between them but none around.
  ///
  /// - Parameters:
  ///   - pictures: of any sizes; a smaller one stands in the middle of its cell. If any is in
  ///     colour, the result is.
  ///   - columns: pictures in a row; by default as many as make the grid about square.
  ///   - gap: pixels between neighbours.
  ///   - background: the grey of gaps and empty cells.
  /// - Returns: the grid; nil without pictures.
  public static func grid(
    _ pictures: [Picture], columns: Int? = nil, gap: Int = 1, background: UInt8 = 255
  ) -> Picture? {
    guard let cellWidth = pictures.map(\.width).max(), let cellHeight = pictures.map(\.height).max()
    else { return nil }
    let square = Int(Double(pictures.count).squareRoot().rounded(.up))
    let columns = min(max(columns ?? square, 1), pictures.count)
    let rows = (pictures.count + columns - 1) / columns
    let gap = max(gap, 0)
    var canvas = Canvas(
      width: columns * (cellWidth + gap) - gap, height: rows * (cellHeight + gap) - gap,
      channels: pictures.map(\.channels).max() ?? 1, background: background)
    for (index, picture) in pictures.enumerated() {
      canvas.draw(
        picture,
        x: index % columns * (cellWidth + gap) + (cellWidth - picture.width) / 2,
        y: index / columns * (cellHeight + gap) + (cellHeight - picture.height) / 2)
    }
    return canvas.picture
  }
}

/// Samples that pictures are copied into.
private struct Canvas {
  let width: Int
  let height: Int
  let channels: Int
  var samples: [UInt8]

  init(width: Int, height: Int, channels: Int, background: UInt8) {
    self.width = width
    self.height = height
    self.channels = channels
    samples = [UInt8](repeating: background, count: width * height * channels)
  }

  mutating func draw(_ picture: Picture, x left: Int, y top: Int) {
    for y in 0..<picture.height {
      for x in 0..<picture.width {
        let start = ((top + y) * width + left + x) * channels
        let pixel = picture.pixel(x: x, y: y)
        for channel in 0..<channels {
          samples[start + channel] = pixel[min(channel, pixel.count - 1)]
        }
      }
    }
  }

  var picture: Picture {
    Picture(width: width, height: height, channels: channels, samples: samples)
  }
}
