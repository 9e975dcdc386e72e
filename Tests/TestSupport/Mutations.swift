import AgnesiArrays

/// Damages files: bits, bytes, numbers, lengths and pieces of each other. The same seed damages alike.
package struct Mutations {
  private let stream: Philox
  private var counter: UInt64 = 0

  package init(seed: UInt64) { stream = Philox(seed: seed, name: "mutations") }

  private mutating func pick(_ count: Int) -> Int {
    counter += 1
    return Int(stream.word(counter)) % max(count, 1)
  }

  /// `bytes` with one to four kinds of damage; `others` lend pieces.
  package mutating func of(_ bytes: [UInt8], _ others: [[UInt8]]) -> [UInt8] {
    var result = bytes
    for _ in 0...pick(4) { damage(&result, others) }
    return result
  }

  private mutating func damage(_ bytes: inout [UInt8], _ others: [[UInt8]]) {
    guard !bytes.isEmpty else { return bytes = [UInt8(pick(256))] }
    let place = pick(bytes.count)
    switch pick(7) {
    case 0: bytes[place] ^= 1 << UInt8(pick(8))
    case 1: bytes[place] = UInt8(pick(256))
    case 2: bytes[place] = [0, 1, 0x7f, 0x80, 0xff][pick(5)]
    case 3: bytes.removeSubrange(place..<min(place + 1 + pick(16), bytes.count))
    case 4:
      let lender = others[pick(others.count)]
      let start = pick(lender.count)
      bytes.insert(contentsOf: lender[start..<min(start + pick(64), lender.count)], at: place)
    case 5: bytes.removeSubrange(place...)
    default:
      // A number of ten bytes, as large as there is.
      let huge = [UInt8](repeating: 0xff, count: 1 + pick(9)) + [0x01]
      bytes.replaceSubrange(place..<min(place + 1, bytes.count), with: huge)
    }
  }
}
