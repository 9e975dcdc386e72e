import Agnesi
import ArgumentParser

/// The network that sees pictures; shared by the commands that look at photos.
struct PictureNetworkOptions: ParsableArguments {
  @Argument(
    help: "A network of the zoo (see `agnesi models`), or a model file (.safetensors, .onnx).")
  var model: String

  @Option(
    help: ArgumentHelp(
      "The weights of a network of the zoo, in any usual format.", valueName: "file"))
  var weights: String?

  /// Opens it, while a helper that decodes files gets ready.
  func open() throws -> PictureModel { try PictureModel(try openModel(), path: model) }

  /// Opens it, whatever it tells of pictures.
  func openModel() throws -> Model {
    FileWorkers.shared.prepare()
    return try Zoo.open(model, weights: weights)
  }

  /// The files that opening it reads, if they are there.
  var files: [String] { [model] + (weights.map { [$0] } ?? []) }
}

/// How pictures come to a network.
struct PictureBatchOptions: ParsableArguments {
  @Option(parsing: .unconditional, help: "Pictures that the network sees at a time.")
  var batch = 16

  @Flag(
    help: ArgumentHelp(
      "Show whole photos, in their proportions and with the mean colour of the network's training photos "
        + "beside them, instead of cutting or stretching them."))
  var pad = false

  func validate() throws {
    guard (1...1024).contains(batch) else {
      throw ValidationError("--batch is \(batch), it must be in 1...1024")
    }
  }

  /// The model that photos are brought to as these options say.
  func prepared(_ model: PictureModel, on backend: any Backend) throws -> PictureModel {
    pad ? try model.showingWholePhotos(on: backend) : model
  }

  /// Starts to read files as `model` takes them.
  func stream(_ files: [String], for model: PictureModel) -> PictureStream {
    PictureStream(
      files, preprocessing: model.preprocessing, color: model.color, batchSize: batch)
  }
}
