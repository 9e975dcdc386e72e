import Foundation
import TestSupport
import Testing

/// The command while it runs, so that a test can interrupt it.
final class RunningCommand {
  struct Outcome {
    var status: Int32
    var output: String
    var errors: String
    /// From the interruption to the first word about it.
    var secondsToAnswer: Double
  }

  private let process = Process()
  private let folder: TemporaryFolder
  private var interrupted: ContinuousClock.Instant?

  init(
    _ arguments: [String], in workplace: Workplace, environment: [String: String] = [:]
  ) throws {
    folder = try TemporaryFolder()
    try folder.write([], to: "output")
    try folder.write([], to: "errors")
    let path = try #require(BuildProducts.path("agnesi"), "the command was not built")
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment
      .merging(Workplace.oneThread) { $1 }.merging(environment) { $1 }
    process.standardOutput = FileHandle(forWritingAtPath: folder.path("output"))
    process.standardError = FileHandle(forWritingAtPath: folder.path("errors"))
    try process.run()
  }

  deinit { if process.isRunning { process.terminate() } }

  private func text(_ name: String) throws -> String {
    String(decoding: try folder.read(name), as: UTF8.self)
  }

  /// Waits until the command has said `words`.
  ///
  /// Blocks its thread: other tests keep the concurrency pool busy, and a late signal misses the
  /// run.
  func waitFor(_ words: String) throws {
    while true {
      // Asked first, because what was said last is there only when the command has ended.
      let isRunning = process.isRunning
      let said = try text("errors")
      if said.contains(words) { return }
      try #require(isRunning, "it ended: \(said)")
      Thread.sleep(forTimeInterval: 0.002)
    }
  }

  var isRunning: Bool { process.isRunning }

  /// Ends the command at once, as a crash of the machine would; false where it had ended before.
  func kill() -> Bool {
    let wasRunning = process.isRunning
    if wasRunning { Foundation.kill(process.processIdentifier, SIGKILL) }
    process.waitUntilExit()
    return wasRunning && process.terminationReason == .uncaughtSignal
  }

  func interrupt() {
    interrupted = .now
    process.interrupt()
  }

  /// Waits for the answer to the interruption, and for the end.
  func end(saying answer: String = "stopping after this step") throws -> Outcome {
    try waitFor(answer)
    let delay = interrupted.map { $0.duration(to: .now) } ?? .zero
    process.waitUntilExit()
    return Outcome(
      status: process.terminationStatus, output: try text("output"), errors: try text("errors"),
      secondsToAnswer: delay / .seconds(1))
  }
}
