import Foundation

/// Executables that the build which made the tests made too: the command, and each snippet.
package enum BuildProducts {
  /// The folder of executables, found through the test bundle that runs, which lies there too.
  package static let folder: String? = {
    for argument in CommandLine.arguments {
      guard let range = argument.range(of: ".xctest") else { continue }
      let bundle = URL(fileURLWithPath: String(argument[..<range.upperBound]))
      return bundle.deletingLastPathComponent().path
    }
    return nil
  }()

  /// The path of an executable; nil where it was not built.
  package static func path(_ name: String) -> String? {
    let path = folder.map { "\($0)/\(name)" } ?? ""
    return FileManager.default.isExecutableFile(atPath: path) ? path : nil
  }

  /// What a program did.
  package struct Outcome: Sendable {
    package var status: Int32
    package var output: String
    package var errors: String
  }

  /// Runs an executable to its end.
  ///
  /// - Parameter environment: variables to set beside those of this process.
  package static func run(
    _ path: String, _ arguments: [String] = [], environment: [String: String] = [:]
  ) throws -> Outcome {
    let folder = try TemporaryFolder()
    let (output, errors) = (folder.path("output"), folder.path("errors"))
    try folder.write([], to: "output")
    try folder.write([], to: "errors")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    // Files, because a pipe that nobody empties fills up and stops the program.
    process.standardOutput = FileHandle(forWritingAtPath: output)
    process.standardError = FileHandle(forWritingAtPath: errors)
    try process.run()
    process.waitUntilExit()
    return Outcome(
      status: process.terminationStatus,
      output: String(decoding: try folder.read("output"), as: UTF8.self),
      errors: String(decoding: try folder.read("errors"), as: UTF8.self))
  }
}
