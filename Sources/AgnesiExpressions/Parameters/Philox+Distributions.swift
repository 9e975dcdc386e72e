import AgnesiArrays

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

extension Philox {
  /// Uniform in the open interval 0...1.
  package func uniforms(_ count: Int) -> [Double] {
    (0..<count).map { (Double(word(UInt64($0))) + 0.5) / 0x1p32 }
  }

  /// Standard normal, by Box and Muller's method on pairs of words.
  package func normals(_ count: Int) -> [Double] {
    (0..<count).map { normal(block(low: UInt64($0))) }
  }

  private func normal(_ block: (UInt32, UInt32, UInt32, UInt32)) -> Double {
    let radius = (-2 * log((Double(block.0) + 0.5) / 0x1p32)).squareRoot()
    let angle = 2 * Double.pi * (Double(block.1) + 0.5) / 0x1p32
    return radius * cos(angle)
  }

  /// Standard normal, at most 2 in magnitude: the first of a sequence of draws for each element.
  package func truncatedNormals(_ count: Int) -> [Double] {
    (0..<count).map { index in
      for attempt in 0..<UInt64(64) {
        let value = normal(block(low: UInt64(index), high: attempt))
        if abs(value) <= 2 { return value }
      }
      // One in 10^85.
      return 0
    }
  }

  /// Mean 0 and the given deviation, uniform or normal.
  func centred(_ count: Int, uniform: Bool, deviation: Double) -> [Double] {
    if uniform { return uniforms(count).map { (2 * $0 - 1) * 3.0.squareRoot() * deviation } }
    return normals(count).map { $0 * deviation }
  }
}
