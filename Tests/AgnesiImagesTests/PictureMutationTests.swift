import AgnesiImages
import Testing

/// Ten thousand damaged files of each format: every one is a picture or an error.
@Suite struct PictureMutationTests {
  private static let formats: [(suffix: String, seed: UInt64)] = [
    (".jpg", 1), (".png", 2), (".webp", 3), (".gif", 4), (".tif", 5), (".bmp", 6),
  ]

  /// One of the files with some of its bytes changed, cut out or doubled.
  private func mutated(_ files: [[UInt8]], _ bits: inout SeededBits) -> [UInt8] {
    var bytes = files.randomElement(using: &bits) ?? []
    for _ in 0..<Int.random(in: 1...4, using: &bits) where !bytes.isEmpty {
      // Headers decide more than pixels do.
      let end = Bool.random(using: &bits) ? min(bytes.count, 64) : bytes.count
      let place = Int.random(in: 0..<end, using: &bits)
      switch Int.random(in: 0..<8, using: &bits) {
      case 0: bytes.removeSubrange(place...)
      case 1: bytes.remove(at: place)
      case 2:
        let copy = bytes[place..<min(place + 16, bytes.count)]
        bytes.insert(contentsOf: copy, at: place)
      case 3: bytes[place] = [0, 1, 127, 128, 255].randomElement(using: &bits) ?? 0
      case 4: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &bits)
      default: bytes[place] = UInt8.random(in: 0...255, using: &bits)
      }
    }
    // What a file's check sums would only refuse is looked into.
    if bytes.starts(with: [0x89, 0x50]), Bool.random(using: &bits) { repairPNG(&bytes) }
    return bytes
  }

  private func repairPNG(_ bytes: inout [UInt8]) {
    var place = 8
    while place + 12 <= bytes.count {
      let size = bytes[place..<(place + 4)].reduce(0) { $0 << 8 | Int($1) }
      let end = place + 8 + size
      guard end + 4 <= bytes.count else { return }
      let sum = Checksum.crc32(bytes[(place + 4)..<end])
      for (offset, shift) in [24, 16, 8, 0].enumerated() {
        bytes[end + offset] = UInt8(truncatingIfNeeded: sum >> UInt32(shift))
      }
      place = end + 4
    }
  }

  @Test(arguments: formats.indices)
  func damagedFilesArePicturesOrErrors(index: Int) throws {
    let (suffix, seed) = Self.formats[index]
    let files = try Fixtures.names.filter { $0.hasSuffix(suffix) }.map(Fixtures.bytes)
    #expect(files.count > 4)
    let workers = FileWorkers()
    let limits = DecodingLimits(mostPixels: 1 << 18, memory: 64 << 20, seconds: 5)
    var bits = SeededBits(state: seed)
    var pictures = 0
    var errors: [String: Int] = [:]
    for _ in 0..<10_000 {
      let bytes = mutated(files, &bits)
      do {
        let picture = try Picture(decoding: bytes, name: "x", limits: limits, by: workers)
        #expect(picture.width * picture.height <= limits.mostPixels)
        pictures += 1
      } catch {
        errors[error.reason, default: 0] += 1
      }
    }
    // Both happen, and the libraries, as far as they are known to be sound, stay alive.
    #expect(pictures > 100)
    #expect(errors.values.reduce(0, +) > 100)
    #expect(workers.losses <= 10, "\(workers.losses) workers died: \(errors)")
    #expect(workers.starts == workers.losses + 1)
    for bytes in files {
      #expect(throws: Never.self) {
        try Picture(decoding: bytes, name: "x", limits: .standard, by: workers)
      }
    }
  }
}
