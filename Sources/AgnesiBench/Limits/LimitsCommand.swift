import Agnesi
import ArgumentParser
import Foundation

/// `agnesi-bench limits`: what the machine can do, and what of it each workload needs.
struct LimitsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "limits",
    abstract: "Measure the machine's limits, and the least time that each workload needs.")

  @Argument(help: "The workloads; all where none is named.")
  var workloads: [Workload] = []

  @Option(help: "Threads.")
  var threads = 2

  func run() throws {
    CPU.threads = threads
    let limits = try MachineLimits.measuredThoroughly(threads: threads)
    print(limits.table)
    print("\n| workload | GFLOP | MB | direct | Winograd | memory |\n|---|---|---|---|---|---|")
    for workload in workloads.isEmpty ? Workload.allCases : workloads {
      let work = try Work(of: workload.job(batch: workload.traits.batch))
      let sizes = [2 * Double(work.multiplyAdds) / 1e9, Double(work.bytes) / 1e6]
      let cells = [workload.rawValue] + sizes.map(Cell.number) + limits.cells(of: work)
      print(Cell.row(cells))
    }
  }
}

/// The texts of tables.
enum Cell {
  /// Seconds in the unit that reads well, with three digits; a dash for none.
  static func time(_ seconds: Double) -> String {
    switch seconds {
    case 0: "–"
    case 1...: "\(number(seconds)) s"
    case 1e-3...: "\(number(seconds * 1e3)) ms"
    default: "\(number(seconds * 1e6)) µs"
    }
  }

  /// Three digits.
  static func number(_ value: Double) -> String {
    let decimals = value >= 100 ? 0 : value >= 10 ? 1 : 2
    return String(format: "%.\(decimals)f", value)
  }

  /// A row of a table in Markdown.
  static func row(_ cells: [String]) -> String { "| \(cells.joined(separator: " | ")) |" }
}
