import AgnesiArrays
import AgnesiExpressions
import AgnesiImages
import AgnesiModels
import AgnesiTraining
import Foundation

/// A model that sees pictures: what goes in, what comes out, and what the classes are called.
///
/// Such a model has a function `classify` of one input, `[batch, channels, height, width]`, float32,
/// samples of 0...255 as decoded; channels are 3 (red, green, blue) or 1 (grey). Its first outputs
/// are `probabilities` and `logits`, both `[batch, classes]`; the others are layers by name. Classes'
/// names and ``PicturePreprocessing`` stand in the model's information under `classes` and
/// `preprocessing`, as JSON.
///
/// Classifiers that the trainer saved are such models too, if their samples are pictures: the
/// scaling of their training data becomes part of the graph.
public struct PictureModel: Sendable {
  /// The function's name in a model.
  public static let functionName = "classify"

  /// The model that this is the view of.
  public let model: Model
  /// The input: `[batch, channels, height, width]`, float32, 0...255.
  public let pixels: Tensor
  /// `[batch, classes]`; each row has the sum 1.
  public let probabilities: Tensor
  /// `[batch, classes]`, before softmax.
  public let logits: Tensor
  /// The other outputs, in the model's order.
  public let layers: [(name: String, tensor: Tensor)]
  /// One name for each class; numbers where the model has none.
  public let classNames: [String]
  /// What else the classes are known by, such as WordNet's numbers; empty where the model has none.
  public let classIdentifiers: [String]
  /// How photos come to the input's size.
  public let preprocessing: PicturePreprocessing

  /// The number of pictures that the graph is made for; nil where it takes any. Classifying and
  /// explaining take any number all the same.
  public var fixedBatch: Int? { pixels.shape[0].known }
  /// 3 for colour, 1 for grey.
  public var channels: Int { pixels.shape[1].known ?? 3 }
  /// The number of classes.
  public var classCount: Int { classNames.count }
  /// The colours in which pictures are to be read.
  public var color: PictureColor { channels == 1 ? .grey : .rgb }

  /// What a network must be to classify pictures.
  static let needed =
    "a network of pictures takes one input of floats or uint8, [batch, 1 or 3, height, width] or with the "
    + "channels last, and has an output of floats [batch, classes]"

  /// The layer of that name; nil where there is none.
  public func layer(_ name: String) -> Tensor? { layers.first { $0.name == name }?.tensor }

  /// - Parameter path: where the model came from, for errors.
  /// - Throws: ``ModelError`` that says what is missing, where the model sees no pictures.
  public init(_ model: Model, path: String? = nil) throws {
    let reader = PictureModelReader(model: model, path: path)
    let function = try reader.function()
    let preprocessing = try reader.preprocessing(for: function.inputs[0])
    let scaling: InputScaling? = try reader.information("scaling")
    let scaled = scaling.map { Self.scaled(function, by: $0) } ?? function
    let outputs = try reader.outputs(of: scaled)
    self.model = model
    self.preprocessing = preprocessing
    pixels = scaled.inputs[0]
    probabilities = outputs.probabilities
    logits = outputs.logits
    layers = outputs.layers
    classNames = try reader.names("classes", count: outputs.classCount) ?? []
    classIdentifiers =
      try reader.names("identifiers", count: outputs.classCount, isNeeded: false) ?? []
  }

  /// Stored bytes in the place of what the trainer's networks take.
  private static func scaled(_ function: Model.Function, by scaling: InputScaling) -> Model.Function
  {
    let image = function.inputs[0]
    let pixels = Tensor.input("pixels", image.shape, image.dtype)
    let inputs = pixels * scaling.factor + scaling.offset
    let tensors = function.outputs.map(\.tensor).replacing([image: inputs])
    return Model.Function(
      inputs: [pixels],
      outputs: zip(function.outputs, tensors).map { (name: $0.name, tensor: $1) })
  }

  /// The same with photos brought to its size in another way.
  init(_ other: PictureModel, preprocessing: PicturePreprocessing) {
    model = other.model
    pixels = other.pixels
    probabilities = other.probabilities
    logits = other.logits
    layers = other.layers
    classNames = other.classNames
    classIdentifiers = other.classIdentifiers
    self.preprocessing = preprocessing
  }

  private init(_ other: PictureModel, outputs: [Tensor]) {
    model = other.model
    pixels = other.pixels
    probabilities = outputs[0]
    logits = outputs[1]
    layers = zip(other.layers, outputs.dropFirst(2)).map { (name: $0.name, tensor: $1) }
    classNames = other.classNames
    classIdentifiers = other.classIdentifiers
    preprocessing = other.preprocessing
  }

