import AgnesiArrays
import Foundation
import TestSupport
import Testing

@Suite struct FileNameTests {
  @Test func utf8StaysAsItIs() {
    for name in ["photo.jpg", "Süß/日本.png", "🦚"] {
      #expect(FileName.decoded(Array(name.utf8)) == name)
      #expect(FileName.bytes(of: name) == Array(name.utf8))
      #expect(FileName.printable(name) == name)
      #expect(!FileName.hasBytes(name))
    }
  }

  /// Bytes of Latin-1, a character that is cut off, one that is written too long, a half of a pair.
  @Test(
    arguments: [
      [0x63, 0xe9, 0x2e, 0x6a], [0xe6, 0x97], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xff], [0x80],
      [0xf4, 0x90, 0x80, 0x80], [0xf0, 0x9f, 0xa6, 0x41],
    ] as [[UInt8]])
  func otherBytesComeBack(bytes: [UInt8]) {
    let name = FileName.decoded(bytes)
    #expect(FileName.hasBytes(name))
    #expect(FileName.bytes(of: name) == bytes)
    #expect(name.utf8.count >= bytes.count)
  }

  @Test func namesWithTheSpareCharactersAreNotMixedUp() {
    // A file that is called as the byte E9 is kept has another text.
    let own = Array("\u{10FFE9}".utf8)
    let name = FileName.decoded(own)
    #expect(FileName.bytes(of: name) == own)
    #expect(name != FileName.decoded([0xe9]))
    #expect(FileName.printable(FileName.decoded([0x63, 0xe9, 0x61])) == "c\\xE9a")
  }

  @Test func filesAreListedOpenedAndWrittenByTheirBytes() throws {
    let folder = try TemporaryFolder()
    let name = FileName.decoded([0x63, 0xe9])
    let path = "\(folder.path)/\(name)"
    try AtomicFile.write([1, 2, 3], to: path)
    try AtomicFile.write([4], to: "\(folder.path)/plain")
    #expect(try Folders.names(in: folder.path) == [name, "plain"].sorted())
    #expect(SystemCalls.status(of: path)?.isRegularFile == true)
    #expect(try InputFile(path).readAll(limit: 10) == [1, 2, 3])
    // The system's own listing: the name has two bytes, not those of a private character.
    let listed = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
    #expect(!listed.contains(name))
    let error = #expect(throws: FileError.self) { try InputFile("\(folder.path)/x\(name)") }
    #expect(
      error?.description == "cannot read \(folder.path)/xc\\xE9: No such file or directory")
    try Folders.make("\(path)2/below")
    #expect(SystemCalls.status(of: "\(path)2/below")?.isFolder == true)
  }

  @Test func whatCannotBeListedSaysWhy() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write([1], to: "file")
    for (path, reason) in [("/nowhere/x", "No such file or directory"), (file, "Not a directory")] {
      let error = #expect(throws: FileError.self) { try Folders.names(in: path) }
      #expect(error?.description == "cannot list \(path): \(reason)")
    }
  }
}
