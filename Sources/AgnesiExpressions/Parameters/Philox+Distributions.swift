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
    (0..<count).map { index in
      let block = block(low: UInt64(index))
      let radius = (-2 * log((Double(block.0) + 0.5) / 0x1p32)).squareRoot()
      let angle = 2 * Double.pi * (Double(block.1) + 0.5) / 0x1p32
      return radius * cos(angle)
    }
  }

  /// Mean 0 and the given deviation, uniform or normal.
  func centred(_ count: Int, uniform: Bool, deviation: Double) -> [Double] {
    if uniform { return uniforms(count).map { (2 * $0 - 1) * 3.0.squareRoot() * deviation } }
    return normals(count).map { $0 * deviation }
  }
}
