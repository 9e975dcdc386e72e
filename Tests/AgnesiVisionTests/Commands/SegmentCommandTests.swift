import Agnesi
import Foundation
import TestSupport
import Testing

/// `agnesi segment`, from a model that tells classes of pixels to masks.
@Suite struct SegmentCommandTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Class 1 where red is more than green, class 2 where blue is most. Like U-Net it takes only sizes
  /// that its pooling divides.
  private func model() throws -> Model {
    let pixels = Tensor.input("pixels", [.batch, 3, 8, 8])
    let weight = Tensor.parameter("weight", [3, 3, 1, 1])
    // Green, red and blue are the scores of the classes 0, 1 and 2.
    try #require(weight.parameter).assign(
      NDArray([0, 1, 0, 1, 0, 0, 0, 0, 1] as [Float], shape: [3, 3, 1, 1]))
    let scores = convolution2D(pixels, weight)
    let coarse = Scope.seeded(1) {
      TransposedConvolution2D(filters: 3, kernel: 2, stride: 2, name: "grow")(maxPool2D(pixels))
    }
    let logits = scores + coarse * 0
    return Model(
      functions: [
        "segment": .init(
          inputs: [pixels],
          outputs: [("probabilities", softmax(logits, axis: 1)), ("logits", logits)])
      ],
      information: [
        "classes": #"["grass","brick","sky"]"#,
        "preprocessing": #"{"resizing":{"exact":{"width":8,"height":8}},"filter":"nearest"}"#,
      ])
  }

  /// 11 × 7: red on the left, blue on the right, a green row below.
  private var photo: Picture {
    let samples = (0..<7).flatMap { y in
      (0..<11).flatMap { x -> [UInt8] in
        y == 6 ? [10, 200, 10] : x < 5 ? [200, 10, 10] : [10, 10, 200]
      }
    }
    return Picture(width: 11, height: 7, channels: 3, samples: samples)
  }

  private var expected: [Int] {
    (0..<7).flatMap { y in (0..<11).map { x in y == 6 ? 0 : x < 5 ? 1 : 2 } }
  }

  @Test func colours() {
    #expect(Segmentation.colour(of: 0) == [0, 0, 0])
    #expect(Segmentation.colour(of: 1) == [128, 0, 0])
    #expect(Segmentation.colour(of: 15) == [192, 128, 128])
    #expect(Segmentation.colour(of: 255) == [224, 224, 192])
    #expect(Set((0..<256).map(Segmentation.colour)).count == 256)
  }

  @Test func masksInThePhotosOwnSize() throws {
    let path = folder.path("model.safetensors")
    try model().write(to: path)
    for name in ["a", "b"] { _ = try folder.makeFolder(name) }
    try folder.write(photo.png, to: "a/photo.png")
    try folder.write(photo.png, to: "b/photo.png")
    let command = try #require(BuildProducts.path("agnesi"), "the command was not built")
    let outcome = try BuildProducts.run(
      command,
      [
        "segment", path, folder.path("a/photo.png"), folder.path("b/photo.png"), "--own-size",
        "--output", folder.path("masks"),
      ], environment: ["AGNESI_THREADS": "1"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(
      outcome.output == """
        \(folder.path("masks"))/photo.png: sky 46.8 % #008000, brick 39.0 % #800000, grass 14.3 % #000000
        \(folder.path("masks"))/photo-2.png: sky 46.8 % #008000, brick 39.0 % #800000, grass 14.3 % #000000

        """)
    let mask = try Picture(reading: folder.path("masks/photo.png"))
    #expect(mask.width == 11 && mask.height == 7)
    #expect(mask.samples == expected.flatMap(Segmentation.colour))
  }

  /// A mask never takes the place of the photo, or of what is no picture.
  @Test func masksReplaceNothing() throws {
    let path = folder.path("model.safetensors")
    try model().write(to: path)
    _ = try folder.makeFolder("a")
    try folder.write(photo.png, to: "a/photo.png")
    let command = try #require(BuildProducts.path("agnesi"), "the command was not built")
    func errors(_ output: String) throws -> String {
      let outcome = try BuildProducts.run(
        command, ["segment", path, folder.path("a/photo.png"), "--output", folder.path(output)],
        environment: ["AGNESI_THREADS": "1"])
      #expect(outcome.status == 1)
      return outcome.errors
    }
    #expect(
      try errors("a") == """
        segment: --output \(folder.path("a"))/photo.png is what the command reads
          hint: name another folder

        """)
    _ = try folder.makeFolder("b")
    try folder.write(Array("notes".utf8), to: "b/photo.png")
    #expect(
      try errors("b") == """
        segment: --output \(folder.path("b"))/photo.png is there already, and is no picture
          hint: name another folder

        """)
    #expect(try folder.read("a/photo.png") == photo.png)
  }

  /// What the model says of its classes is read as of other models of pictures.
  @Test func namesThatAreTooFew() throws {
    var other = try model()
    other.information["classes"] = #"["grass","sky"]"#
    #expect(
      errorText { _ = try PhotoSegmenter(other, path: "m", on: .cpu) }
        == "model m: the model has 3 classes and 2 classes")
  }

  /// Brought to the network's 8 × 8 and back.
  @Test func masksInTheNetworksSize() throws {
    let segmenter = try PhotoSegmenter(
      model(),
      preprocessing: PicturePreprocessing(
        resizing: .exact(width: 8, height: 8), filter: .nearest), on: .cpu)
    let result = try segmenter(photo)
    #expect(result.labels.shape == [7, 11])
    #expect(result.counts.reduce(0, +) == 77)
    let same = zip(result.labels.scalars(as: Int32.self), expected).count { Int($0) == $1 }
    #expect(same >= 65)
  }

  /// What the network was taught on the middle of photos must not be drawn over the whole of them.
  @Test(arguments: [
    PicturePreprocessing(
      resizing: .shortSide(8), filter: .nearest, cropWidth: 8, cropHeight: 8),
    PicturePreprocessing(resizing: .none, filter: .nearest, cropWidth: 8, cropHeight: 8),
    .padded(width: 8, height: 8, filter: .nearest, background: [10, 200, 10]),
  ])
  func masksLieWhereTheThingsAre(_ preprocessing: PicturePreprocessing) throws {
    let labels = (0..<8).flatMap { y in (0..<16).map { x in x < 2 ? 1 : y < 4 ? 2 : 0 } }
    let colours: [[UInt8]] = [[10, 200, 10], [200, 10, 10], [10, 10, 200]]
    let photo = Picture(
      width: 16, height: 8, channels: 3, samples: labels.flatMap { colours[$0] })
    let result = try PhotoSegmenter(model(), preprocessing: preprocessing, on: .cpu)(photo)
    #expect(result.labels.scalars(as: Int32.self).map(Int.init) == labels)
  }

  @Test func aModelWithoutMasksIsRefused() throws {
    let other = try PhotoWorkplace.network()
    #expect(
      errorText {
        _ = try PhotoSegmenter(other, preprocessing: PicturePreprocessing(), on: .cpu)
      } == """
        segment: the model has no function "segment" of one picture
          hint: it has classify
        """)
  }
}
