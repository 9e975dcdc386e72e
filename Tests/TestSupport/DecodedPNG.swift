import CZlib

/// Reads the PNG files that Agnesi writes, independently of how they were written.
package struct DecodedPNG {
  package private(set) var width = 0
  package private(set) var height = 0
  package private(set) var channels = 0
  package private(set) var samples: [UInt8] = []
  /// The filter of each row.
  package private(set) var filters: [UInt8] = []

  package struct Malformed: Error {
    let reason: String
  }

  package init(_ file: [UInt8]) throws {
    guard file.starts(with: [137, 80, 78, 71, 13, 10, 26, 10]) else {
      throw Malformed(reason: "signature")
    }
    var compressed: [UInt8] = []
    var types: [String] = []
    var position = 8
    while position < file.count {
      let length = Self.number(file, position)
      let checked = Array(file[(position + 4)..<(position + 8 + length)])
      let type = String(decoding: checked.prefix(4), as: UTF8.self)
      guard
        Self.number(file, position + 8 + length) == Int(crc32(0, checked, UInt32(checked.count)))
      else { throw Malformed(reason: "check sum of \(type)") }
      types.append(type)
      if type == "IHDR" { try readHeader(Array(checked.dropFirst(4))) }
      if type == "IDAT" { compressed += checked.dropFirst(4) }
      position += 12 + length
    }
    guard types == ["IHDR", "IDAT", "IEND"] else { throw Malformed(reason: "chunks \(types)") }
    try unfilter(inflated(compressed))
  }

  private static func number(_ bytes: [UInt8], _ start: Int) -> Int {
    bytes[start..<(start + 4)].reduce(0) { $0 << 8 | Int($1) }
  }

  private mutating func readHeader(_ header: [UInt8]) throws {
    guard header.count == 13, header[8] == 8, header[10...12].allSatisfy({ $0 == 0 }) else {
      throw Malformed(reason: "header \(header)")
    }
    width = Self.number(header, 0)
    height = Self.number(header, 4)
    channels = header[9] == 0 ? 1 : 3
    guard header[9] == 0 || header[9] == 2 else { throw Malformed(reason: "colour type") }
  }

  private func inflated(_ bytes: [UInt8]) throws -> [UInt8] {
    // One byte more than there must be, so that too much data is noticed.
    var length = uLongf(height * (width * channels + 1) + 1)
    var result = [UInt8](repeating: 0, count: Int(length))
    guard uncompress(&result, &length, bytes, uLong(bytes.count)) == Z_OK,
      Int(length) == result.count - 1
    else { throw Malformed(reason: "\(length) bytes of data") }
    return Array(result.dropLast())
  }

  private mutating func unfilter(_ data: [UInt8]) throws {
    let stride = width * channels
    for row in 0..<height {
      let filter = data[row * (stride + 1)]
      filters.append(filter)
      for column in 0..<stride {
        let value = data[row * (stride + 1) + 1 + column]
        let left = column >= channels ? Int(samples[samples.count - channels]) : 0
        let above = row > 0 ? Int(samples[samples.count - stride]) : 0
        let corner =
          row > 0 && column >= channels ? Int(samples[samples.count - stride - channels]) : 0
        samples.append(value &+ (try Self.prediction(filter, left, above, corner)))
      }
    }
  }

  private static func prediction(
    _ filter: UInt8, _ left: Int, _ above: Int, _ corner: Int
  ) throws -> UInt8 {
    switch filter {
    case 0: return 0
    case 1: return UInt8(left)
    case 2: return UInt8(above)
    case 3: return UInt8((left + above) / 2)
    case 4:
      let p = left + above - corner
      let (a, b, c) = (abs(p - left), abs(p - above), abs(p - corner))
      return UInt8(a <= b && a <= c ? left : (b <= c ? above : corner))
    default: throw Malformed(reason: "filter \(filter)")
    }
  }
}
