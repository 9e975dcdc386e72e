import Agnesi
import ArgumentParser
import Foundation

/// `agnesi summary`.
struct SummaryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "summary",
    abstract: "Show a network's layers: shapes, parameters, work, receptive fields, memory.",
    discussion: HelpText.discussion(
      """
      Layers whose names begin alike are one line, as many as fit on a screen; --depth unfolds them.
      A layer that uses another one's parameters again says whose they are.

      Multiply-adds are those of one sample. Memory is the least that layers' outputs take; the
      outputs of all layers are kept in training, and in inference those that are still needed.
      """,
      examples: [
        #"agnesi summary "20C5 MP2 50C5 MP2 256FC 10FC" --input 1x28x28"#,
        "agnesi summary model.safetensors",
        "agnesi summary resnet18 --depth all",
        "agnesi summary resnet18 --compiled --batch 16",
        "agnesi summary network.onnx --batch 32 --json",
      ]))

  @Argument(
    help: ArgumentHelp(
      "A network in the literature's notation, a network of the zoo (with or without weights), or "
        + "a model file (.safetensors, .onnx).", valueName: "network"))
  var network: String

  @Option(
    help: ArgumentHelp(
      "The shape of one sample of a network in notation: channels, height and width. (default: \(Self.usualInput))",
      valueName: "shape"))
  var input: String?

  private static let usualInput = "1x28x28"

  @Option(
    help: ArgumentHelp(
      "How many parts of layers' names to unfold, or all; by default what fits on a screen.",
      valueName: "number"))
  var depth: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Samples to give the memory for.", valueName: "count"))
  var batch = 1

  @Option(help: ArgumentHelp("Which of a model's functions.", valueName: "name"))
  var function: String?

  @Flag(
    help:
      "Print too what the compiler makes of the forward pass, pass by pass, and the layouts that it chooses for --batch samples."
  )
  var compiled = false

  @Flag(help: "Print one JSON object with all layers.")
  var json = false

  func validate() throws {
    if !(1...1_000_000).contains(batch) {
      throw ValidationError("--batch is \(batch), it must be in 1...1000000")
    }
    if let depth, depth != "all", (Int(depth) ?? 0) < 1 {
      throw ValidationError("--depth is \(depth), it must be a number of at least 1, or all")
    }
  }

  func run() throws {
    try reportingErrors {
      let summary = try summary()
      if summary.failure != nil, let input, let better = channelsFirst {
        throw CommandFailure(
          message: "summary: samples of \(input) do not fit the network"
            + "\n  hint: the channels come first, as in --input \(better)")
      }
      if json {
        let passes = try compiled && summary.failure == nil ? passes(of: summary) : nil
        print(
          try jsonLine(SummaryRecord(summary, network: network, batch: batch, passes: passes)))
      } else {
        let usual = summary.depth(ofAtMost: 24)
        let chosen = depth == "all" ? nil : depth.map { Int($0) ?? usual } ?? usual
        print(summary.text(depth: chosen, batch: batch, width: HelpText.screenWidth))
        if compiled, summary.failure == nil {
          let samples = batch == 1 ? "1 sample" : "\(batch) samples"
          print("\nthe compiler's passes, for a forward pass of \(samples):")
          try passes(of: summary).forEach { print($0) }
        }
      }
      // The table ends where the network does not fit the samples, with the reason.
      if summary.failure != nil { throw ExitCode.failure }
    }
  }

  /// The shape that was meant, where the channels stand last and the network takes them first.
  private var channelsFirst: String? {
    guard let input, let shape = try? Shape(sample: input, command: "summary"), shape.count == 3,
      let chain = try? Notation.parse(network)
    else { return nil }
    let turned = [shape[2], shape[0], shape[1]]
    let isColours = [1, 3, 4].contains(shape[2].known) && ![1, 3, 4].contains(shape[0].known)
    guard isColours, Summary(chain, input: turned).failure == nil else { return nil }
    return turned.map(\.description).joined(separator: "x")
  }

  /// What the compiler's passes did to the network in inference, in words; a line each, and below it a line
  /// for each choice.
  private func passes(of summary: Summary) throws -> [String] {
    let names = Set(summary.inputs.flatMap { $0.shape.flatMap(\.symbols) })
    guard names.count <= 1 else {
      let open = names.sorted().joined(separator: ", ")
      throw CommandFailure(
        message:
          "summary: --compiled is for networks in which only the number of samples is open, here \(open) are"
      )
    }
    let outputs = summary.outputs.map { $0.specialized(for: .inference) }
    let function = try compile(summary.inputs, to: outputs, on: .cpu)
    let sizes = Dictionary(uniqueKeysWithValues: names.map { ($0, batch) })
    return try function.passes(for: sizes).map(\.description)
  }

  private func summary() throws -> Summary {
    let isNotation =
      Zoo.network(network) == nil && !FileManager.default.fileExists(atPath: network)
    if input != nil, !isNotation {
      throw CommandFailure(
        message: "summary: --input is for networks in notation, \(network) says its own")
    }
    if let known = Zoo.network(network) {
      return try Summary(try known.model(), function: function)
    }
    guard FileManager.default.fileExists(atPath: network) else { return try ofNotation() }
    if network.lowercased().hasSuffix(".onnx") {
      return try Summary(try ONNXModel(reading: network).model(), function: function)
    }
    let model = try Model(reading: network)
    // What `agnesi train` saved says its layers, in their own words.
    if function == nil, let saved = try? SavedClassifier(reading: network),
      let chain = saved.network
    {
      return Summary(chain, input: saved.sampleShape.map { Size($0) })
    }
    return try Summary(model, function: function)
  }

  /// The notation, or a question where a name or path was meant.
  private func ofNotation() throws -> Summary {
    do {
      let chain = try Notation.parse(network)
      let shape = try Shape(sample: input ?? Self.usualInput, command: "summary")
      return Summary(chain, input: shape)
    } catch let error as NotationError {
      let isOneWord = !network.contains(" ")
      if isOneWord, ModelOutput.isPathOfWeights(network) {
        throw CommandFailure(
          message: "summary: there is no file \(FileName.printable(network))"
            + (NearestNames.question(NearestNames.ofFiles(network)).map { "\n  hint: \($0)" } ?? "")
        )
      }
      let near = NearestNames.of(network, in: Zoo.all.map(\.name)) + NearestNames.ofFiles(network)
      if near.isEmpty { try ModelOutput.checkNoPath(network, of: "summary") }
      guard isOneWord, error.hint == nil, let question = NearestNames.question(near) else {
        throw WrongUse(error: error)
      }
      throw CommandFailure(
        message: "summary: \(network) is no file, no network of the zoo and no notation\n  hint: "
          + question)
    }
  }
}

