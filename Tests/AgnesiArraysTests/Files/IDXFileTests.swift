import AgnesiArrays
import TestSupport
import Testing

@Suite struct IDXFileTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func problem(_ bytes: [UInt8], packed: Bool = false, limit: Int = 1 << 20) throws
    -> String
  {
    let content = packed ? bytes.withUnsafeBytes { Gzip.packed($0, level: 9) } : bytes
    let path = try folder.write(content, to: "file")
    let text = errorText { _ = try IDXFile.read(path, limit: limit) }
    let prefix = "cannot read \(path) as IDX: "
    return text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text
  }

  @Test func readsEachTypeWithTheLargeByteFirst() throws {
    func read(_ bytes: [UInt8]) throws -> NDArray {
      try IDXFile.read(folder.write(bytes, to: "typed"))
    }
    #expect(try read([0, 0, 8, 1, 0, 0, 0, 2, 7, 255]) == NDArray([7, 255] as [UInt8]))
    #expect(try read([0, 0, 9, 1, 0, 0, 0, 2, 7, 255]) == NDArray([7, -1] as [Int8]))
    #expect(try read([0, 0, 11, 1, 0, 0, 0, 1, 1, 2]) == NDArray([258] as [Int16]))
    #expect(try read([0, 0, 12, 1, 0, 0, 0, 1, 255, 255, 255, 254]) == NDArray([-2] as [Int32]))
    #expect(try read([0, 0, 13, 1, 0, 0, 0, 1, 0x3f, 0xc0, 0, 0]) == NDArray([1.5] as [Float]))
    let double: [UInt8] = [0, 0, 14, 1, 0, 0, 0, 1, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0]
    #expect(try read(double) == NDArray([1.5] as [Double]))
  }

  @Test func readsShapes() throws {
    let matrix: [UInt8] = [0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6]
    #expect(
      try IDXFile.read(folder.write(matrix, to: "matrix"))
        == NDArray([1, 2, 3, 4, 5, 6] as [UInt8], shape: [2, 3]))
    #expect(
      try IDXFile.read(folder.write([0, 0, 8, 0, 42], to: "scalar"))
        == NDArray(scalar: UInt8(42)))
    let empty: [UInt8] = [0, 0, 8, 2, 0, 0, 0, 0, 0, 0, 0, 3]
    #expect(
      try IDXFile.read(folder.write(empty, to: "empty")) == NDArray(zeros: [0, 3], .uint8))
  }

  @Test(arguments: [DType.uint8, .int8, .int16, .int32, .float32, .float64], ["file", "file.gz"])
  func whatIsWrittenIsRead(dtype: DType, name: String) throws {
    let array = NDArray(rounding: [0, 1, -1, 100, 27.5, -3], shape: [3, 2], dtype)
    try IDXFile.write(array, to: folder.path(name))
    #expect(try IDXFile.read(folder.path(name)) == array)
    let isPacked = try Array(folder.read(name)[..<2]) == [0x1f, 0x8b]
    #expect(isPacked == name.hasSuffix(".gz"))
  }

  @Test func aViewIsWrittenInItsOwnOrder() throws {
    let array = NDArray([1, 2, 3, 4, 5, 6] as [Int32], shape: [2, 3]).transposed()
    try IDXFile.write(array, to: folder.path("file"))
    #expect(try IDXFile.read(folder.path("file")) == array)
  }

  @Test func typesWithoutACodeAreNotWritten() {
    let path = folder.path("file")
    #expect(
      errorText { try IDXFile.write(NDArray(zeros: [1], .float16), to: path) }
        == "cannot write \(path) as IDX: it has no code for float16, only for uint8, int8, int16, "
        + "int32, float32, float64")
    #expect(folder.names == [])
  }

  @Test func aMissingFileAndAFolderAreNamed() {
    let path = folder.path("missing")
    #expect(
      errorText { _ = try IDXFile.read(path) } == "cannot read \(path): No such file or directory")
    #expect(
      errorText { _ = try IDXFile.read(folder.path) }
        == "cannot read \(folder.path): Is a directory")
    #expect(
      errorText { _ = try IDXFile.read("/dev/null") }
        == "cannot read /dev/null: it is not a regular file")
  }

  @Test func wrongHeadersAreNamed() throws {
    #expect(try problem([]) == "it ends after 0 of the 4 bytes that tell the type")
    #expect(try problem([0, 0, 8]) == "it ends after 3 of the 4 bytes that tell the type")
    #expect(
      try problem([0x89, 0x50, 0, 1]) == "it begins with the bytes 89 50 00 01 instead of 00 00")
    #expect(
      try problem([0, 0, 10, 1, 0, 0, 0, 0])
        == "its type code is 0a, the format has 08 (uint8), 09 (int8), 0b (int16), 0c (int32), "
        + "0d (float32), 0e (float64)")
    #expect(try problem([0, 0, 8, 3, 0, 0, 0, 1, 0]) == "3 sizes take 12 bytes, 5 follow")
  }

  @Test func wrongLengthsAreNamed() throws {
    let header: [UInt8] = [0, 0, 11, 1, 0, 0, 0, 3]
    #expect(
      try problem(header + [1, 2, 3, 4, 5])
        == "the sizes [3] of int16 need 6 bytes, 5 follow the header")
    #expect(
      try problem(header + [1, 2, 3, 4, 5], packed: true)
        == "the sizes [3] of int16 need 6 bytes, 5 follow the header")
    #expect(
      try problem(header + [1, 2, 3, 4, 5, 6, 7])
        == "the sizes [3] of int16 need 6 bytes, more follow the header")
    #expect(
      try problem(header + [1, 2, 3, 4, 5, 6, 7], packed: true)
        == "the sizes [3] of int16 need 6 bytes, more follow the header")
  }

  @Test func absurdSizesTakeNoMemory() throws {
    let most: [UInt8] = [255, 255, 255, 255]
    #expect(
      try problem([0, 0, 14, 3] + most + most + most)
        == "the product of the sizes [4294967295, 4294967295, 4294967295] is too large")
    #expect(
      try problem([0, 0, 14, 4] + most + most + most + [0, 0, 0, 0])
        == "the product of the sizes [4294967295, 4294967295, 4294967295, 0] is too large")
    let large: [UInt8] = [0, 0, 8, 1] + most
    #expect(
      try problem(large) == "the sizes [4294967295] of uint8 need 4294967295 bytes, "
        + "0 follow the header")
    #expect(
      try problem(large, packed: true)
        == "the sizes [4294967295] of uint8 need 4294967295 bytes, 1048576 are allowed here")
    let gzipped = large.withUnsafeBytes { Gzip.packed($0, level: 9) }.count
    #expect(
      try problem(large, packed: true, limit: 1 << 40)
        == "the sizes [4294967295] of uint8 need 4294967295 bytes, its \(gzipped) gzipped bytes "
        + "cannot hold as many")
  }

  @Test func damagedGzipIsNamed() throws {
    let whole: [UInt8] = [0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 3]
    let packed = whole.withUnsafeBytes { Gzip.packed($0) }
    let cut = try folder.write(packed.dropLast(3), to: "cut")
    #expect(
      errorText { _ = try IDXFile.read(cut) }
        == "cannot read \(cut) as gzip: the compressed data is cut short; 11 bytes came out of it")
    var wrong = packed
    wrong[wrong.count - 5] ^= 0xff
    let damaged = try folder.write(wrong, to: "damaged")
    #expect(
      errorText { _ = try IDXFile.read(damaged) }
        == "cannot read \(damaged) as gzip: the compressed data is damaged (incorrect data check); "
        + "11 bytes came out of it")
  }

  @Test(.enabled(if: TestData.folder != nil, "AGNESI_TEST_DATA is not set"))
  func readsMNIST() throws {
    let labels = try IDXFile.read(TestData.path("mnist/train-labels-idx1-ubyte.gz"))
    #expect(labels.shape == [60_000])
    #expect(labels.scalars(as: UInt8.self).prefix(5) == [5, 0, 4, 1, 9])
    let images = try IDXFile.read(TestData.path("mnist/t10k-images-idx3-ubyte.gz"))
    #expect(images.shape == [10_000, 28, 28])
    #expect(images.dtype == .uint8)
  }
}
