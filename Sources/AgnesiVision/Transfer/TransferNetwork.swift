import AgnesiArrays
import AgnesiExpressions
import AgnesiImages
import AgnesiLayers
import AgnesiModels
import AgnesiTraining
import Foundation

/// A body that has learned, with a new head: one network that can be trained in two ways, its head
/// alone on features that were computed before, or all of it on pictures.
public struct TransferNetwork: Sendable {
  /// What is kept of the old network.
  public let body: PictureBody
  /// The new end.
  public let head: Head
  /// What the names of the head's parameters begin with.
  public let scope: String
  /// What features are standardised by; part of the network.
  public let standardization: Standardization?
  /// The head by itself: from the body's output as an input to what the head says.
  public let headGraph: TrainingGraph
  /// What the head's last layer reads, made of the head's input.
  private let read: Tensor

  /// - Parameters:
  ///   - standardization: of the features, measured on training photos; part of the network.
  ///   - seed: of the head's first values.
  /// - Throws: ``TransferError`` or `GraphError` where the head does not fit the body.
  public init(
    _ body: PictureBody, head: Head, standardization: Standardization? = nil, seed: UInt64 = 0
  ) throws {
    if let mistake = head.mistake(over: body.output) { throw TransferError(mistake) }
    let shape = body.model.pixels.shape
    guard let height = shape[2].known, let width = shape[3].known else {
      throw TransferError("the model takes pictures of any size", hint: "a head needs one size")
    }
    self.body = body
    self.head = head
    self.standardization = standardization
    let scope = Self.freeName(body)
    self.scope = scope
    // Features of any number of photos, whatever number the body takes at a time.
    let features = Tensor.input("features", [.batch] + body.output.shape.dropFirst())
    let built = Scope.seeded(seed) {
      Scope.named(scope) {
        head.build(
          on: standardization?.applied(to: features) ?? features, size: (height, width))
      }
    }
    if let failure = built.output.failure { throw failure }
    read = built.read
    headGraph = TrainingGraph(input: features, output: built.output, goal: head.goal)
  }

  /// `head`, or, where the body has such parameters, `head2` and so on.
  private static func freeName(_ body: PictureBody) -> String {
    let names = body.output.parameters().map(\.name)
    let numbers = sequence(first: 2) { $0 + 1 }.lazy.map { "head\($0)" }
    let free = { (name: String) in !names.contains { $0.hasPrefix("\(name).") } }
    return free("head") ? "head" : numbers.first(where: free) ?? "head"
  }

  /// All of the network, as it learns from pictures.
  ///
  /// - Parameters:
  ///   - last: the layers up to this one stay as they are, statistics of batch normalisation
  ///     included; nil for none.
  ///   - learnsAverages: whether batch normalisation in the body is that of the mini-batch, and its
  ///     averages follow; else they stay as they are.
  public func graph(
    frozenThrough last: String? = nil, learnsAverages: Bool = true
  ) throws -> TrainingGraph {
    if let batch = body.model.fixedBatch { throw TransferError(fixedBatch: batch) }
    let features = try body.output(frozenThrough: last, learnsAverages: learnsAverages)
    let output = headGraph.output.replacing([headGraph.input: features])
    return TrainingGraph(input: body.model.pixels, output: output, goal: head.goal)
  }

  /// Factors of the learning rate: 1 for the head, `factor` for the body, 0 for its frozen layers.
  public func rateFactors(body factor: Double, frozenThrough last: String? = nil) -> [String:
    Double]
  {
    var result = ["": factor, "\(scope).": 1]
    for parameter in body.parameters(through: last) { result[parameter.name] = 0 }
    return result
  }

  // MARK: - The model

  /// The network as a model that can be saved: a classifier with `classify`, or else a function
  /// `predict`, `locate` or `segment`.
  ///
  /// - Parameters:
  ///   - classNames: one for each class; none for heads without classes.
  ///   - preprocessing: how photos come to the network; nil as to the old one.
  ///   - information: kept in the file beside what the old model says of itself.
  public func model(
    classNames: [String] = [], preprocessing: PicturePreprocessing? = nil,
    information: [String: String] = [:]
  ) throws -> Model {
    func onBody(_ tensor: Tensor) -> Tensor { tensor.replacing([headGraph.input: body.output]) }
    let said = onBody(headGraph.output)
    var outputs = outputs(said)
    outputs += body.layers.filter { $0.name != "features" }
    outputs.append((name: "features", tensor: onBody(read)))
    var texts = body.model.model.information.filter { Self.lasting.contains($0.key) }
    texts["preprocessing"] = try JSONText.encoded(preprocessing ?? body.model.preprocessing)
    if !classNames.isEmpty { texts["classes"] = try JSONText.encoded(classNames) }
    texts["head"] = try JSONText.encoded(head)
    texts["cut"] = body.layer
    texts.merge(information) { $1 }
    return Model(
      functions: [functionName: .init(inputs: [body.model.pixels], outputs: outputs)],
      information: texts)
  }

  /// What stays true of a model with another head.
  private static let lasting: Set<String> = ["architecture", "licence", "attribution"]

  /// What the function of the model is called.
  public var functionName: String {
    switch head {
    case .classes: PictureModel.functionName
    case .values: "predict"
    case .boxes: "locate"
    case .masks: "segment"
    }
  }

  private func outputs(_ said: Tensor) -> [(name: String, tensor: Tensor)] {
    switch head {
    case .classes, .masks: [("probabilities", softmax(said, axis: 1)), ("logits", said)]
    case .values: [("values", said)]
    case .boxes: [("box", said)]
    }
  }
}
