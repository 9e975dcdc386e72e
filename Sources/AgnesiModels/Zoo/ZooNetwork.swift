import AgnesiArrays
import AgnesiExpressions
import AgnesiImages
import AgnesiLayers
import Foundation

/// A network that the zoo knows: how it is built, what it reads, and where its weights come from.
///
/// Its model is a *picture model*: one function (``functionName``) of one input `pixels`, float32
/// `[batch, channels, height, width]`, red, green and blue as decoded, 0...255. Outputs are
/// `probabilities`, `logits`, and then each layer's output under its name, among them `features`, what
/// the last layer reads, `[batch, n]`. The graph is that of training; run it
/// `specialized(for: .inference)`. The model's information holds `classes`, `preprocessing` and, where
/// classes have them, `identifiers` as JSON, `architecture`, `licence` and `attribution`.
public struct ZooNetwork: Sendable {
  /// How it is called: `efficientnet-lite0`.
  public let name: String
  /// One line for a person.
  public let summary: String
  /// How many values its parameters hold, statistics included. Known without building it.
  public let parameterCount: Int
  /// The name of each class.
  public let classNames: [String]
  /// What else each class is known by: ImageNet's are WordNet's numbers, `n01440764`; empty for others.
  public let classIdentifiers: [String]
  /// What happens to a photo's geometry.
  public let preprocessing: PicturePreprocessing
  /// What happens to its pixels' values; part of the graph.
  public var scaling: PixelScaling
  /// Colour pictures have 3, grey ones 1.
  public let channels: Int
  /// Rows of the input.
  public let height: Int
  /// Columns of the input.
  public let width: Int
  /// Under which terms the weights are given away, and by whom.
  public let licence: WeightLicence
  /// Where weights come from; empty where there is no public place.
  public let sources: [WeightSource]
  /// `classify`, or `segment` where each pixel has a class.
  public let functionName: String
  /// Its layers but for the last one in the literature's notation; nil for what is no chain of layers.
  let hiddenLayers: String?
  /// How weight files call and lay out the parameters.
  let tables: [WeightTable]
  let build: @Sendable (_ image: Tensor, _ classes: Int) -> NetworkDraft

  /// The number of classes.
  public var classCount: Int { classNames.count }

  init(
    name: String, summary: String, parameterCount: Int, classNames: [String],
    classIdentifiers: [String] = [], preprocessing: PicturePreprocessing,
    scaling: PixelScaling, channels: Int = 3, height: Int, width: Int, licence: WeightLicence,
    sources: [WeightSource] = [], functionName: String = "classify",
    hiddenLayers: String? = nil, tables: [WeightTable],
    build: @escaping @Sendable (_ image: Tensor, _ classes: Int) -> NetworkDraft
  ) {
    self.name = name
    self.summary = summary
    self.parameterCount = parameterCount
    self.classNames = classNames
    self.classIdentifiers = classIdentifiers
    self.preprocessing = preprocessing
    self.scaling = scaling
    self.channels = channels
    self.height = height
    self.width = width
    self.licence = licence
    self.sources = sources
    self.functionName = functionName
    self.hiddenLayers = hiddenLayers
    self.tables = tables
    self.build = build
  }

  /// Whether it is layers one after the other, which the literature's notation can write.
  package var isChain: Bool { hiddenLayers != nil }

  /// The network as a chain that learns from any samples, with a layer of `classes` units at its end.
  ///
  /// - Returns: nil where it is no chain of layers. What ``scaling`` does is left to the data set.
  /// - Throws: `NotationError` for fewer than one class.
  package func chain(classes: Int) throws -> Chain? {
    try hiddenLayers.map { try Notation.parse("\($0) \(classes)FC") }
  }

  /// The command that trains it from its first values; nil where none does, because each pixel has a class.
  package var trainingCommand: String? {
    if isChain { return "agnesi train DATASET --network \(name)" }
    return functionName == "classify" ? "agnesi transfer \(name) FOLDER --from-scratch" : nil
  }

  /// The network with first values drawn for its parameters.
  ///
  /// - Parameters:
  ///   - last: leaves out everything behind the layer of this name, and with it `probabilities` and
  ///     `logits`; nil for all of the network.
  ///   - height: rows of the input; nil for ``height``. Networks with dense layers over maps take
  ///     one size only.
  ///   - width: columns of the input; nil for ``width``.
  /// - Throws: ``ZooError`` where no layer has that name, or the mistake of a size that does not fit.
  public func model(
    through last: String? = nil, height: Int? = nil, width: Int? = nil
  ) throws -> Model {
    let shape: Shape = [
      .batch, Size(channels), Size(height ?? self.height), Size(width ?? self.width),
    ]
    let pixels = Tensor.input("pixels", shape)
    let draft = build(scaling(pixels), classCount)
    var outputs: [(name: String, tensor: Tensor)] = []
    if let last {
      guard let end = draft.layers.lastIndex(where: { $0.name == last }) else {
        throw ZooError(
          "build \(name) through \"\(last)\"", "it has no layer of that name",
          hint: NearestNames.question(
            last, in: draft.layers.map(\.name),
            otherwise: "its layers are \(draft.layers.map(\.name).joined(separator: ", "))"))
      }
      outputs = Array(draft.layers[...end])
    } else {
      let logits = draft.logits ?? draft.current
      outputs = [("probabilities", softmax(logits, axis: 1)), ("logits", logits)] + draft.layers
    }
    if let failure = outputs.lazy.compactMap(\.tensor.failure).first { throw failure }
    return Model(
      functions: [functionName: .init(inputs: [pixels], outputs: outputs)],
      information: try information())
  }

  private func information() throws -> [String: String] {
    var information = [
      "classes": try JSONText.encoded(classNames),
      "preprocessing": try JSONText.encoded(preprocessing),
      "architecture": name, "licence": licence.name, "attribution": licence.attribution,
    ]
    if !classIdentifiers.isEmpty {
      information["identifiers"] = try JSONText.encoded(classIdentifiers)
    }
    return information
  }
}

/// Under which terms weights are given away.
public struct WeightLicence: Hashable, Sendable {
  /// In short: `Apache 2.0`.
  public let name: String
  /// Who made them, to be named wherever they are used.
  public let attribution: String

  init(_ name: String, _ attribution: String) {
    self.name = name
    self.attribution = attribution
  }
}

/// What cannot be done with a network of the zoo or its weights.
public struct ZooError: Error, Hashable, Sendable, CustomStringConvertible, LocalizedError {
  /// What was being done, as in "cannot *open the network vgg16*".
  public let action: String
  /// What disagrees, with the values.
  public let problem: String
  /// What to do about it, where that is certain.
  public let hint: String?

  package init(_ action: String, _ problem: String, hint: String? = nil) {
    self.action = action
    self.problem = problem
    self.hint = hint
  }

  /// The error as one sentence and a hint.
  public var description: String {
    "cannot \(action): \(problem)" + (hint.map { "\n  hint: \($0)" } ?? "")
  }

  /// The same, for Foundation.
  public var errorDescription: String? { description }
}
