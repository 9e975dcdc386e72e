import AgnesiArrays
import AgnesiFormats
import TestSupport
import Testing

/// `.npz` and `.npy`, and the zip archives below them.
@Suite struct ArchiveTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder(inMemory: true) }

  @Test func arraysWithoutNamesComeByNumber() throws {
    let file = try Fixtures.read("plain.npz")
    #expect(file.format == .npz)
    #expect(file.arrays.map(\.name) == (0..<12).map { "arr_\($0)" })
    for (index, item) in file.arrays.enumerated() {
      #expect(item.array == Fixtures.ramp([index + 1]))
    }
  }

  @Test func packedArchives() throws {
    let file = try Fixtures.read("packed.npz")
    #expect(file.arrays.map(\.name) == ["weight", "fortran", "big", "flags", "empty", "one"])
    #expect(file["weight"] == Fixtures.ramp([40, 50]))
    #expect(file["fortran"] == Fixtures.ramp([3, 4]))
    #expect(file["big"] == Fixtures.ramp([7], .int16))
    #expect(file["flags"] == NDArray([false, false, true, true, false]))
    #expect(file["empty"]?.shape == [0, 3])
    #expect(file["one"] == Fixtures.ramp([]))
  }

  @Test func commentsAndLateSizes() throws {
    #expect(try Fixtures.read("comment.npz")["first"] == Fixtures.ramp([3, 3]))
  }

  @Test func loneArrays() throws {
    let file = try Fixtures.read("array.npy")
    #expect(file.format == .npy)
    #expect(file.arrays.map(\.name) == ["array"])
    #expect(file["array"] == Fixtures.ramp([3, 4, 5]))
  }

  @Test(arguments: DType.allCases) func whatIsWrittenIsRead(dtype: DType) throws {
    let arrays: [(name: String, array: NDArray)] = [
      ("b", Fixtures.ramp([2, 3], dtype).transposed()), ("a/é", Fixtures.ramp([], dtype)),
      ("none", NDArray(zeros: [0], dtype)),
    ]
    try NPZFile.write(arrays, to: folder.path("a.npz"))
    let file = try WeightFile(reading: folder.path("a.npz"))
    #expect(file.arrays.map(\.name) == arrays.map(\.name))
    for (name, array) in arrays { #expect(file[name]?.isIdentical(to: array) == true) }
  }

  /// Views lie in the file; what is written there stays in the process.
  @Test func storedArraysAreViews() throws {
    let path = folder.path("a.npz")
    try NPZFile.write([("w", Fixtures.ramp([1000]))], to: path)
    let before = try folder.read("a.npz")
    var array = try #require(try WeightFile(reading: path)["w"])
    #expect(array.storage.isForeign)
    array.withUnsafeMutableBytes { $0.storeBytes(of: -1, as: Float.self) }
    #expect(array[0] == -1)
    #expect(try folder.read("a.npz") == before)
  }

  @Test func namesMustDiffer() throws {
    let zero = NDArray(zeros: [1])
    let path = folder.path("a.npz")
    #expect(
      errorText { try NPZFile.write([("w", zero), ("w", zero)], to: path) }
        == "cannot write \(path) as npz: two arrays are called \"w\"")
    #expect(folder.names.isEmpty)
  }

  // MARK: Hostile archives

  private static let npy = NPYFile.header(of: NDArray(zeros: [2])) + [UInt8](repeating: 0, count: 8)

  private static func zip(_ change: (inout TestZip) -> Void) -> [UInt8] {
    var archive = TestZip([.init(name: "a.npy", data: npy), .init(name: "b.npy", data: npy)])
    change(&archive)
    return archive.bytes
  }

  static let archives: [(bytes: [UInt8], problem: String)] = [
    (
      zip { $0.members[1].start = 0 }, "its member \"b.npy\" is called \"a.npy\" where its data are"
    ),
    (
      zip {
        $0.members[0].packedSize = 200
        $0.members[0].size = 200
      }, "its members \"a.npy\" and \"b.npy\" overlap at byte 171"
    ),
    (
      zip {
        $0.members[0].packedSize = 0xffff_fff0
        $0.members[0].size = 0xffff_fff0
      },
      "its member \"a.npy\" would take 4294967280 bytes from byte 35, the directory begins at 342"
    ),
    (zip { $0.members[0].start = 0xffff_fff0 }, "its member \"a.npy\" is not at byte 4294967280"),
    (zip { $0.members[1].name = "a.npy" }, "it has two members called \"a.npy\""),
    (
      zip { $0.members[1].localName = "c.npy" },
      "its member \"b.npy\" is called \"c.npy\" where its data are"
    ),
    (zip { $0.count = 400 }, "its directory of 102 bytes is too short for 400 members"),
    (
      zip { $0.directoryStart = 9999 },
      "its directory would take 102 bytes from byte 9999, the file has 466"
    ),
    (zip { $0.members[0].flags = 1 }, "its member \"a.npy\" is encrypted"),
    (
      zip { $0.members[0].method = 12 },
      "its member \"a.npy\" is packed by method 12; stored (0) and deflated (8) are read"
    ),
    (zip { $0.members[0].size = 4 }, "its member \"a.npy\" is stored in 136 bytes and has 4"),
  ]

  @Test(arguments: archives) func directoriesMustBeTrue(bytes: [UInt8], expected: String) throws {
    #expect(problem(try folder.write(bytes, to: "a.npz"), as: "a zip archive") == expected)
  }

  static let members: [(bytes: [UInt8], problem: String)] = [
    (
      zip { $0.members[0].checksum = 5 },
      "its member \"a.npy\" has the checksum acb6b085, the archive says 5"
    ),
    (
      zip { $0.members[0].method = 8 },
      "the compressed data of its member \"a.npy\" are damaged or do not have 136 bytes"
    ),
    (
      zip {
        $0.members[0].method = 8
        $0.members[0].size = 1 << 30
      },
      "its member \"a.npy\" would unpack from 136 to 1073741824 bytes, more than deflate can pack"
    ),
    (
      zip { $0.members[0].data = [1, 2] },
      "its member \"a.npy\": it does not begin with \\x93NUMPY and a version"
    ),
  ]

  @Test(arguments: members) func membersMustBeTrue(bytes: [UInt8], expected: String) throws {
    #expect(problem(try folder.write(bytes, to: "a.npz"), as: "npz") == expected)
  }

  /// 100 kB that unpack to 100 MB.
  @Test func bombsAreRefusedBeforeTheyUnpack() throws {
    let count = 100 << 20
    let zeros = [UInt8](repeating: 0, count: count)
    // Gzip's header has ten bytes, its end eight; between them is what zip stores.
    let packed = zeros.withUnsafeBytes { Gzip.packed($0) }.dropFirst(10).dropLast(8)
    let bomb = TestZip([
      .init(name: "a.npy", data: Array(packed), method: 8, size: UInt32(count), checksum: 0)
    ])
    let path = try folder.write(bomb.bytes, to: "bomb.npz")
    #expect(
      problem(path, as: "npz")
        == "its member \"a.npy\", unpacked, takes 104857600 bytes, which with 0 bytes before is more "
        + "than the 67108864 bytes that are allowed for a file of this size")
  }

  @Test func hugeShapesTakeNoMemory() throws {
    let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 1000000, 1000), }\n"
    let start =
      [0x93] + Array("NUMPY".utf8) + [1, 0] + ByteOrder.littleEndian(UInt16(text.utf8.count))
    let path = try folder.write(start + Array(text.utf8) + [0, 0, 0, 0], to: "huge.npy")
    #expect(
      problem(path, as: "npy")
        == "the sizes [1000000, 1000000, 1000] of float32 need 4000000000000000 bytes, 4 follow the header"
    )
  }

  @Test(arguments: ["plain.npz", "packed.npz", "array.npy"])
  func everyTruncationIsAnError(name: String) throws {
    let bytes = try Fixtures.bytes(name)
    for count in 0..<bytes.count {
      let path = try folder.write(bytes[..<count], to: "cut")
      #expect(throws: FormatError.self) { _ = try WeightFile(reading: path) }
    }
  }
}
