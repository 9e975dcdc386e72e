import Agnesi
import ArgumentParser
import Foundation

/// `agnesi-bench`: times one workload from the user's side and prints one JSON object.
///
/// A step hands a batch in and gets the loss (or the result) out. The networks, losses and updates
/// are those that other frameworks are timed with; the fields are the same, too.
@main
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "agnesi-bench", abstract: "Time whole steps of a workload.",
    discussion: "Workloads: \(Workload.allCases.map(\.rawValue).joined(separator: ", ")).")

  @Argument(help: "The workload.")
  var workload: Workload

  @Option(help: "Steps to time, after three to warm up.")
  var steps = 200

  @Option(help: "Threads.")
  var threads = 2

  @Option(help: "Samples of a batch; by default the workload's.")
  var batch: Int?

  func run() throws {
    CPU.threads = threads
    let size = batch ?? workload.batchSize
    let start = Date()
    let step = try workload.step(batch: size)
    let building = Date().timeIntervalSince(start)
    let first = building + (try seconds(of: step))
    for _ in 0..<3 { try step() }
    let times = try (0..<max(1, steps)).map { _ in try seconds(of: step) }.sorted()
    let median = times[times.count / 2]
    let result = Result(
      workload: workload.rawValue, batch: size, threads: threads, first_s: first,
      median_s: median, min_s: times[0], samples_per_s: Double(size) / median,
      rss_mb: Self.peakMemory())
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    print(String(decoding: try encoder.encode(result), as: UTF8.self))
  }

  private func seconds(of step: () throws -> Void) rethrows -> Double {
    let start = ContinuousClock.now
    try step()
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

  /// The fields of the JSON object, named as they appear there.
  private struct Result: Encodable {
    var framework = "agnesi"
    var workload: String
    var batch: Int
    var threads: Int
    // swift-format-ignore: AlwaysUseLowerCamelCase
    var first_s: Double
    // swift-format-ignore: AlwaysUseLowerCamelCase
    var median_s: Double
    // swift-format-ignore: AlwaysUseLowerCamelCase
    var min_s: Double
    // swift-format-ignore: AlwaysUseLowerCamelCase
    var samples_per_s: Double
    // swift-format-ignore: AlwaysUseLowerCamelCase
    var rss_mb: Double
  }
}
