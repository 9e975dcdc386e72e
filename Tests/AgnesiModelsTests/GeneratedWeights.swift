import AgnesiArrays
import Dispatch

/// Weights that `Fixtures/make.py` draws too, by the same generator and rules.
enum GeneratedWeights {
  /// The array that a file in PyTorch's form has under `name`.
  static func array(_ name: String, _ shape: [Int], seed: UInt64) -> NDArray {
    let incoming = Double(shape.dropFirst().reduce(1, *))
    if shape.count > 1 {
      let bound = (6 / incoming).squareRoot()
      return drawn(name, shape, seed) { (2 * $0 - 1) * bound }
    }
    if name.hasSuffix("running_var") { return drawn(name, shape, seed) { 0.5 + $0 } }
    if name.hasSuffix("weight") { return drawn(name, shape, seed) { 0.25 + 0.75 * $0 } }
    return drawn(name, shape, seed) { 0.2 * $0 - 0.1 }
  }

  /// Pixels, 0...255.
  static func pixels(_ shape: [Int], seed: UInt64) -> NDArray {
    drawn("pixels", shape, seed) { 255 * $0 }
  }

  private static func drawn(
    _ name: String, _ shape: [Int], _ seed: UInt64, value: @Sendable (Double) -> Double
  ) -> NDArray {
    let stream = Philox(seed: seed, name: name)
    let result = NDArray(uninitialized: shape, .float32)
    let (count, part) = (result.count, 1 << 16)
    DispatchQueue.concurrentPerform(iterations: (count + part - 1) / part) { index in
      for start in stride(from: index * part, to: min((index + 1) * part, count), by: 4) {
        let block = stream.block(low: UInt64(start) >> 2)
        let words = [block.0, block.1, block.2, block.3]
        for (place, word) in words.prefix(count - start).enumerated() {
          result.store(value(Double(word) / 0x1p32), at: start + place)
        }
      }
    }
    return result
  }
}
