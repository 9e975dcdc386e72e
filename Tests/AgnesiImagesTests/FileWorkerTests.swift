import AgnesiImages
import CAgnesiFiles
import Foundation
import TestSupport
import Testing

/// What happens to the processes that decode.
@Suite struct FileWorkerTests {
  /// A JPEG of half a megabyte that takes long: 16 million pixels in thousands of scans.
  private func slowFile() throws -> [UInt8] {
    var bytes = try Fixtures.bytes("progressive.jpg")
    let size = try #require(firstIndex(of: [0xFF, 0xC2], in: bytes)) + 5
    bytes.replaceSubrange(size..<(size + 4), with: [0x0F, 0xA0, 0x0F, 0xA0])
    let scan = try #require(firstIndex(of: [0xFF, 0xDA], in: bytes))
    let scans = bytes[scan..<(bytes.count - 2)]
    return bytes[..<scan] + Array(repeatElement(scans, count: 500).joined()) + [0xFF, 0xD9]
  }

  private func firstIndex(of pattern: [UInt8], in bytes: [UInt8]) -> Int? {
    bytes.indices.first { bytes[$0...].starts(with: pattern) }
  }

  private func text(
    _ bytes: [UInt8], _ workers: FileWorkers, limits: DecodingLimits = .standard
  ) -> String {
    errorText { _ = try Picture(decoding: bytes, name: "x", limits: limits, by: workers) }
  }

  @Test func aWorkerIsKeptAndReused() throws {
    let workers = FileWorkers()
    let bytes = try Fixtures.bytes("colour.png")
    for _ in 0..<5 { _ = try Picture(decoding: bytes, name: "x", limits: .standard, by: workers) }
    #expect(text([1, 2, 3], workers).contains("it begins with"))
    #expect(workers.starts == 1)
    #expect(workers.losses == 0)
  }

  @Test func slowFilesAreGivenUp() throws {
    let workers = FileWorkers()
    let limits = DecodingLimits(seconds: 1)
    #expect(
      text(try slowFile(), workers, limits: limits)
        == "cannot read the picture x: it takes more than 1 s to decode")
    let bytes = try Fixtures.bytes("colour.png")
    #expect(
      try Picture(decoding: bytes, name: "x", limits: .standard, by: workers).width == 22)
    #expect(workers.starts == 2)
    #expect(workers.losses == 1)
  }

  @Test func aKilledWorkerCostsOneFile() throws {
    let workers = FileWorkers()
    let bytes = try Fixtures.bytes("colour.png")
    _ = try Picture(decoding: bytes, name: "x", limits: .standard, by: workers)
    let process = try #require(workers.processes.first)
    let killer = Thread {
      Thread.sleep(forTimeInterval: 0.2)
      kill(process, SIGKILL)
    }
    killer.start()
    #expect(
      text(try slowFile(), workers)
        == "cannot read the picture x: the process that decoded it ended: Killed; "
        + "the file is damaged or hostile")
    #expect(try Picture(decoding: bytes, name: "x", limits: .standard, by: workers).height == 18)
    #expect(workers.starts == 2)
  }

  @Test func aWorkerKilledAtRestCostsNone() throws {
    let workers = FileWorkers()
    let bytes = try Fixtures.bytes("colour.png")
    _ = try Picture(decoding: bytes, name: "x", limits: .standard, by: workers)
    let process = try #require(workers.processes.first)
    kill(process, SIGKILL)
    Thread.sleep(forTimeInterval: 0.1)
    #expect(try Picture(decoding: bytes, name: "x", limits: .standard, by: workers).height == 18)
    #expect(workers.starts == 2)
    #expect(workers.losses == 1)
  }

  @Test func programsThatAreNoWorkersAreNoticed() throws {
    let bytes = try Fixtures.bytes("colour.png")
    let hint = "AGNESI_WORKER may name a program that links Agnesi, such as the command agnesi"
    #expect(
      text(bytes, FileWorkers(executable: "/bin/true"))
        == "cannot read the picture x: no process to decode it came up; \(hint)")
    #expect(
      text(bytes, FileWorkers(executable: "/no/such/program"))
        == "cannot read the picture x: no process to decode it came up: "
        + "No such file or directory; \(hint)")
  }

  @Test func unknownRequestsAreRefused() throws {
    let workers = FileWorkers()
    var request = agnesi_request()
    request.kind = agnesi_kind(rawValue: 999)
    request.seconds = 1
    request.memory = 1 << 20
    let file = open(Fixtures.path("colour.png"), O_RDONLY)
    defer { close(file) }
    let answer = workers.ask(request, descriptor: file)
    #expect(answer.answer.status == AGNESI_STATUS_UNKNOWN)
    #expect(answer.bytes.isEmpty)
    #expect(answer.failure(.standard)?.reason == "no worker knows requests of kind 999")
  }

  #if os(Linux)
    /// Descriptors of this program, but for the standard three and the socket, are closed; system calls
    /// are filtered; no privileges can be gained.
    @Test func workersAreConfined() throws {
      let leaked = open(Fixtures.path("colour.png"), O_RDONLY)
      // The next free number, since one that is named may be that of a file of another test.
      let inherited = fcntl(leaked, F_DUPFD, 60)
      defer {
        close(leaked)
        close(inherited)
      }
      let workers = FileWorkers()
      let bytes = try Fixtures.bytes("colour.png")
      _ = try Picture(decoding: bytes, name: "x", limits: .standard, by: workers)
      let process = try #require(workers.processes.first)
      let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd")
      // Beside the standard three: the socket, its own statistics, and the last result for a moment.
      #expect(Set(open).isSubset(of: ["0", "1", "2", "3", "4", "5"]), "\(open)")
      let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
      #expect(status.contains("NoNewPrivs:\t1"))
      #expect(status.contains("Seccomp:\t2"))
    }
  #endif
}