/// What `agnesi summary --json` prints.
private struct SummaryRecord: Encodable {
  let network: String
  let layers: [Layer]
  let parameters: Int
  let statistics: Int
  let multiplyAdds: Int?
  let memory: Memory
  let mistake: String?
  /// Null unless asked for.
  let passes: [String]?

  struct Layer: Encodable {
    let name: String
    let details: String
    /// Of one sample; null are sizes that a call determines.
    let output: [Int?]
    let parameters: Int
    let statistics: Int
    let sharedWith: String?
    let multiplyAdds: Int?
    let receptiveField: Field?
  }

  struct Field: Encodable {
    let height: Int
    let width: Int
    let verticalStep: Double
    let horizontalStep: Double
  }

  /// Bytes for a batch.
  struct Memory: Encodable {
    let batch: Int
    let parameters: Int
    let training: Int?
    let inference: Int?
  }

  init(_ summary: Summary, network: String, batch: Int, passes: [String]?) {
    (self.network, self.passes) = (network, passes)
    layers = summary.rows.map { row in
      Layer(
        name: row.layer, details: row.details, output: row.outputShape.map(\.known),
        parameters: row.parameterCount, statistics: row.statisticCount,
        sharedWith: row.sharedWith, multiplyAdds: row.multiplyAdds?.known,
        receptiveField: row.field.map {
          Field(
            height: $0.height, width: $0.width, verticalStep: $0.verticalStep,
            horizontalStep: $0.horizontalStep)
        })
    }
    parameters = summary.parameterCount
    statistics = summary.statisticCount
    multiplyAdds = summary.multiplyAdds?.known
    memory = Memory(
      batch: batch, parameters: summary.memory.parameters,
      training: summary.memory.training.map { $0.saturatingProduct(batch) },
      inference: summary.memory.inference.map { $0.saturatingProduct(batch) })
    mistake = summary.failure.map { shownText(of: $0) }
  }
}

extension Shape {
  /// The shape of a sample as it is written for --input.
  init(sample text: String, command: String) throws {
    let parts = text.split(omittingEmptySubsequences: false) { "xX×".contains($0) }.map { Int($0) }
    let sizes = parts.compactMap { $0 }
    guard sizes.count == parts.count, !sizes.isEmpty, sizes.allSatisfy({ $0 > 0 && $0 < 100_000 })
    else {
      throw CommandFailure(
        message:
          "\(command): --input \(text) is no shape of sizes in 1...99999"
          + "\n  hint: write channels, height and width with x, as in 1x28x28")
    }
    self = sizes.map { Size($0) }
  }
}
