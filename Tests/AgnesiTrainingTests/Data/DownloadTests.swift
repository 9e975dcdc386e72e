import AgnesiArrays
import AgnesiTraining
import Foundation
import TestSupport
import Testing

@Suite struct DownloadTests {
  let folder: TemporaryFolder
  let content = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }

  init() throws { folder = try TemporaryFolder() }

  private func remote(_ address: String, sha256: String? = nil, byteCount: Int? = nil) -> RemoteFile
  {
    RemoteFile(
      "\(address)file.bin", sha256: sha256 ?? MessageDigest.of(content),
      byteCount: byteCount ?? content.count)
  }

  /// Downloads one file; returns the text of the error.
  private func download(_ file: RemoteFile, timeout: Double = 30) -> String {
    let set = KnownDataSet(
      name: "set", summary: "", format: .idx, classNames: [], files: [file])
    let registry = DataRegistry(folder: folder.path, environment: [:], known: [set])
    return errorText { try registry.download(set, timeout: timeout) }
  }

  private var names: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path("set"))) ?? []).sorted()
  }

  private func writePart(_ bytes: [UInt8]) throws {
    _ = try folder.makeFolder("set")
    try folder.write(bytes, to: "set/file.bin.part")
  }

  @Test func fetchesAFileAndTellsHowFarItIs() throws {
    let server = try TestServer { [content] _ in .content(content) }
    defer { server.stop() }
    let set = KnownDataSet(
      name: "set", summary: "", format: .idx, classNames: [], files: [remote(server.address)])
    let registry = DataRegistry(folder: folder.path, environment: [:], known: [set])
    let reports = Reports()
    let place = try registry.download(set) { reports.add($0) }
    #expect(place == folder.path("set"))
    #expect(try folder.read("set/file.bin") == content)
    #expect(names == ["file.bin"])
    let last = try #require(reports.all.last)
    #expect(last.received == content.count && last.number == 1 && last.count == 1)
    // What is there already is not fetched again.
    try registry.download(set)
    #expect(server.requests.map(\.path) == ["/file.bin"])
  }

  @Test func aBrokenConnectionIsContinued() throws {
    let server = try TestServer { [content] request in
      guard let start = request.start else { return .content(content, sent: 100_000) }
      return .content(
        Array(content[start...]), status: "206 Partial Content",
        headers: ["Content-Range: bytes \(start)-\(content.count - 1)/\(content.count)"])
    }
    defer { server.stop() }
    let file = remote(server.address)
    #expect(
      download(file)
        == "cannot download \(file.address): the connection ended after 100000 of 300000 bytes; "
        + "the next try goes on from there")
    #expect(names == ["file.bin.part"])
    #expect(download(file) == "nothing was thrown")
    #expect(server.requests.map(\.start) == [nil, 100_000])
    #expect(try folder.read("set/file.bin") == content)
    #expect(names == ["file.bin"])
  }

  @Test func aServerThatCannotContinueSendsAllAgain() throws {
    let server = try TestServer { [content] _ in .content(content) }
    defer { server.stop() }
    try writePart(Array(content[..<5000]))
    #expect(download(remote(server.address)) == "nothing was thrown")
    #expect(try folder.read("set/file.bin") == content)
  }

  @Test func aPartThatDoesNotBelongIsReplaced() throws {
    let server = try TestServer { [content] request in
      guard let start = request.start else { return .content(content) }
      return .content(
        Array(content[start...]), status: "206 Partial Content",
        headers: ["Content-Range: bytes \(start)-\(content.count - 1)/\(content.count)"])
    }
    defer { server.stop() }
    try writePart([UInt8](repeating: 1, count: 5000))
    #expect(download(remote(server.address)) == "nothing was thrown")
    #expect(server.requests.map(\.start) == [5000, nil])
    #expect(try folder.read("set/file.bin") == content)
  }

  @Test func aRefusedRangeIsAskedForFromTheStart() throws {
    let server = try TestServer { [content] request in
      request.start == nil
        ? .content(content) : .content([], status: "416 Range Not Satisfiable")
    }
    defer { server.stop() }
    try writePart(Array(content[..<5000]))
    #expect(download(remote(server.address)) == "nothing was thrown")
    #expect(try folder.read("set/file.bin") == content)
  }

  @Test func aPartThatIsCompleteNeedsNoNetwork() throws {
    try writePart(content)
    #expect(download(remote("http://127.0.0.1:1/")) == "nothing was thrown")
    #expect(try folder.read("set/file.bin") == content)
  }

  @Test func aWrongChecksumThrowsTheFileAway() throws {
    let server = try TestServer { [content] _ in .content(content) }
    defer { server.stop() }
    let wrong = String(repeating: "0", count: 64)
    let file = remote(server.address, sha256: wrong)
    #expect(
      download(file)
        == "cannot download \(file.address): its SHA-256 is \(MessageDigest.of(content)) instead "
        + "of \(wrong), so it was thrown away")
    #expect(names == [])
  }

  @Test func moreThanWasPromisedIsRefused() throws {
    let server = try TestServer { [content] _ in .content(content) }
    defer { server.stop() }
    let file = remote(server.address, byteCount: 299_999)
    #expect(
      download(file)
        == "cannot download \(file.address): more than the 299999 bytes that are expected came")
    #expect(try folder.read("set/file.bin.part").isEmpty)
  }

  @Test func whatTheServerAnswersIsNamed() throws {
    let server = try TestServer { _ in .content([1], status: "404 Not Found") }
    defer { server.stop() }
    let file = remote(server.address)
    #expect(
      download(file) == "cannot download \(file.address): the server answered 404 (not found)")
  }

  @Test func aServerThatFallsSilentIsGivenUp() throws {
    let server = try TestServer { [content] _ in
      .silence(Array(content[..<1000]), promised: content.count)
    }
    defer { server.stop() }
    let file = remote(server.address)
    let start = Date()
    #expect(
      download(file, timeout: 0.5)
        == "cannot download \(file.address): nothing came for 0.5 seconds")
    #expect(Date().timeIntervalSince(start) < 5)
  }

  @Test func aMissingServerIsNamed() throws {
    let server = try TestServer { _ in .content([]) }
    server.stop()
    let file = remote(server.address)
    #expect(
      download(file)
        == "cannot download \(file.address): the host 127.0.0.1 cannot be reached")
    let nowhere = remote("http://nowhere.invalid/")
    #expect(
      download(nowhere)
        == "cannot download http://nowhere.invalid/file.bin: the host nowhere.invalid is not "
        + "found; is there a network?")
    #expect(
      download(remote("file:///etc/"))
        == "cannot download file:///etc/file.bin: this is not an address of the web")
  }

  /// Closing a number twice closes whatever file of another thread has got it meanwhile.
  @Test func aServerIsStoppedOnce() throws {
    let server = try TestServer { _ in .content([]) }
    server.stop()
    let others = (0..<8).map { _ in open("/dev/null", O_RDONLY) }
    server.stop()
    for other in others { #expect(close(other) == 0) }
  }

  @Test func twoProcessesDoNotWriteOneFile() throws {
    try writePart([])
    let path = folder.path("set/file.bin.part")
    let other = open(path, O_RDWR)
    defer { close(other) }
    #expect(flock(other, LOCK_EX | LOCK_NB) == 0)
    #expect(
      download(remote("http://127.0.0.1:1/"))
        == "cannot write \(path): another process is downloading it")
  }

  @Test func aFolderThatCannotBeMadeIsNamed() throws {
    try folder.write([], to: "set")
    #expect(
      download(remote("http://127.0.0.1:1/"))
        == "cannot create the folder \(folder.path("set")): File exists")
  }

  @Test func digestsAreThoseOfTheStandard() {
    #expect(
      MessageDigest.of(Array("abc".utf8))
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(
      MessageDigest.of([])
        == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    #expect(
      MessageDigest.of(Array("abc".utf8), .sha1) == "a9993e364706816aba3e25717850c26c9cd0d89d")
  }
}

