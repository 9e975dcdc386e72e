import AgnesiArrays
import AgnesiExpressions
import AgnesiFormats
import AgnesiLoops
import Foundation

/// A network in an ONNX file.
///
///     let model = try ONNXModel(reading: "resnet18.onnx").model()
///
/// Weights become parameters under their names, so that the network can be trained on; sizes that the
/// file names become sizes of the same names. Shapes that the graph computes are computed at import
/// where they depend on sizes and constants only, which is the case for all but a few networks.
/// Operators are read from version 6 of ONNX's operator set on (7 is where most changed for the last
/// time); which, <doc:ONNX> lists. What is not supported is refused with the node's name, never guessed.
///
/// The graph is that of training: batch normalisation and dropout are composites. Run it
/// `specialized(for: .inference)`, which is what the file means.
public struct ONNXModel: Sendable {
  /// The file.
  public let path: String
  private let file: ONNXFile
  /// What the caller knows and the file does not say.
  public var stated = Stated()

  /// Facts about a graph's inputs, by their names.
  public struct Stated: Sendable {
    /// Values of inputs that are the same in each call, such as axes; they are inputs no longer.
    public var constants: [String: NDArray] = [:]
    /// Shapes of inputs.
    public var shapes: [String: [Int]] = [:]

    /// Nothing is stated.
    public init() {}
  }

  /// Reads a file, and the files beside it in which it keeps its weights; nothing else.
  ///
  /// - Throws: `FileError` or `FormatError`.
  public init(reading path: String) throws {
    self.path = path
    file = try ONNXFile(reading: path)
  }

  /// The names of the graph's inputs, in order; those that only give initializers first values are left
  /// out.
  public var inputNames: [String] {
    let initializers = Set(file.graph.initializers.map(\.name))
    return file.graph.inputs.map(\.name).filter { !initializers.contains($0) }
  }

  /// The operators that a graph may have.
  public static var operators: [String] { ONNXOperators.byName.keys.sorted() }

  /// The operators of this graph that no graph may have, each once.
  public var unsupportedOperators: [String] {
    let names = file.graph.nodes.map { node in
      node.domain.isEmpty ? node.operation : "\(node.domain).\(node.operation)"
    }
    return Set(names).filter { ONNXOperators.byName[$0] == nil }.sorted()
  }

  /// The graph as a model.
  ///
  /// Its function `run` has the file's own inputs and outputs. Where there is one input of pictures, of
  /// floats of any width or of uint8, `[batch, channels, height, width]` or `[batch, height, width, channels]` with
  /// 3 or 1 channels, and an output of scores, `[batch, classes]` with any further axes of size 1, it has a
  /// function `classify` as well, a picture model: input `pixels`, 0...255, outputs `probabilities`,
  /// `logits` and, where the scores come from a dense layer, `features`. A batch that the file
  /// fixes stays; who classifies by it may hand in any number of pictures. A file that Agnesi wrote
  /// comes back with the function that was written, its class names and its preprocessing. In other files
  /// a thousand classes are taken for ImageNet's, and pictures are brought to the input's size
  /// without cutting.
  ///
  /// - Parameter scaling: what the network expects to be done to pixels, which ONNX files do not say;
  ///   nil for torchvision's, for which most of them were trained, 0...1 for grey pictures, and
  ///   nothing where the input is uint8.
  /// - Throws: ``ModelError`` with the node, its operator and what is the matter.
  public func model(scaling: PixelScaling? = nil) throws -> Model {
    let importer = try ONNXImporter(
      file, path: path, names: SizeNames(batch: batchName), stated)
    let outputs = try file.graph.outputs.map { info in
      (name: info.name, tensor: try importer.output(info.name))
    }
    guard !outputs.isEmpty else { throw ModelError(path, "its graph has no outputs") }
    var model = Model(functions: [:], information: information)
    let function = Model.Function(inputs: importer.inputs.map(\.tensor), outputs: outputs)
    model.functions[file.metadata[ONNXMetadata.function] ?? "run"] = withFeatures(function)
    if file.metadata[ONNXMetadata.function] == nil,
      let picture = ONNXPicture(importer.inputs.map(\.tensor)),
      let scores = ONNXScores(outputs.map(\.tensor))
    {
      model.functions["classify"] = picture.function(scores, scaling)
      try addClassNames(to: &model, count: scores.logits.shape[1].known)
    }
    return model
  }

  /// What the last layer reads, which transfer learning needs, beside logits that are written without.
  private func withFeatures(_ function: Model.Function) -> Model.Function {
    let names = function.outputs.map(\.name)
    guard names == ["probabilities", "logits"],
      let features = ONNXScores.denseOperand(of: function.outputs[1].tensor)
    else { return function }
    var result = function
    result.outputs.append(("features", features))
    return result
  }

  /// ImageNet's names for networks of a thousand classes that bring none along.
  private func addClassNames(to model: inout Model, count: Int?) throws {
    guard count == ImageNet.classNames.count, model.information["classes"] == nil else { return }
    model.information["classes"] = try JSONText.encoded(ImageNet.classNames)
  }

  private var information: [String: String] {
    var result = file.metadata.filter { !$0.key.hasPrefix("agnesi.") }
    if result["architecture"] == nil, !file.graph.name.isEmpty {
      result["architecture"] = file.graph.name
    }
    return result
  }

  /// What the file calls the number of samples: the first axis of its first input.
  private var batchName: String? {
    let first = file.graph.inputs.first { $0.name == inputNames.first }
    guard case .named(let name)? = first?.shape?.first else { return nil }
    return name
  }
}

/// What Agnesi writes beside a graph.
enum ONNXMetadata {
  /// The name of the function.
  static let function = "agnesi.function"
}
