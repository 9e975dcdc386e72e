import Agnesi
import ArgumentParser
import Foundation

/// `agnesi-bench layouts`: whether the search for layouts finds the quickest ones.
struct LayoutsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "layouts",
    abstract: "Time networks in the layouts that the search finds, and in others.",
    discussion: """
      A line for each network: milliseconds of a step by each way to choose layouts, in turns. What the \
      table has is not measured again, so a measurement goes on where it was stopped.
      """)

  @Option(help: "Threads.")
  var threads = 2

  @Option(help: "A table of finished networks, tab-separated; new ones are added to it.")
  var table: String?

  @Option(help: "A page of the documentation that gets the table.")
  var page: String?

  @Option(help: "Random networks.")
  var random = 12

  @Option(help: "What they are drawn by.")
  var seed: UInt64 = 1

  @Option(help: "Only networks whose names contain this.")
  var only: String?

  @Option(help: "Rounds.")
  var rounds = 5

  @Flag(help: "Print what each way chose, and the cycles that it expects.")
  var explain = false

  func run() throws {
    CPU.threads = threads
    let section = try page.map { try PageSection("layouts", of: $0) }
    var lines = try table.map { try Self.lines($0) } ?? []
    if lines.isEmpty {
      lines.append((["network"] + LayoutPolicy.all.map(\.name)).joined(separator: "\t"))
      print(lines[0])
    }
    for network in LayoutCase.all(random: random, seed: seed)
    where only.map({ network.name.contains($0) }) ?? true {
      if lines.contains(where: { $0.hasPrefix(network.name + "\t") }) { continue }
      let times = try measure(network)
      let line = ([network.name] + times.map { String(format: "%.3f", $0 * 1e3) })
        .joined(separator: "\t")
      print(line)
      lines.append(line)
      if let table {
        try AtomicFile.write(Array((lines.joined(separator: "\n") + "\n").utf8), to: table)
      }
    }
    try section?.replace(by: Self.markdown(lines))
  }

  /// Milliseconds of the quickest way, and what the others take in parts of it.
  private static func markdown(_ lines: [String]) -> String {
    let rows = lines.map { $0.split(separator: "\t").map(String.init) }
    guard let head = rows.first else { return "" }
    let titles = ["network", "quickest"] + head.dropFirst()
    var text = "| \(titles.joined(separator: " | ")) |\n"
    text += "|---|" + titles.dropFirst().map { _ in "---:|" }.joined()
    for row in rows.dropFirst() {
      let times = row.dropFirst().compactMap { Double($0) }
      guard let least = times.min() else { continue }
      let cells = times.map { String(format: "%.2f", $0 / least) }
      text +=
        "\n| `\(row[0])` | \(String(format: "%.3f", least)) ms | \(cells.joined(separator: " | ")) |"
    }
    return text
  }

  private static func lines(_ path: String) throws -> [String] {
    guard FileManager.default.fileExists(atPath: path) else { return [] }
    return try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
  }

  /// Seconds of a step by each policy; those that choose the same are timed once.
  private func measure(_ network: LayoutCase) throws -> [Double] {
    var steps: [() throws -> Double] = []
    var places: [[String]: Int] = [:]
    var order: [Int] = []
    for policy in LayoutPolicy.all {
      let job = try network.job()
      let (step, chosen) = try job.layouts(on: policy.backend)
      if explain { print("\(policy.name):\n  \(chosen.joined(separator: "\n  "))") }
      if let known = places[chosen] {
        order.append(known)
        continue
      }
      places[chosen] = steps.count
      order.append(steps.count)
      _ = try step()
      steps.append(step)
    }
    var best = [Double](repeating: .infinity, count: steps.count)
    for _ in 0..<rounds {
      for (index, step) in steps.enumerated() {
        let start = ContinuousClock.now
        var count = 0
        var seconds = 0.0
        // Short steps are repeated, so that a round is long enough to be timed.
        while count < 2 || seconds < 0.05 {
          let begin = ContinuousClock.now
          _ = try step()
          let end = ContinuousClock.now
          best[index] = min(best[index], (end - begin) / .seconds(1))
          seconds = (end - start) / .seconds(1)
          count += 1
        }
      }
    }
    return order.map { best[$0] }
  }
}

extension Job {
  /// A step, and what the passes chose for it.
  fileprivate func layouts(
    on backend: CPU
  ) throws -> (step: () throws -> Double, chosen: [String]) {
    let program = program()
    let function = try compile(inputs, to: program.outputs, updates: program.updates, on: backend)
    let batch = batch
    let records = try function.passes(for: ["batch": batch[0].shape[0]])
    return (
      {
        let results = try function.call(batch).arrays
        return results[0].load(results[0].offset)
      }, records.flatMap(\.choices)
    )
  }
}