  /// The same with all outputs as they are used for `purpose`; what they share stays shared. A model
  /// as it is read is one for training.
  public func specialized(for purpose: Purpose) -> PictureModel {
    let outputs = [probabilities, logits] + layers.map(\.tensor)
    return PictureModel(self, outputs: outputs.specialized(for: purpose))
  }
}

/// Reads what a picture model must have, and says what is wrong with one that has not.
struct PictureModelReader {
  let model: Model
  let path: String?

  func function() throws -> Model.Function {
    let name = PictureModel.functionName
    guard let function = model.functions[name] else {
      let known = model.functions.sorted { $0.key < $1.key }.map { name, function in
        func list(_ tensors: [(name: String, tensor: Tensor)]) -> String {
          tensors.isEmpty
            ? "nothing" : tensors.map { "\($0.name) \($0.tensor.type)" }.joined(separator: ", ")
        }
        let inputs = function.inputs.map { (name: $0.name, tensor: $0) }
        return "\"\(name)\" (from \(list(inputs)) to \(list(function.outputs)))"
      }
      throw failure(
        "the model has no function \"\(name)\""
          + (known.isEmpty ? "" : ", it has \(known.joined(separator: ", "))"),
        hint: PictureModel.needed)
    }
    guard function.inputs.count == 1, let input = function.inputs.first else {
      throw failure("\"\(name)\" takes \(function.inputs.count) inputs, a picture is one")
    }
    let channels = input.rank == 4 ? input.shape[1].known : nil
    guard let channels, channels == 1 || channels == 3, input.dtype == .float32 else {
      throw failure(
        "\"\(name)\" takes \(input.type), needed is float32[batch, channels, height, width]"
          + " with 1 or 3 channels")
    }
    return function
  }

  func outputs(
    of function: Model.Function
  ) throws -> (
    probabilities: Tensor, logits: Tensor, layers: [(name: String, tensor: Tensor)], classCount: Int
  ) {
    func matrix(_ name: String) throws -> (tensor: Tensor, classes: Int) {
      guard let tensor = function.outputs.first(where: { $0.name == name })?.tensor else {
        throw failure("\"\(PictureModel.functionName)\" has no output \"\(name)\"")
      }
      guard tensor.rank == 2, tensor.dtype == .float32, let classes = tensor.shape[1].known,
        classes > 0
      else {
        throw failure("\"\(name)\" is \(tensor.type), needed is float32[batch, classes]")
      }
      return (tensor, classes)
    }
    let (probabilities, logits) = (try matrix("probabilities"), try matrix("logits"))
    guard probabilities.classes == logits.classes else {
      throw failure("\(probabilities.classes) probabilities of \(logits.classes) logits")
    }
    let others = function.outputs.filter {
      !["probabilities", "logits", "class"].contains($0.name)
    }
    return (probabilities.tensor, logits.tensor, others, logits.classes)
  }

  /// What the model says, else the size of its input.
  func preprocessing(for input: Tensor) throws -> PicturePreprocessing {
    if let stored: PicturePreprocessing = try information("preprocessing") {
      try check(stored)
      return stored
    }
    guard let height = input.shape[2].known, let width = input.shape[3].known else {
      return PicturePreprocessing()
    }
    return PicturePreprocessing(resizing: .exact(width: width, height: height))
  }

  /// Sizes from a file of strangers are those of pictures.
  private func check(_ preprocessing: PicturePreprocessing) throws {
    var sizes = [preprocessing.cropWidth, preprocessing.cropHeight].compactMap { $0 }
    switch preprocessing.resizing {
    case .none: break
    case .shortSide(let side): sizes.append(side)
    case .exact(let width, let height), .within(let width, let height): sizes += [width, height]
    }
    if let wrong = sizes.first(where: { !(1...10_000).contains($0) }) {
      throw failure("its preprocessing asks for pictures of \(wrong) pixels")
    }
  }

  func names(_ key: String, count: Int, isNeeded: Bool = true) throws -> [String]? {
    let names: [String] = try information(key) ?? []
    // The trainer saves no names where the data set has none.
    if names.isEmpty { return isNeeded ? (0..<count).map(String.init) : nil }
    guard names.count == count else {
      throw failure("the model has \(count) classes and \(names.count) \(key)")
    }
    return names
  }

  func information<Value: Decodable>(_ key: String) throws -> Value? {
    guard let text = model.information[key] else { return nil }
    guard let value: Value = try? JSONText.decoded(from: text) else {
      throw failure("its \"\(key)\" cannot be read")
    }
    return value
  }

  private func failure(_ message: String, hint: String? = nil) -> ModelError {
    ModelError(path, message, hint: hint)
  }
}
