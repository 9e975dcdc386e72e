import Agnesi
import ArgumentParser
import Foundation

/// `agnesi summary`.
struct SummaryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "summary",
    abstract: "Show a network's layers: shapes, parameters, work, receptive fields.",
    discussion: """
      EXAMPLES
        agnesi summary "20C5 MP2 50C5 MP2 256FC 10FC" --input 1x28x28
        agnesi summary model.safetensors
      """)

  @Argument(help: "A network in the literature's notation, or a saved model.")
  var network: String

  @Option(help: "The shape of one sample: channels, height and width.")
  var input = "1x28x28"

  func run() throws {
    try reportingErrors {
      if FileManager.default.fileExists(atPath: network) {
        let saved = try SavedClassifier(reading: network)
        guard let chain = saved.network else {
          throw CommandFailure(message: "summary: \(network) does not record its layers")
        }
        print(Summary(chain, input: saved.sampleShape.map { Size($0) }))
      } else {
        let chain = try Notation.parse(network)
        let summary = Summary(chain, input: try Shape(sample: input, command: "summary"))
        print(summary)
        // The table ends where the network does not fit the samples, with the reason.
        if summary.failure != nil { throw ExitCode.failure }
      }
    }
  }

}

extension Shape {
  /// The shape of a sample as it is written for --input.
  init(sample text: String, command: String) throws {
    let parts = text.split(separator: "x").map { Int($0) }
    let sizes = parts.compactMap { $0 }
    guard sizes.count == parts.count, !sizes.isEmpty, sizes.allSatisfy({ $0 > 0 && $0 < 100_000 })
    else {
      throw CommandFailure(
        message:
          "\(command): --input \(text) is no shape\n  hint: write sizes with x, as in 1x28x28")
    }
    self = sizes.map { Size($0) }
  }
}
