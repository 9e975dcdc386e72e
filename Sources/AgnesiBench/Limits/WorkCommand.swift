import Agnesi
import ArgumentParser

/// `agnesi-bench work`: what each workload has to do, so that others can be seen to do the same.
struct WorkCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "work",
    abstract: "Count the weights of each workload, and the multiply-adds of a step.",
    discussion: """
      Prints one JSON object for each workload, on a line of its own. `Scripts/peers.py FRAMEWORK \
      WORKLOAD --work` prints one with the same fields. Multiply-adds are those of products and \
      convolutions, forward and backward.
      """)

  @Argument(help: "The workloads; all where none is named.")
  var workloads: [Workload] = []

  @Option(help: "Samples of a batch; by default the workload's.")
  var batch: Int?

  private struct Line: Encodable {
    var framework = "agnesi"
    var workload: String
    var batch: Int
    var weights: Int
    var multiplyAdds: Int

    private enum CodingKeys: String, CodingKey {
      case framework, workload, batch, weights
      case multiplyAdds = "multiply_adds"
    }
  }

  func validate() throws {
    guard batch ?? 1 >= 1 else { throw ValidationError("--batch must be at least 1") }
  }

  func run() throws {
    for workload in workloads.isEmpty ? Workload.allCases : workloads {
      let samples = batch ?? workload.traits.batch
      let work = try Work(of: workload.job(batch: samples))
      let line = Line(
        workload: workload.rawValue, batch: samples, weights: work.weights,
        multiplyAdds: work.multiplyAdds)
      print(try JSONText.encoded(line, nonFinite: .null))
    }
  }
}
