/// Counter-based random numbers: Philox 4×32 with ten rounds.
///
/// A block of four 32-bit words is a pure function of a key and a counter, so the n-th draw of a
/// stream is the same on every device and in any order.
///
/// - Source: Salmon, Moraes, Dror, Shaw, *Parallel Random Numbers: As Easy as 1, 2, 3*, SC 2011, §4.
public struct Philox: Sendable {
  public let key: UInt64

  public init(key: UInt64) { self.key = key }

  /// The stream of a name under a seed.
  public init(seed: UInt64, name: String) {
    // FNV-1a over the name's bytes, then mixed with the seed by one Philox block, so that neither
    // similar names nor neighbouring seeds give related streams.
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    let block = Philox(key: seed).block(low: hash, high: 0x41_676e_6573_69)
    key = UInt64(block.0) | UInt64(block.1) << 32
  }

  /// The four words at a 128-bit counter.
  public func block(low: UInt64, high: UInt64 = 0) -> (UInt32, UInt32, UInt32, UInt32) {
    var (c0, c1) = (UInt32(truncatingIfNeeded: low), UInt32(low >> 32))
    var (c2, c3) = (UInt32(truncatingIfNeeded: high), UInt32(high >> 32))
    var (k0, k1) = (UInt32(truncatingIfNeeded: key), UInt32(key >> 32))
    for _ in 0..<10 {
      let first = UInt64(c0) * 0xD251_1F53
      let second = UInt64(c2) * 0xCD9E_8D57
      (c0, c1, c2, c3) = (
        UInt32(second >> 32) ^ c1 ^ k0, UInt32(truncatingIfNeeded: second),
        UInt32(first >> 32) ^ c3 ^ k1, UInt32(truncatingIfNeeded: first)
      )
      k0 &+= 0x9E37_79B9
      k1 &+= 0xBB67_AE85
    }
    return (c0, c1, c2, c3)
  }

  /// The word at position `index` of the stream.
  public func word(_ index: UInt64) -> UInt32 {
    let block = block(low: index >> 2)
    switch index & 3 {
    case 0: return block.0
    case 1: return block.1
    case 2: return block.2
    default: return block.3
    }
  }
}

/// A generator over a ``Philox`` stream, for Swift's own `shuffled(using:)` and `random(in:using:)`.
public struct PhiloxGenerator: RandomNumberGenerator, Sendable {
  private let stream: Philox
  private var position: UInt64

  public init(seed: UInt64, name: String) {
    stream = Philox(seed: seed, name: name)
    position = 0
  }

  public mutating func next() -> UInt64 {
    let block = stream.block(low: position)
    position += 1
    return UInt64(block.0) | UInt64(block.1) << 32
  }
}
