import AgnesiArrays
import Foundation
import TestSupport
import Testing

@Suite struct AtomicFileTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func writesANewFileWithThePermissionsOfTheUmask() throws {
    let path = folder.path("new")
    try AtomicFile.write([1, 2, 3], to: path)
    #expect(try folder.read("new") == [1, 2, 3])
    #expect(folder.names == ["new"])
    let ordinary = folder.path("ordinary")
    close(open(ordinary, O_CREAT | O_WRONLY, 0o666))
    #expect(try permissions(path) == permissions(ordinary))
  }

  @Test func replacesAFileAndKeepsItsPermissions() throws {
    let path = try folder.write([9, 9, 9, 9], to: "old")
    chmod(path, 0o604)
    try AtomicFile.write([1], to: path)
    #expect(try folder.read("old") == [1])
    #expect(try permissions(path) == 0o604)
    #expect(folder.names == ["old"])
  }

  @Test func theOldFileStaysUntilTheCommit() throws {
    let path = try folder.write([9], to: "old")
    let file = try AtomicFile(path)
    try [UInt8](repeating: 5, count: 100).withUnsafeBytes { try file.write($0) }
    #expect(try folder.read("old") == [9])
    try file.commit()
    #expect(try folder.read("old") == [UInt8](repeating: 5, count: 100))
  }

  @Test func aFileThatIsDroppedWithoutACommitLeavesNothing() throws {
    let path = folder.path("never")
    do {
      let file = try AtomicFile(path)
      try [UInt8](repeating: 5, count: 100).withUnsafeBytes { try file.write($0) }
      #expect(folder.names.count == 1)
    }
    #expect(folder.names == [])
  }

  @Test func anErrorInsideTheBodyLeavesTheOldFile() throws {
    struct Stop: Error {}
    let path = try folder.write([9], to: "old")
    #expect(throws: Stop.self) { try AtomicFile.replace(path) { _ in throw Stop() } }
    #expect(try folder.read("old") == [9])
    #expect(folder.names == ["old"])
  }

  @Test func followsLinks() throws {
    let path = try folder.write([9], to: "target")
    symlink(path, folder.path("link"))
    try AtomicFile.write([1, 2], to: folder.path("link"))
    #expect(try folder.read("target") == [1, 2])
    let attributes = try FileManager.default.attributesOfItem(atPath: folder.path("link"))
    #expect(attributes[.type] as? FileAttributeType == .typeSymbolicLink)
  }

  @Test func aNameOfTheGreatestLengthCanBeWritten() throws {
    let name = String(repeating: "n", count: 255)
    try AtomicFile.write([7], to: folder.path(name))
    #expect(folder.names == [name])
  }

  @Test func namesAMissingFolder() {
    let path = folder.path("missing/model")
    #expect(
      errorText { try AtomicFile.write([1], to: path) }
        == "cannot write \(path): No such file or directory; the folder \(folder.path("missing")) "
        + "does not exist")
  }

  @Test func refusesAFolder() {
    #expect(
      errorText { try AtomicFile.write([1], to: folder.path) }
        == "cannot write \(folder.path): Is a directory")
  }

  @Test func refusesPathsThatAreNone() {
    #expect(
      errorText { try AtomicFile.write([1], to: "") }
        == "cannot write a file without a name: No such file or directory")
    #expect(
      errorText { try AtomicFile.write([1], to: folder.path("a\0b")) }
        == "cannot write \(folder.path("a\0b")): Invalid argument")
    #expect(folder.names == [])
  }

  @Test func refusesAReadOnlyFolder() throws {
    // Where root runs the tests, permissions stop nothing; /sys lets nobody create files.
    let isRoot = geteuid() == 0
    try #require(!isRoot || FileManager.default.fileExists(atPath: "/sys"))
    let readOnly = isRoot ? "/sys" : try folder.makeFolder("read-only")
    if !isRoot { chmod(readOnly, 0o555) }
    defer { if !isRoot { chmod(readOnly, 0o755) } }
    #expect(
      errorText { try AtomicFile.write([1], to: "\(readOnly)/model") }
        == "cannot write \(readOnly)/model: Permission denied; no file may be created in the "
        + "folder \(readOnly)")
  }

  /// A lock that nobody holds is that of a process which has ended.
  @Test func whatADeadProcessLeftIsRemovedAndNothingElse() throws {
    let path = folder.path("model")
    let dead = try #require(Temporary.make(for: path))
    close(dead.descriptor)
    let live = try #require(Temporary.make(for: path))
    defer { close(live.descriptor) }
    let other = try #require(Temporary.make(for: folder.path("model2")))
    close(other.descriptor)
    try folder.write([1], to: ".agnesi-notes.tmp")
    let kept = [live.path, other.path, folder.path(".agnesi-notes.tmp")]

    try AtomicFile.write([7], to: path)
    #expect(Set(folder.names.map(folder.path)) == Set(kept + [path]))
    #expect(try folder.read("model") == [7])
  }

  @Test func twoWritersOfOneFileDoNotDisturbEachOther() throws {
    let path = folder.path("model")
    let (first, second) = (try AtomicFile(path), try AtomicFile(path))
    for (file, value) in [(first, 1), (second, 2)] as [(AtomicFile, UInt8)] {
      try [value].withUnsafeBytes { try file.write($0) }
    }
    try second.commit()
    #expect(try folder.read("model") == [2])
    try first.commit()
    #expect(try folder.read("model") == [1])
    #expect(folder.names == ["model"])
  }

  private func permissions(_ path: String) throws -> mode_t {
    var status = stat()
    try #require(stat(path, &status) == 0)
    return status.st_mode & 0o7777
  }
}

#if os(Linux)
  @Suite struct FullDiskTests {
    @Test func aFullDeviceIsReportedAndIsNotReplaced() throws {
      #expect(
        errorText { try AtomicFile.write([1], to: "/dev/full") }
          == "cannot write /dev/full: No space left on device")
      var status = stat()
      #expect(stat("/dev/full", &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
      try AtomicFile.write([1], to: "/dev/null")
      #expect(stat("/dev/null", &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
    }

    /// The process's limit on the size of a file stands in for a disk that fills up.
    @Test func aWriteThatFailsHalfwayLeavesTheOldFileAndNoTemporary() async {
      await #expect(processExitsWith: .success) {
        let folder = try TemporaryFolder()
        let path = try folder.write([9, 9], to: "model")
        signal(SIGXFSZ, SIG_IGN)
        var limit = rlimit(rlim_cur: 64 << 10, rlim_max: 64 << 10)
        try #require(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)

        let text = errorText {
          try AtomicFile.write([UInt8](repeating: 1, count: 1 << 20), to: path)
        }
        #expect(
          text
            == "cannot write \(path): File too large; the file that was there before is unchanged")
        #expect(folder.names == ["model"])
        #expect(try folder.read("model") == [9, 9])

        let new = folder.path("new")
        let newText = errorText {
          try AtomicFile.write([UInt8](repeating: 1, count: 1 << 20), to: new)
        }
        #expect(newText == "cannot write \(new): File too large")
        #expect(folder.names == ["model"])
      }
    }
  }
#endif
