import Agnesi
import ArgumentParser
import Foundation

/// `agnesi-bench [WORKLOAD]`: times a workload from the user's side and prints one JSON object.
///
/// A step hands a batch in and gets the loss (or the result) out.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Time the steps of a workload, or of all in turn.",
    discussion: """
      Prints one JSON object for each workload, on a line of its own. Times are in seconds: \
      build_s until the network has its first values, first_s from there to the end of the first \
      step (gradients and compilation included), median_s and min_s for each of the later ones. \
      first_result and last_result are the loss of the first and the last step (or the first number \
      that comes back): all steps have the same batch, so a loss falls.

      \(Workload.allCases.map { "\($0.rawValue): \($0.traits.summary)" }.joined(separator: "\n"))
      """)

  @Argument(help: "The workload; all of them, each in a process of its own, where none is named.")
  var workload: Workload?

  @Option(help: "Steps to time, after a few to warm up; by default so many as take some seconds.")
  var steps: Int?

  @Option(help: "Threads.")
  var threads = 2

  @Option(help: "Samples of a batch; by default the workload's.")
  var batch: Int?

  @Flag(help: "Start without code that was compiled before.")
  var cold = false

  @Flag(help: "Print the parts of a step and their use of the machine, before the JSON object.")
  var profile = false

  @Flag(help: "Direct convolutions only.")
  var strict = false

  @Option(help: "How layouts are chosen: \(LayoutPolicy.all.map(\.name).joined(separator: ", ")).")
  var layouts: LayoutPolicy = .search

  @Option(
    help: ArgumentHelp(
      "Write the last steps part by part, for Perfetto (ui.perfetto.dev).", valueName: "file.json"))
  var trace: String?

  func validate() throws {
    if trace != nil, workload == nil { throw ValidationError("--trace is of one workload") }
    for (name, value) in [("steps", steps), ("threads", threads), ("batch", batch)] {
      guard value ?? 1 >= 1 else { throw ValidationError("--\(name) must be at least 1") }
    }
  }

  func run() throws {
    guard let workload else { return try runAll() }
    guard cold else { return try run(workload) }
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("agnesi-bench-\(UUID().uuidString)")
    // Read once, when the first function is compiled.
    setenv("AGNESI_CACHE", folder.path, 1)
    defer { try? FileManager.default.removeItem(at: folder) }
    try run(workload)
  }

  private func run(_ workload: Workload) throws {
    CPU.threads = threads
    let profiler = profile || trace != nil ? Profiler() : nil
    let backend = CPU(
      convolutions: strict ? .direct : .environment, profiler: profiler, layouts: layouts.choose)
    let reading = try Measurement(workload: workload, batch: batch, steps: steps)
      .reading(on: backend)
    if profile, let profiler {
      let limits = try MachineLimits.measured(threads: threads)
      print("\(profiler.report(against: limits))\n")
    }
    if let trace, let profiler {
      try AtomicFile.write(Array(profiler.chromeTrace().utf8), to: trace)
    }
    print(try reading.line())
  }

  /// In processes of their own, so that neither memory nor compiled code is shared.
  private func runAll() throws {
    var options = ["--threads", "\(threads)"]
    if let steps { options += ["--steps", "\(steps)"] }
    if let batch { options += ["--batch", "\(batch)"] }
    if cold { options.append("--cold") }
    if profile { options.append("--profile") }
    if strict { options.append("--strict") }
    options += ["--layouts", layouts.name]
    for workload in Workload.allCases {
      print(try ChildProcess.bench([workload.rawValue] + options).output(), terminator: "")
    }
  }
}
