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
    var length = compressBound(uLong(bytes.count))
    var result = [UInt8](repeating: 0, count: Int(length))
    let status = compress2(&result, &length, bytes, uLong(bytes.count), Z_BEST_COMPRESSION)
    // The room is what zlib itself asks for, so only exhausted memory is left as a reason.
    precondition(status == Z_OK, "zlib could not compress \(bytes.count) bytes: status \(status)")
    return Array(result.prefix(Int(length)))
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
    var result: [UInt8] = []
    result.reserveCapacity(samples.count + samples.count / rowBytes)
    var previous = [UInt8](repeating: 0, count: rowBytes)
    for start in stride(from: 0, to: samples.count, by: rowBytes) {
      let row = Array(samples[start..<(start + rowBytes)])
      var best: (filter: PNGFilter, row: [UInt8], sum: Int) = (.none, [], .max)
      for filter in allCases {
        let candidate = filter.apply(to: row, below: previous, pixelBytes: pixelBytes)
        let sum = candidate.reduce(0) { $0 + abs(Int(Int8(bitPattern: $1))) }
        if sum < best.sum { best = (filter, candidate, sum) }
      }
      result.append(best.filter.rawValue)
      result += best.row
      previous = row
    }
    return result
  }

  private func apply(to row: [UInt8], below previous: [UInt8], pixelBytes: Int) -> [UInt8] {
    row.indices.map { index in
      let isFirst = index < pixelBytes
      let left = isFirst ? 0 : row[index - pixelBytes]
      let corner = isFirst ? 0 : previous[index - pixelBytes]
      return row[index] &- prediction(left: left, above: previous[index], corner: corner)
    }
  }

  private func prediction(left: UInt8, above: UInt8, corner: UInt8) -> UInt8 {
    switch self {
    case .none: return 0
    case .left: return left
    case .above: return above
    case .paeth:
      let estimate = Int(left) + Int(above) - Int(corner)
      let byLeft = abs(estimate - Int(left))
      let byAbove = abs(estimate - Int(above))
      let byCorner = abs(estimate - Int(corner))
      if byLeft <= byAbove && byLeft <= byCorner { return left }
      return byAbove <= byCorner ? above : corner
    }
  }
}
