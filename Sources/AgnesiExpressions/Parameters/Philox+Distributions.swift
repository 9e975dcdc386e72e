import AgnesiArrays

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

extension Philox {
  /// Element `index` of a stream that is uniform in the open interval 0...1.
  package func uniform(at index: Int) -> Double {
    (Double(word(UInt64(index))) + 0.5) / 0x1p32
  }

  /// The first `count` elements of a stream that is uniform in 0...1.
  package func uniforms(_ count: Int) -> [Double] { (0..<count).map { uniform(at: $0) } }

  /// Element `index` of a standard normal stream, by Box and Muller's method on pairs of words.
  package func normal(at index: Int) -> Double { normal(block(low: UInt64(index))) }

  /// The first `count` elements of a standard normal stream.
  package func normals(_ count: Int) -> [Double] { (0..<count).map { normal(at: $0) } }

  private func normal(_ block: (UInt32, UInt32, UInt32, UInt32)) -> Double {
    let radius = (-2 * log((Double(block.0) + 0.5) / 0x1p32)).squareRoot()
    let angle = 2 * Double.pi * (Double(block.1) + 0.5) / 0x1p32
    return radius * cos(angle)
  }

  /// Standard normal, at most 2 in magnitude: the first of a sequence of draws for each element.
  package func truncatedNormal(at index: Int) -> Double {
    for attempt in 0..<UInt64(64) {
      let value = normal(block(low: UInt64(index), high: attempt))
      if abs(value) <= 2 { return value }
    }
    // One in 10^85.
    return 0
  }

  /// Mean 0 and the given deviation, uniform or normal.
  func centred(at index: Int, uniform isUniform: Bool, deviation: Double) -> Double {
    if isUniform { return (2 * uniform(at: index) - 1) * 3.0.squareRoot() * deviation }
    return normal(at: index) * deviation
  }
}
