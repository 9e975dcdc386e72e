import ArgumentParser
import Foundation

/// `agnesi-bench peers`: workloads in turns with other frameworks, and a table of ratios.
///
/// Each reading is a process of its own, and frameworks alternate, so that a slow minute of the
/// machine meets all of them.
struct PeersCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "peers", abstract: "Time workloads in turns with other frameworks.",
    discussion: """
      Needs a Python script that times one workload in one framework and prints an object with the \
      fields of `agnesi-bench run`: SCRIPT FRAMEWORK WORKLOAD --steps N --threads N. Frameworks that \
      an interpreter lacks, or that have no such workload, are left out. Scripts/peers.py is such a \
      script, for PyTorch, JAX, ONNX Runtime and OpenVINO.
      """)

  @Argument(help: "The workloads; all where none is named.")
  var workloads: [Workload] = []

  @Option(help: "Python interpreters, separated by colons.")
  var python: String

  @Option(help: "The script.")
  var script = "Scripts/peers.py"

  @Option(help: "Frameworks to try, separated by commas.")
  var frameworks = Peer.frameworks.joined(separator: ",")

  @Option(help: "Readings of each framework.")
  var rounds = 3

  @Option(help: "Threads.")
  var threads = 2

  @Option(help: "Seconds that one reading may take.")
  var limit = 900.0

  @Option(help: "A file for all readings; those of other workloads in it are kept.")
  var json: String?

  func validate() throws {
    guard rounds >= 1, threads >= 1 else {
      throw ValidationError("--rounds and --threads must be at least 1")
    }
  }

  func run() throws {
    var comparisons: [Comparison] = []
    for workload in workloads.isEmpty ? Workload.allCases : workloads {
      comparisons.append(try compare(workload))
      if let json { try keep(comparisons, in: json) }
    }
    print(Comparison.table(comparisons))
  }

  /// The readings of one workload. Who fails in the first round is out.
  private func compare(_ workload: Workload) throws -> Comparison {
    let turn = Peer.Turn(script: script, threads: threads, limit: limit)
    var readings: [Reading] = []
    var peers: [Peer] = []
    func add(_ reading: Reading) {
      readings.append(reading)
      note("\(workload.rawValue) \(reading.framework) \(Cell.time(reading.median))")
    }
    for round in 0..<rounds {
      let own = try ChildProcess.bench([workload.rawValue, "--threads", "\(threads)"])
      add(try Reading(lastLineOf: own.output()))
      guard round == 0 else {
        for peer in peers { add(try peer.reading(workload, turn)) }
        continue
      }
      for framework in frameworks.split(separator: ",").map(String.init) {
        guard let (peer, reading) = found(framework, workload, turn) else { continue }
        peers.append(peer)
        add(reading)
      }
    }
    return Comparison(workload: workload, readings: readings)
  }

  /// The first interpreter in which the framework runs the workload.
  private func found(
    _ framework: String, _ workload: Workload, _ turn: Peer.Turn
  ) -> (Peer, Reading)? {
    var failures: [String] = []
    for interpreter in python.split(separator: ":").map(String.init) {
      let peer = Peer(framework: framework, python: interpreter)
      do {
        return (peer, try peer.reading(workload, turn))
      } catch {
        failures.append("\((error as? ChildFailure)?.outcome ?? "\(error)")")
      }
    }
    note("\(workload.rawValue) \(framework) left out: \(failures.joined(separator: "; "))")
    return nil
  }

  private func keep(_ comparisons: [Comparison], in path: String) throws {
    let done = Set(comparisons.map(\.workload))
    let known = FileManager.default.fileExists(atPath: path) ? try Comparison.read(from: path) : []
    let all = known.filter { !done.contains($0.workload) } + comparisons
    let order = Workload.allCases
    try Comparison.write(
      order.compactMap { workload in all.first { $0.workload == workload } }, to: path)
  }

  private func note(_ text: String) {
    FileHandle.standardError.write(Data("\(text)\n".utf8))
  }
}
