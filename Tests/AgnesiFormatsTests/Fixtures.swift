import AgnesiArrays
import AgnesiFormats
import Foundation
import TestSupport

/// The files that `Fixtures/make.py` made, and the numbers in them.
enum Fixtures {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures").path

  static func path(_ name: String) -> String { "\(folder)/\(name)" }

  static func bytes(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: path(name))))
  }

  static func read(_ name: String) throws -> WeightFile { try WeightFile(reading: path(name)) }

  /// The numbers of `ramp` in `make.py`: element i is ((7 (i + first)) mod 23) / 4.
  static func ramp(_ shape: [Int], _ dtype: DType = .float32, first: Int = 0) -> NDArray {
    let count = shape.reduce(1, *)
    let values = (0..<count).map { Double(($0 + first) * 7 % 23) / 4 }
    return NDArray(rounding: values, shape: shape, dtype)
  }
}

/// Why a file is not read, without the words that name it.
func problem(_ path: String, as format: String) -> String {
  let text = errorText { _ = try WeightFile(reading: path) }
  let prefix = "cannot read \(path) as \(format): "
  return text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text
}
