import Agnesi
import Foundation

/// The timing of a workload in this process.
struct Measurement {
  var workload: Workload
  /// The workload's own where nil.
  var batch: Int?
  /// The workload's own where nil.
  var steps: Int?

  private static let warmUp = 3

  /// Builds, compiles and runs.
  func reading(on backend: CPU) throws -> Reading {
    let samples = batch ?? workload.traits.batch
    var job: Job?
    let build = try seconds {
      let built = try workload.job(batch: samples)
      for parameter in built.parameters { _ = parameter.value }
      job = built
    }
    guard let job else { preconditionFailure("the job was built above") }
    let start = ContinuousClock.now
    let step = try job.compiled(on: backend)
    let preparation = (ContinuousClock.now - start) / .seconds(1)
    let firstResult = try step()
    let first = (ContinuousClock.now - start) / .seconds(1)
    for _ in 0..<Self.warmUp { _ = try step() }
    var lastResult = firstResult
    let times = try (0..<(steps ?? workload.traits.steps)).map { _ in
      try seconds { lastResult = try step() }
    }.sorted()
    let median = times[times.count / 2]
    return Reading(
      framework: "agnesi", workload: workload.rawValue, batch: samples, threads: CPU.threads,
      cache: CompileCache.standard.compilations == 0 ? "warm" : "cold", build: build,
      first: first, preparation: preparation, median: median, shortest: times[0],
      samplesPerSecond: Double(samples) / median, megabytes: Self.peakMemory(),
      firstResult: firstResult, lastResult: lastResult)
  }

  private func seconds(_ body: () throws -> Void) rethrows -> Double {
    let start = ContinuousClock.now
    try body()
    return (ContinuousClock.now - start) / .seconds(1)
  }

  private static func peakMemory() -> Double {
    var usage = rusage()
    // The constant is a C enumeration on Linux and an integer elsewhere; so is the unit of memory.
    #if os(Linux)
      getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
      return Double(usage.ru_maxrss) / 1024
    #else
      getrusage(RUSAGE_SELF, &usage)
      return Double(usage.ru_maxrss) / 1_048_576
    #endif
  }
}
