import Agnesi
import ArgumentParser
import Foundation

/// `agnesi-bench accuracy`: how exact float32 is, with and without Winograd's algorithm.
struct AccuracyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "accuracy",
    abstract: "Compare the numbers of steps with those of float64.",
    discussion: """
      Loss, result and gradients of small versions of the workloads: as users get them, in the \
      strict mode, and in float64 with the same weights.
      """)

  @Argument(help: "The workloads; all where none is named.")
  var workloads: [AccuracyCase.Name] = []

  @Option(help: "Threads.")
  var threads = 2

  @Option(help: "Write the table into this page of the documentation.")
  var page: String?

  func run() throws {
    CPU.threads = threads
    let section = try page.map { try PageSection("accuracy", of: $0) }
    var rows = [
      "| workload | number | largest error | strict | rms error | strict |",
      "|---|---|---|---|---|---|",
    ]
    for workload in workloads.isEmpty ? AccuracyCase.Name.allCases : workloads {
      for errors in try workload.make().errors() {
        let numbers = [
          errors.usual.largest, errors.strict.largest, errors.usual.rootMeanSquare,
          errors.strict.rootMeanSquare,
        ]
        let name = "`\(workload.rawValue)`, \(workload.size)"
        rows.append(
          Cell.row([name, errors.quantity] + numbers.map { String(format: "%.1e", $0) }))
        FileHandle.standardError.write(Data("\(rows.last ?? "")\n".utf8))
      }
    }
    let table = rows.joined(separator: "\n")
    try section?.replace(by: table)
    print(table)
  }
}
