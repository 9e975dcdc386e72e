import CZlib

/// Writes pictures of 8-bit samples in the Portable Network Graphics format.
///
/// - Source: W3C, *Portable Network Graphics (PNG) Specification*, third edition, §5, §9 and §11.
package enum PNG {
  package static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

  /// The bytes of a PNG file.
  ///
  /// - Parameters:
  ///   - channels: 1 for grey, 3 for red, green and blue, interleaved in `samples`.
  ///   - samples: `width · height · channels` values, row by row from the top.
  package static func encode(
    width: Int, height: Int, channels: Int, samples: [UInt8]
  ) -> [UInt8] {
    precondition(width > 0 && height > 0, "a picture of \(width) × \(height) pixels")
    precondition(channels == 1 || channels == 3, "a picture of \(channels) channels")
    precondition(samples.count == width * height * channels, "\(samples.count) samples")
    let colourType: UInt8 = channels == 1 ? 0 : 2
    // Bit depth 8, the colour type, then deflate, adaptive filters and no interlacing.
    let header = bigEndian(width) + bigEndian(height) + [8, colourType, 0, 0, 0]
    let rows = PNGFilter.filtered(samples, rowBytes: width * channels, pixelBytes: channels)
    return signature + chunk("IHDR", header) + chunk("IDAT", deflated(rows)) + chunk("IEND", [])
  }

  /// A chunk: length, type, data, and the check sum of type and data.
  private static func chunk(_ type: String, _ data: [UInt8]) -> [UInt8] {
    let checked = Array(type.utf8) + data
    let sum = checked.withUnsafeBufferPointer { crc32(0, $0.baseAddress, UInt32($0.count)) }
    return bigEndian(data.count) + checked + bigEndian(Int(sum))
  }

  private static func bigEndian(_ value: Int) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
  }

  private static func deflated(_ bytes: [UInt8]) -> [UInt8] {
    // A photo takes seconds at the best level, and gains a few percent.
    let level = bytes.count > 1 << 20 ? Z_DEFAULT_COMPRESSION : Z_BEST_COMPRESSION
    var length = compressBound(uLong(bytes.count))
    return [UInt8](unsafeUninitializedCapacity: Int(length)) { result, count in
      let status = compress2(result.baseAddress, &length, bytes, uLong(bytes.count), level)
      // The room is what zlib itself asks for, so only exhausted memory is left as a reason.
      precondition(
        status == Z_OK, "zlib could not compress \(bytes.count) bytes: status \(status)")
      count = Int(length)
    }
  }
}

/// The predictions by which a PNG row is turned into small differences before compression.
private enum PNGFilter: UInt8, CaseIterable {
  case none = 0
  case left = 1
  case above = 2
  case paeth = 4

  /// Each row with the filter whose differences are smallest in sum, its number in front.
  static func filtered(_ samples: [UInt8], rowBytes: Int, pixelBytes: Int) -> [UInt8] {
    let rows = samples.count / rowBytes
    let size = rows * (rowBytes + 1)
    // The row above the first is zeros, and so is the pixel left of each row's first.
    let padded = pixelBytes + rowBytes
    var previous = [UInt8](repeating: 0, count: padded)
    var current = previous
    var candidate = [UInt8](repeating: 0, count: rowBytes)
    var best = candidate
    return [UInt8](unsafeUninitializedCapacity: size) { result, count in
      for row in 0..<rows {
        current.replaceSubrange(
          pixelBytes..., with: samples[(row * rowBytes)..<((row + 1) * rowBytes)])
        var choice = (filter: PNGFilter.none, sum: Int.max)
        for filter in allCases {
          let sum = filter.apply(
            to: current.span, below: previous.span, pixelBytes: pixelBytes,
            into: &candidate)
          if sum < choice.sum {
            choice = (filter, sum)
            swap(&best, &candidate)
          }
        }
        let start = row * (rowBytes + 1)
        result[start] = choice.filter.rawValue
        _ = result[(start + 1)..<(start + 1 + rowBytes)].initialize(fromContentsOf: best)
        swap(&previous, &current)
      }
      count = size
    }
  }

  /// Writes the row's differences from what is predicted; returns the sum of their magnitudes as
  /// signed bytes. Both rows begin with a pixel of zeros.
  private func apply(
    to row: Span<UInt8>, below previous: Span<UInt8>, pixelBytes: Int, into result: inout [UInt8]
  ) -> Int {
    var result = result.mutableSpan
    switch self {
    case .none: return Self.write(&result) { row[$0 + pixelBytes] }
    case .left: return Self.write(&result) { row[$0 + pixelBytes] &- row[$0] }
    case .above:
      return Self.write(&result) { row[$0 + pixelBytes] &- previous[$0 + pixelBytes] }
    case .paeth:
      return Self.write(&result) { index in
        let prediction = Self.nearest(
          left: row[index], above: previous[index + pixelBytes], corner: previous[index])
        return row[index + pixelBytes] &- prediction
      }
    }
  }

  @inline(__always)
  private static func write(
    _ result: inout MutableSpan<UInt8>, _ difference: (Int) -> UInt8
  ) -> Int {
    var sum = 0
    for index in result.indices {
      let value = difference(index)
      result[index] = value
      sum += Int(Int8(bitPattern: value).magnitude)
    }
    return sum
  }

  /// Of the three neighbours the one nearest to left + above - corner.
  @inline(__always)
  private static func nearest(left: UInt8, above: UInt8, corner: UInt8) -> UInt8 {
    let byLeft = abs(Int16(above) - Int16(corner))
    let byAbove = abs(Int16(left) - Int16(corner))
    let byCorner = abs(Int16(left) + Int16(above) - 2 * Int16(corner))
    if byLeft <= byAbove && byLeft <= byCorner { return left }
    return byAbove <= byCorner ? above : corner
  }
}
