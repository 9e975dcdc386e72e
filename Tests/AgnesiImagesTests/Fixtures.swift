import AgnesiArrays
import AgnesiImages
import Foundation

/// The files that `Fixtures/make.py` made, and what Pillow read from them.
enum Fixtures {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Fixtures"

  static func path(_ name: String) -> String { "\(folder)/\(name)" }

  static func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: path(name))))
  }

  /// Every picture file's name.
  static let names: [String] = {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return files.filter { !$0.hasSuffix(".py") && !$0.hasSuffix(".expected") }.sorted()
  }()

  static func arrays(_ name: String) throws -> [String: NDArray] {
    let file = try SafetensorsFile(reading: path(name))
    return Dictionary(uniqueKeysWithValues: file.tensors.map { ($0.name, $0.array) })
  }

  static let pictures = Result { try arrays("pictures.expected") }
  static let resized = Result { try arrays("resized.expected") }
}

extension NDArray {
  /// The picture of `[height, width, 3]` or `[height, width]` bytes.
  var picture: Picture {
    Picture(
      width: shape[1], height: shape[0], channels: rank == 3 ? shape[2] : 1,
      samples: scalars(as: UInt8.self))
  }
}

/// The largest difference of two pictures' samples; nil where their sizes differ.
func difference(_ first: Picture, _ second: Picture) -> Int? {
  guard first.width == second.width, first.height == second.height,
    first.channels == second.channels
  else { return nil }
  return zip(first.samples, second.samples).map { abs(Int($0) - Int($1)) }.max()
}

/// Bytes that a seed determines (Steele, Lea, Flood 2014: SplitMix64).
struct SeededBits: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }
}
