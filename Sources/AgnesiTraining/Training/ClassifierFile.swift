import AgnesiArrays
import AgnesiExpressions
import AgnesiLayers
import AgnesiModels
import Foundation

/// What a saved classifier holds beside its function: enough to use it and to know where it came
/// from.
public struct ClassifierFile {
  package static let functionName = "classify"

  var graph: TrainingGraph
  var network: Chain
  var classNames: [String]
  var history: [EpochRecord]
  var settings: TrainingSettings
  var data: [String: String]
  var scaling: InputScaling

  func model() throws -> Model {
    let function = graph.classify
    var information = [
      "network": try JSONText.encoded(network), "settings": try JSONText.encoded(settings),
    ]
    information["classes"] = try JSONText.encoded(classNames)
    // Equal runs save equal bytes, so how long an epoch took stays out.
    let timeless = history.map { record in
      var record = record
      record.seconds = 0
      return record
    }
    information["history"] = try JSONText.encoded(timeless)
    information["data"] = try JSONText.encoded(data)
    information["scaling"] = try JSONText.encoded(scaling)
    information["notation"] = try? Notation.text(of: network)
    return Model(
      functions: [
        Self.functionName: .init(inputs: function.inputs, outputs: function.outputs)
      ], information: information)
  }
}

/// A classifier read back from a file, evaluated without the code that described it.
public struct SavedClassifier: Sendable {
  public let model: Model
  public let image: Tensor
  public let probabilities: Tensor
  public let classNames: [String]
  public let notation: String?
  /// How stored values become inputs, as the training data were scaled.
  public let scaling: InputScaling?
  public let network: Chain?
  /// What each epoch led to; `seconds` is 0 throughout.
  public let history: [EpochRecord]
  /// What the model was trained on.
  public let data: [String: String]

  /// - Throws: ``ModelError`` where the file holds no classifier.
  public init(reading path: String) throws {
    let model = try Model(reading: path)
    self.model = model
    guard let function = model.functions[ClassifierFile.functionName], function.inputs.count == 1,
      let output = function.outputs.first(where: { $0.name == "probabilities" }),
      output.tensor.rank == 2
    else {
      throw ModelError(path, "the model holds no classifier")
    }
    image = function.inputs[0]
    probabilities = output.tensor
    notation = model.information["notation"]
    func read<Value: Decodable>(_ key: String) -> Value? {
      model.information[key].flatMap { try? JSONText.decoded(from: $0) }
    }
    classNames = read("classes") ?? []
    scaling = read("scaling")
    network = read("network")
    history = read("history") ?? []
    data = read("data") ?? [:]
  }

  /// The shape of one sample.
  public var sampleShape: [Int] { image.shape.dropFirst().compactMap(\.known) }
}
