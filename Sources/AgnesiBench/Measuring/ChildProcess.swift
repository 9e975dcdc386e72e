import Foundation

/// Another program that this one waits for.
struct ChildProcess {
  var executable: String
  var arguments: [String]
  /// Seconds after which it is ended.
  var limit: Double = 3600

  /// This program with other arguments.
  static func bench(_ arguments: [String]) throws -> ChildProcess {
    guard let path = Bundle.main.executablePath else {
      throw ChildFailure(command: "agnesi-bench", outcome: "the program does not know its path")
    }
    return ChildProcess(executable: path, arguments: arguments)
  }

  /// What it prints, once it has ended well.
  ///
  /// - Throws: ``ChildFailure`` with the last line of its errors.
  func output() throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: executable)
    process.arguments = arguments
    // Files, unlike pipes, never fill up.
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("agnesi-bench-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let (printed, complaints) = (folder.appending(path: "out"), folder.appending(path: "err"))
    for file in [printed, complaints] { try Data().write(to: file) }
    process.standardOutput = try FileHandle(forWritingTo: printed)
    process.standardError = try FileHandle(forWritingTo: complaints)
    try process.run()
    guard wait(for: process) else { throw failure("took longer than \(limit) s") }
    guard process.terminationStatus == 0 else {
      let lines = try String(contentsOf: complaints, encoding: .utf8)
        .split(whereSeparator: \.isNewline)
      throw failure(lines.last.map(String.init) ?? "status \(process.terminationStatus)")
    }
    return try String(contentsOf: printed, encoding: .utf8)
  }

  /// Whether it ended in time.
  private func wait(for process: Process) -> Bool {
    let end = Date(timeIntervalSinceNow: limit)
    while process.isRunning {
      guard Date() < end else {
        process.terminate()
        process.waitUntilExit()
        return false
      }
      Thread.sleep(forTimeInterval: 0.02)
    }
    return true
  }

  private func failure(_ outcome: String) -> ChildFailure {
    let name = URL(fileURLWithPath: executable).lastPathComponent
    return ChildFailure(
      command: ([name] + arguments).joined(separator: " "), outcome: outcome)
  }
}

/// A program that did not end well.
struct ChildFailure: Error, CustomStringConvertible {
  var command: String
  var outcome: String

  var description: String { "\(command): \(outcome)" }
}
