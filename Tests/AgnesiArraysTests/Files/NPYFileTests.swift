import AgnesiArrays
import TestSupport
import Testing

@Suite struct NPYFileTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A file as NumPy writes it, but with any header.
  private func file(
    _ header: String, _ data: [UInt8] = [], version: UInt8 = 1, length: Int? = nil
  ) throws -> String {
    let count = length ?? header.utf8.count
    let lengthBytes =
      version == 1
      ? ByteOrder.littleEndian(UInt16(count)) : ByteOrder.littleEndian(UInt32(count))
    return try folder.write(
      [0x93] + Array("NUMPY".utf8) + [version, 0] + lengthBytes + Array(header.utf8) + data,
      to: "file.npy")
  }

  private func problem(_ path: String) -> String {
    let text = errorText { _ = try NPYFile.read(path) }
    let prefix = "cannot read \(path) as npy: "
    return text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text
  }

  private func header(_ descriptor: String, order: String = "False", shape: String) -> String {
    "{'descr': '\(descriptor)', 'fortran_order': \(order), 'shape': \(shape), }"
  }

  @Test(arguments: DType.allCases)
  func whatIsWrittenIsRead(dtype: DType) throws {
    let array = NDArray(rounding: [0, 1, -1, 100, 27.5, -3], shape: [3, 1, 2], dtype)
    try NPYFile.write(array, to: folder.path("a.npy"))
    #expect(try NPYFile.read(folder.path("a.npy")).isIdentical(to: array))
  }

  @Test(arguments: [[], [0], [5], [2, 0, 3]])
  func shapesSurvive(shape: [Int]) throws {
    let array = NDArray(filled: 2, shape: shape, .int16)
    try NPYFile.write(array, to: folder.path("a.npy"))
    #expect(try NPYFile.read(folder.path("a.npy")) == array)
  }

  @Test func theBytesAreThoseOfNumPy() throws {
    // np.save(f, np.array([[1, 2]], "<u2"))
    let array = NDArray([1, 2] as [UInt16], shape: [1, 2])
    try NPYFile.write(array, to: folder.path("a.npy"))
    let text = "{'descr': '<u2', 'fortran_order': False, 'shape': (1, 2), }"
    let padded = text + String(repeating: " ", count: 118 - text.utf8.count - 1) + "\n"
    let expected: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array(padded.utf8)
    #expect(try folder.read("a.npy") == expected + [1, 0, 2, 0])
  }

  @Test func manyAxesTakeALongerHeader() throws {
    let array = NDArray([3] as [UInt8], shape: [Int](repeating: 1, count: 21_800))
    try NPYFile.write(array, to: folder.path("a.npy"))
    #expect(try folder.read("a.npy")[6] == 2)
    #expect(try NPYFile.read(folder.path("a.npy")).shape == array.shape)
  }

  @Test func readsColumnMajorAndBigEndian() throws {
    let columns = try file(header("|u1", order: "True", shape: "(2, 3)"), [1, 4, 2, 5, 3, 6])
    #expect(try NPYFile.read(columns) == NDArray([1, 2, 3, 4, 5, 6] as [UInt8], shape: [2, 3]))
    let big = try file(header(">i4", shape: "(2,)"), [0, 0, 1, 0, 255, 255, 255, 255])
    #expect(try NPYFile.read(big) == NDArray([256, -1] as [Int32]))
    let half = try file(header(">f2", shape: "()"), [0x3e, 0x00])
    #expect(try NPYFile.read(half).scalar == 1.5)
  }

  @Test(arguments: [1, 2, 3] as [UInt8]) func readsEachVersion(version: UInt8) throws {
    let path = try file(header("<i2", shape: "(1,)") + "\n", [7, 0], version: version)
    #expect(try NPYFile.read(path) == NDArray([7] as [Int16]))
  }

  @Test func readsOtherSpellingsOfTheHeader() throws {
    let text = #"{"shape":(2L,1),"descr":"=i2","fortran_order":False}"#
    #expect(
      try NPYFile.read(file(text, [1, 0, 2, 0])) == NDArray([1, 2] as [Int16], shape: [2, 1]))
  }

  @Test func boolsAreZeroOrOne() throws {
    let array = try NPYFile.read(file(header("|b1", shape: "(3,)"), [0, 1, 200]))
    #expect(array.withUnsafeBytes { Array($0) } == [0, 1, 1])
  }

  @Test func typesWithoutADTypeAreNamed() throws {
    for descriptor in ["<c8", "|O", "<U5", "|S3", "<M8[s]", "f4", ""] {
      #expect(
        problem(try file(header(descriptor, shape: "(0,)")))
          == "its elements are of NumPy's type '\(descriptor)', which has no dtype here")
    }
    let fields = "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (0,)}"
    #expect(problem(try file(fields)) == "its elements are structures; only plain numbers are read")
  }

  @Test func wrongStartsAreNamed() throws {
    let other = try folder.write(Array("PK".utf8), to: "file.npy")
    #expect(problem(other) == "it does not begin with \\x93NUMPY and a version")
    #expect(problem(try file("{}", version: 4)) == "its version is 4.0, known are 1, 2 and 3")
    #expect(problem(try file("{}", length: 3)) == "it ends inside its header")
    let long = String(repeating: " ", count: 70_000)
    #expect(
      problem(try file(long, version: 2))
        == "its header is 70000 bytes long, at most 65536 are read")
    #expect(problem(try file("{}", version: 2, length: 0x7fff_ffff)) == "it ends inside its header")
  }

  @Test(arguments: [
    ("", "its header lacks '{' at byte 0"),
    ("{", "its header lacks '}' at byte 1"),
    ("{'descr'}", "its header lacks ':' at byte 8"),
    ("{'descr': ", "its header lacks a value at byte 10"),
    ("{'descr: 3}", "its header lacks a closing quote at byte 1"),
    ("{'descr': exec}", "its header lacks a number, True, False or a string at byte 10"),
    ("{1: 2}", "its header lacks a quoted key at byte 2"),
    ("{} x", "its header lacks its end at byte 3"),
    ("{}", "its header lacks the key 'descr'"),
    ("{'a': 1}", "its header has the unknown key 'a'"),
    ("{'descr': '<f4', 'descr': '<f4'}", "its header has the key 'descr' twice"),
    ("{'descr': 5}", "its 'descr' is not a string"),
    ("{'descr': '<f4', 'shape': ()}", "its header lacks the key 'fortran_order'"),
    (
      "{'descr': '<f4', 'fortran_order': 1, 'shape': ()}",
      "its 'fortran_order' is neither True nor False"
    ),
    ("{'descr': '<f4', 'fortran_order': True, 'shape': 3}", "its 'shape' is not a tuple"),
    (
      "{'descr': '<f4', 'fortran_order': True, 'shape': (-1,)}",
      "its 'shape' holds something that is not a size"
    ),
    (
      "{'descr': '<f4', 'fortran_order': True, 'shape': (99999999999999999999,)}",
      "its header lacks a number, True, False or a string at byte 50"
    ),
    (
      "{'descr': '<f8', 'fortran_order': True, 'shape': (4611686018427387904,)}",
      "the product of the sizes [4611686018427387904] is too large"
    ),
    (
      "{'descr': '<f8', 'fortran_order': True, 'shape': (1000000,)}",
      "the sizes [1000000] of float64 need 8000000 bytes, 0 follow the header"
    ),
  ])
  func hostileHeadersAreNamed(text: String, expected: String) throws {
    #expect(problem(try file(text)) == expected)
  }

  @Test func wrongLengthsAreNamed() throws {
    let text = header("<i2", shape: "(2,)")
    #expect(
      problem(try file(text, [1, 2, 3]))
        == "the sizes [2] of int16 need 4 bytes, 3 follow the header")
    #expect(
      problem(try file(text, [1, 2, 3, 4, 5]))
        == "the sizes [2] of int16 need 4 bytes, 5 follow the header")
  }

  @Test(.enabled(if: TestData.folder != nil, "AGNESI_TEST_DATA is not set"))
  func readsWhatNumPyWrote() throws {
    let mean = try NPYFile.read(TestData.path("cifar10/train_mean_3x32x32.npy"))
    #expect(mean.shape == [3, 32, 32])
    let red = mean[rows: 0..<1].doubles.reduce(0, +) / 1024
    #expect(abs(red - 0.49140) < 1e-5)
  }
}
