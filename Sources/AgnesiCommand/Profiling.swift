import Agnesi
import ArgumentParser

/// Where the time goes; shared by the commands that compute.
struct ProfileOptions: ParsableArguments {
  @Flag(help: "Say at the end where the time went, step by step, on standard error.")
  var profile = false

  @Option(
    help: ArgumentHelp(
      "Write the last steps one by one, for Perfetto (ui.perfetto.dev).", valueName: "file.json"))
  var trace: String?

  /// Refuses a path that cannot be written before anything is computed.
  func profiling(_ options: BackendOptions, _ console: Console) throws -> Profiling {
    if let trace { try Trainer.checkWritable(trace) }
    let profiler = profile || trace != nil ? Profiler(namesCode: false) : nil
    return Profiling(
      profiler: profiler, backend: options.backend(profiler: profiler), isPrinted: profile,
      trace: trace, console: console)
  }
}

/// A run whose time is looked at, if anybody asked.
struct Profiling {
  let profiler: Profiler?
  /// What functions are compiled on.
  let backend: CPU
  fileprivate let isPrinted: Bool
  fileprivate let trace: String?
  fileprivate let console: Console

  /// Runs `body` and says where its time went, also where it was interrupted or failed.
  func reporting(_ body: () throws -> Void) throws {
    let result = Result { try body() }
    console.endLine()
    do {
      try report()
    } catch {
      // What went wrong first is what counts.
      try result.get()
      throw error
    }
    try result.get()
  }

  private func report() throws {
    guard let profiler else { return }
    if isPrinted { console.note("\n\(profiler.report(against: try MachineLimits.measured()))") }
    if let trace {
      try AtomicFile.write(Array(profiler.chromeTrace().utf8), to: trace)
      console.note("trace in \(trace)")
    }
  }
}
