import AgnesiArrays
import TestSupport
import Testing

@Suite struct MappedFileTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func arraysAreViewsWhereElementsAreAligned() throws {
    let path = try folder.write((0..<64).map { UInt8($0) }, to: "a")
    let file = try MappedFile(path)
    #expect(file.byteCount == 64)
    #expect(Array(file.bytes) == (0..<64).map { UInt8($0) })
    file.prefetch()
    let aligned = try file.array(.uint16, [2, 2], at: 2)
    #expect(aligned.storage.isForeign)
    #expect(aligned.doubles == [0x0302, 0x0504, 0x0706, 0x0908])
    let odd = try file.array(.uint16, [2], at: 3)
    #expect(!odd.storage.isForeign)
    #expect(odd.doubles == [0x0403, 0x0605])
    let bools = try file.array(.bool, [3], at: 0)
    #expect(bools.withUnsafeBytes { Array($0) } == [0, 1, 1])
  }

  @Test func viewsKeepTheMapping() throws {
    let path = try folder.write([1, 2, 3, 4], to: "a")
    let array = try MappedFile(path).array(.uint8, [4], at: 0)
    #expect(array.doubles == [1, 2, 3, 4])
  }

  @Test func whatTheFileDoesNotHoldIsRefused() throws {
    let path = try folder.write([1, 2, 3, 4], to: "a")
    let file = try MappedFile(path)
    for (shape, offset) in [([2], 0), ([1], 1), ([1], -1), ([0], 5), ([.max, 2], 0)] {
      #expect(
        errorText { _ = try file.array(.float32, shape, at: offset) }
          == "cannot read \(path) as a mapped file: float32\(shape) at byte \(offset) is not within "
          + "its 4 bytes")
    }
    #expect(try file.array(.float32, [1], at: 0).shape == [1])
    #expect(try file.array(.float32, [3, 0], at: 4).shape == [3, 0])
  }

  @Test func emptyFilesAndFilesThatCannotBeMapped() throws {
    let empty = try MappedFile(try folder.write([UInt8](), to: "empty"))
    #expect(empty.bytes.isEmpty)
    #expect(try empty.array(.int32, [0], at: 0).count == 0)
    let missing = folder.path("missing")
    #expect(
      errorText { _ = try MappedFile(missing) }
        == "cannot read \(missing): No such file or directory")
    #expect(
      errorText { _ = try MappedFile(folder.path) } == "cannot read \(folder.path): Is a directory")
  }
}
