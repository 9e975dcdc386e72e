import Agnesi
import ArgumentParser
import Foundation

/// `agnesi explain`.
struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Show what in a photo a network looked at.",
    discussion: HelpText.discussion(
      """
      Writes a picture for each method and one page with all of them, and prints the files' paths;
      photo.png is the photo as the network sees it.
      With --map, shows what a feature map of a layer sees: in a photo, or in the nine photos of a
      folder where it is strongest.

      METHODS
      \(ExplanationMethod.all.map { "  \($0.name): \($0.title)" }.joined(separator: "\n"))
      """,
      examples: [
        "agnesi explain efficientnet-lite0 photo.jpg",
        "agnesi explain efficientnet-lite0 photo.jpg --class peacock --methods occlusion,gradcam",
        "agnesi explain model.safetensors photo.jpg --layer block5 --output seen",
        "agnesi explain efficientnet-lite0 photos --layer block5 --map 17",
      ]))

  @OptionGroup var network: PictureNetworkOptions

  @Argument(help: "A photo; with --map also a folder of photos.")
  var photo: String

  @Option(
    name: .customLong("class"),
    help: ArgumentHelp(
      "The class to explain, by name or number; by default the likeliest.", valueName: "class"))
  var wantedClass: String?

  @Option(help: ArgumentHelp("Methods with commas between; by default all.", valueName: "names"))
  var methods: String?

  @Option(
    help: ArgumentHelp(
      "The layer for Grad-CAM, --map and the picture of activations; by default the last one that "
        + "has feature maps.", valueName: "name"))
  var layer: String?

  @Option(help: ArgumentHelp("A feature map of --layer, counted from 0.", valueName: "number"))
  var map: Int?

  @Option(
    help: ArgumentHelp("Pixels of the box's side for occlusion.", valueName: "pixels"))
  var box: Int?

  @Option(
    help: ArgumentHelp("Steps of integrated gradients.", valueName: "count"))
  var steps: Int?

  @Flag(
    help: ArgumentHelp("Also show how strongly Gabor filters answer to the photo."))
  var gabor = false

  @Option(help: ArgumentHelp("Determines the noise of SmoothGrad.", valueName: "number"))
  var seed: UInt64 = 0

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("The folder for pictures and page.", valueName: "folder"))
  var output = "explanation"

  @Flag(
    help: ArgumentHelp(
      "Explain whole photos, in their proportions and with the mean colour of the network's training photos "
        + "beside them, instead of cutting or stretching them."))
  var pad = false

  @OptionGroup var threads: ThreadOptions
  @OptionGroup var backend: BackendOptions

  func validate() throws {
    if map != nil, layer == nil {
      throw ValidationError("--map needs --layer, the layer whose map is meant")
    }
    _ = try chosenMethods()
  }

  func run() throws {
    try reportingErrors {
      threads.apply()
      try Interruption.whileHandling(
        message: "stopping; press Ctrl-C once more to end at once",
        endingWith: "stopped; nothing was written"
      ) { try explain(stoppingAt: $0) }
    }
  }

  private func explain(stoppingAt interruption: Interruption) throws {
    let backend = backend.backend()
    let opened = try network.open()
    let model = pad ? try opened.showingWholePhotos(on: backend) : opened
    let job = ExplanationJob(
      command: self, explainer: Explainer(model, on: backend), interruption: interruption)
    if PhotoFiles.isFolder(photo) {
      guard let map, let layer else {
        throw CommandFailure(
          message:
            "explain: \(photo) is a folder\n  hint: name a photo in it, or a feature map with "
            + "--layer and --map")
      }
      try job.explainMap(map, layer, in: try photos(in: photo))
    } else {
      try job.explainPhoto()
    }
  }

  /// The methods asked for, with the options that they take.
  func chosenMethods() throws -> [ExplanationMethod] {
    let names = methods?.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    let chosen = try names.map { try $0.map(Self.method) } ?? ExplanationMethod.all
    return chosen.map { method in
      switch method {
      case .occlusion: .occlusion(box: box)
      case .integratedGradients(let baseline, let usual):
        .integratedGradients(baseline: baseline, steps: steps ?? usual)
      case .smoothGrad: .smoothGrad(seed: seed)
      case .gradCAM: .gradCAM(layer: layer)
      case .guidedGradCAM: .guidedGradCAM(layer: layer)
      default: method
      }
    }
  }

  private static func method(_ name: String) throws -> ExplanationMethod {
    guard let method = ExplanationMethod(name: name) else {
      let known = ExplanationMethod.all.map(\.name)
      let hint = NearestNames.question(
        name, in: known, otherwise: "there are \(known.joined(separator: ", "))")
      throw ValidationError("--methods \(name), \(hint)")
    }
    return method
  }

  /// The photos of a folder and of the folders in it, sorted.
  private func photos(in folder: String) throws -> [String] {
    let photos = PhotoFiles.expanding([folder])
    guard !photos.isEmpty else {
      throw CommandFailure(message: "explain: there are no photos in \(folder)")
    }
    return photos
  }
}
