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
  /// Its function `run` has the file's own inputs and outputs. Where there is one input of colour
  /// pictures, `[batch, 3, height, width]`, and an output `[batch, classes]`, it has a function
  /// `classify` as well, a picture model: input `pixels`, 0...255, outputs `probabilities`, `logits` and,
  /// where the scores come from a dense layer, `features`. A file that Agnesi wrote comes back with the
  /// function that was written, its class names and its preprocessing. In other files a thousand classes
  /// are taken for ImageNet's, and pictures are brought to the input's size without cutting.
  ///
  /// - Parameter scaling: what the network expects to be done to pixels, which ONNX files do not say;
  ///   nil for torchvision's, for which most of them were trained.
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
    if file.metadata[ONNXMetadata.function] == nil, let image = image(importer.inputs),
      let scores = outputs.first(where: { $0.tensor.rank == 2 && $0.tensor.dtype.isFloating })
    {
      model.functions["classify"] = pictureFunction(
        image, scores.tensor, scaling ?? .torchvision)
      try addClassNames(to: &model, count: scores.tensor.shape[1].known)
    }
    return model
  }

  /// What the last layer reads, which transfer learning needs, beside logits that are written without.
  private func withFeatures(_ function: Model.Function) -> Model.Function {
    let names = function.outputs.map(\.name)
    guard names == ["probabilities", "logits"],
      let features = denseOperand(of: function.outputs[1].tensor)
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

  private func image(_ inputs: [(name: String, tensor: Tensor)]) -> Tensor? {
    guard inputs.count == 1, let tensor = inputs.first?.tensor, tensor.dtype == .float32,
      tensor.rank == 4, tensor.shape[1].known == 3
    else { return nil }
    return tensor
  }

  private func pictureFunction(
    _ image: Tensor, _ scores: Tensor, _ scaling: PixelScaling
  ) -> Model.Function {
    let pixels = Tensor.input("pixels", image.shape)
    let isProbability = scores.isKind("softmax")
    let logits = isProbability ? scores.node.operands[0] : scores
    var chosen = [("probabilities", isProbability ? scores : softmax(logits, axis: 1))]
    chosen.append(("logits", logits))
    if let features = denseOperand(of: logits) { chosen.append(("features", features)) }
    let outputs = chosen.map(\.1).replacing([image: scaling(pixels)])
    return Model.Function(
      inputs: [pixels], outputs: zip(chosen, outputs).map { (name: $0.0, tensor: $1) })
  }

  /// What the last dense layer reads.
  private func denseOperand(of logits: Tensor) -> Tensor? {
    var tensor = logits
    if type(of: tensor.node.operation).name == "add" { tensor = tensor.node.operands[0] }
    guard tensor.node.operation is MatMul, tensor.node.operands[0].rank == 2 else { return nil }
    return tensor.node.operands[0]
  }
}

/// What Agnesi writes beside a graph.
enum ONNXMetadata {
  /// The name of the function.
  static let function = "agnesi.function"
}
