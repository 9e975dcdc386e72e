import Agnesi
import ArgumentParser
import Foundation

/// `agnesi-bench table`: measures everything and writes it into the documentation.
struct TableCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "table", abstract: "Regenerate the tables of a page of the documentation.")

  @Argument(help: "The page, which has the two lines between which the tables stand.")
  var page = "Documentation/Performance.md"

  @Option(help: "Threads.")
  var threads = 2

  @Option(help: "The readings that `agnesi-bench peers --json` wrote, for columns of ratios.")
  var peers: String?

  func run() throws {
    let section = try PageSection("measured", of: page)
    let tables = try tables()
    try section.replace(by: tables)
    print(tables)
  }

  private func tables() throws -> String {
    CPU.threads = threads
    let comparisons = try peers.map { try Comparison.read(from: $0) } ?? []
    let limits = try MachineLimits.measuredThoroughly(threads: threads)
    let machine = TrainingReport.Machine.current(threads: threads)
    var lines = [
      [machine.processor, machine.system].compactMap { $0 }.joined(separator: ", ") + ":",
      "", limits.table, "",
      "| workload | measured | direct arithmetic | Winograd's | memory | reached | best peer |",
      "|---|---|---|---|---|---|---|",
    ]
    for workload in Workload.allCases {
      let options = ["--threads", "\(threads)"]
      let output = try ChildProcess.bench([workload.rawValue] + options).output()
      let median = try Reading(lastLineOf: output).median
      let work = try Work(of: workload.job(batch: workload.traits.batch))
      let reached = Cell.number(limits.bound(of: work) / median * 100)
      let comparison = comparisons.first { $0.workload == workload }
      lines.append(
        Cell.row(
          ["`\(workload.rawValue)`", Cell.time(median)] + limits.cells(of: work)
            + ["\(reached) %", comparison?.summary ?? ""]))
      FileHandle.standardError.write(Data("\(lines.last ?? "")\n".utf8))
    }
    return lines.joined(separator: "\n")
  }
}
