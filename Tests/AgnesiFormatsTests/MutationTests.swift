import AgnesiArrays
import AgnesiFormats
import Foundation
import TestSupport
import Testing

/// Ten thousand damaged files for each reader: none crashes, each error says what is wrong, and memory
/// stays bounded.
@Suite(.serialized) struct MutationTests {
  private static let files = 10_000
  /// Readers may take 64 MiB for a small file (`MemoryBudget`), and the test itself some.
  private static let mostGrowth = 256 << 20

  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder(inMemory: true) }

  @Test func safetensors() throws {
    let path = folder.path("seed")
    try SafetensorsFile(
      tensors: [("w", Fixtures.ramp([3, 4])), ("flags", NDArray([true, false]))],
      metadata: ["k": "v"]
    ).write(to: path)
    try attack("safetensors", [try folder.read("seed")])
  }

  @Test func npy() throws { try attack("npy", [try Fixtures.bytes("array.npy")]) }

  @Test func npz() throws {
    try attack("npz", try ["plain.npz", "packed.npz", "comment.npz"].map(Fixtures.bytes))
  }

  /// The checksum is right, so that the mutation reaches the array.
  @Test func arraysInArchives() throws {
    try attack("npz members", [try Fixtures.bytes("array.npy")]) { bytes in
      TestZip([.init(name: "a.npy", data: bytes)]).bytes
    }
  }

  @Test func pickles() throws {
    let names = [
      "python2-0.pkl", "python2-2.pkl", "python3-0.pkl", "python3-4.pkl", "python3-5.pkl",
      "more.pkl",
    ]
    try attack("pickle", try names.map(Fixtures.bytes))
  }

  @Test func torchArchives() throws {
    try attack("pth", try ["state.pth", "checkpoint.pth"].map(Fixtures.bytes))
  }

  /// The pickle in the archive, whose checksum is right.
  @Test func torchPickles() throws {
    let pickle = try pickleOfState()
    try attack("pth pickle", [pickle]) { bytes in
      let storages = (0..<12).map {
        TestZip.Member(name: "x/data/\($0)", data: [UInt8](repeating: 1, count: 96))
      }
      return TestZip([.init(name: "x/data.pkl", data: bytes)] + storages).bytes
    }
  }

  @Test func legacyTorchFiles() throws {
    try attack("legacy pth", [try Fixtures.bytes("legacy.pth")])
  }

  @Test func hdf5() throws {
    try attack("h5", try ["plain.h5", "keras2.h5"].map(Fixtures.bytes))
  }

  /// The stored `data.pkl` of `state.pth`, from its protocol to its stop.
  private func pickleOfState() throws -> [UInt8] {
    let bytes = try Fixtures.bytes("state.pth")
    let start = try #require(bytes.indices.first { bytes[$0...].starts(with: [0x80, 2, 0x63]) })
    let end = try #require(
      bytes[start...].indices.first { bytes[$0...].starts(with: [0x75, 0x2e]) })
    return Array(bytes[start...(end + 1)])
  }

  private func attack(
    _ name: String, _ seeds: [[UInt8]], wrap: ([UInt8]) -> [UInt8] = { $0 }
  ) throws {
    // Wrapped as it is, each seed is read: else nothing behind the first check would be tested.
    for seed in seeds {
      let path = try folder.write(wrap(seed), to: "seed")
      #expect(throws: Never.self) { _ = try WeightFile(reading: path) }
    }
    var mutator = Mutator(name)
    let before = Self.peakMemory
    var refused = 0
    for _ in 0..<Self.files {
      let seed = seeds[Int.random(in: 0..<seeds.count, using: &mutator.random)]
      let path = try folder.write(wrap(mutator.mutated(seed)), to: "mutant")
      do {
        let file = try WeightFile(reading: path)
        for (_, array) in file.arrays {
          _ = array.withUnsafeBytes { $0.reduce(0) { $0 &+ Int($1) } }
        }
      } catch {
        refused += 1
        let isKnown = error is FormatError || error is FileError
        #expect(isKnown, "\(type(of: error)): \(error)")
        #expect("\(error)".count < 1000, "\(error)")
      }
    }
    #expect(refused > Self.files / 20)
    #expect(Self.peakMemory - before < Self.mostGrowth)
  }

  /// The most memory that the process has had resident, in bytes.
  private static var peakMemory: Int {
    var usage = rusage()
    // The constant is a C enumeration on Linux and an integer elsewhere; so is the unit of memory.
    #if os(Linux)
      getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
      return Int(usage.ru_maxrss) << 10
    #else
      getrusage(RUSAGE_SELF, &usage)
      return Int(usage.ru_maxrss)
    #endif
  }
}

/// Damages files, the same way in every run.
private struct Mutator {
  var random: PhiloxGenerator

  private static let interesting: [UInt8] = [0, 1, 2, 0x7f, 0x80, 0xfe, 0xff, 0x28, 0x2e]

  init(_ name: String) { random = PhiloxGenerator(seed: 5, name: name) }

  mutating func mutated(_ seed: [UInt8]) -> [UInt8] {
    var bytes = seed
    for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty { damage(&bytes) }
    return bytes
  }

  private mutating func damage(_ bytes: inout [UInt8]) {
    let place = Int.random(in: 0..<bytes.count, using: &random)
    let length = min(Int.random(in: 1...16, using: &random), bytes.count - place)
    switch Int.random(in: 0..<8, using: &random) {
    case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 1, 2: bytes[place] = UInt8.random(in: 0...255, using: &random)
    case 3: bytes[place] = Self.interesting.randomElement(using: &random) ?? 0
    case 4:
      for index in place..<min(place + 8, bytes.count) {
        bytes[index] = length % 2 == 0 ? 0xff : 0x7f
      }
    case 5: bytes.insert(contentsOf: bytes[place..<(place + length)], at: place)
    case 6: bytes.removeSubrange(place..<(place + length))
    default:
      let other = Int.random(in: 0...(bytes.count - length), using: &random)
      bytes.replaceSubrange(place..<(place + length), with: bytes[other..<(other + length)])
    }
  }
}