/// Reports of progress, from whatever thread.
private final class Reports: @unchecked Sendable {
  private let lock = NSLock()
  private var reports: [DownloadProgress] = []

  func add(_ report: DownloadProgress) { lock.withLock { reports.append(report) } }

  var all: [DownloadProgress] { lock.withLock { reports } }
}

#if os(Linux)
  @Suite struct FullDiskDownloadTests {
    /// The process's limit on the size of a file stands in for a disk that fills up.
    @Test func aDiskThatFillsUpKeepsWhatArrived() async {
      await #expect(processExitsWith: .success) {
        let folder = try TemporaryFolder()
        let content = [UInt8](repeating: 7, count: 1 << 20)
        let server = try TestServer { request in
          let start = request.start ?? 0
          return .content(
            Array(content[start...]), status: start == 0 ? "200 OK" : "206 Partial Content",
            headers: ["Content-Range: bytes \(start)-1048575/1048576"])
        }
        defer { server.stop() }
        let file = RemoteFile(
          "\(server.address)file.bin", sha256: MessageDigest.of(content),
          byteCount: content.count)
        let set = KnownDataSet(
          name: "set", summary: "", format: .idx, classNames: [], files: [file])
        let registry = DataRegistry(folder: folder.path, environment: [:], known: [set])

        signal(SIGXFSZ, SIG_IGN)
        let resource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
        var limit = rlimit()
        try #require(getrlimit(resource, &limit) == 0)
        limit.rlim_cur = 300_000
        try #require(setrlimit(resource, &limit) == 0)
        let part = folder.path("set/file.bin.part")
        #expect(
          errorText { try registry.download(set) } == "cannot write \(part): File too large")

        // With room again, it goes on with what is there.
        limit.rlim_cur = limit.rlim_max
        try #require(setrlimit(resource, &limit) == 0)
        try registry.download(set)
        #expect(try folder.read("set/file.bin") == content)
      }
    }
  }
#endif
