import Agnesi
import ArgumentParser
import Foundation

/// `agnesi export`.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a model as ONNX, for other programs.",
    discussion: HelpText.discussion(
      """
      The file holds the graph of inference and the weights. Any number of samples can be handed in.
      """,
      examples: [
        "agnesi export clothes.safetensors clothes.onnx",
        "agnesi export efficientnet-lite0 lite0.onnx --output-layer features",
        "agnesi export vgg19 vgg19.onnx --weights vgg19.pkl",
      ]))

  @Argument(help: "A saved model, or a network of the zoo by its name.")
  var model: String

  @Argument(help: "The file to write.")
  var file: String

  @Option(
    help: ArgumentHelp(
      "The weights of a network of the zoo, in any usual format.", valueName: "file"))
  var weights: String?

  @Option(help: "Which of the model's functions.")
  var function: String?

  @Option(
    name: .customLong("output-layer"), parsing: .upToNextOption,
    help: "Which of its outputs; by default all, or probabilities and logits where it has both.")
  var outputLayer: [String] = []

  func run() throws {
    try reportingErrors(stopped: "stopped; nothing was written") {
      try OutputFile.check(
        [OutputFile(option: "the file", path: file, kind: .onnx)],
        reading: [model, weights].compactMap { $0 }, of: "export")
      let opened = try Zoo.open(model, weights: weights)
      try opened.writeONNX(
        to: file, function: function, outputs: outputLayer.isEmpty ? nil : outputLayer)
      let bytes = try FileManager.default.attributesOfItem(atPath: file)[.size] as? Int ?? 0
      print("\(file): \(bytes / 1000) kB, ONNX operator set 18")
    }
  }
}
