import Agnesi
import Foundation
import Testing

@Suite struct PictureModelTests {
  /// ImageNet comes in folders that are called by WordNet's numbers.
  @Test func theZoosClassesAreKnownByWordNetsNumbers() throws {
    let model = try PictureModel(try Zoo.known("squeezenet1.1").model())
    #expect(model.classIdentifiers.count == 1000)
    #expect(try model.classIndex("n01806143") == 84)
    #expect(throws: ClassNameError.self) { try model.classIndex("n99999999") }
  }

  @Test func readsTheConvention() throws {
    let model = try PictureModel(TinyPictures.model())
    #expect(model.channels == 3)
    #expect(model.classNames == ["red", "green", "blue, navy"])
    #expect(model.layers.map(\.name) == ["conv", "features"])
    #expect(model.layer("conv")?.rank == 4)
    #expect(model.layer("fc") == nil)
    #expect(model.preprocessing.cropWidth == 8)
  }

  @Test func classesAreFoundByNameIdentifierAndNumber() throws {
    let model = try PictureModel(TinyPictures.model())
    #expect(try model.classIndex("green") == 1)
    #expect(try model.classIndex("GREEN") == 1)
    #expect(try model.classIndex("navy") == 2)
    #expect(try model.classIndex("n3") == 2)
    #expect(try model.classIndex("0") == 0)
    let unknown = #expect(throws: ClassNameError.self) { try model.classIndex("nav") }
    #expect(
      unknown?.description
        == """
        no class is called "nav"; the model has 3 classes
          hint: did you mean 2 (blue, navy)?
        """)
    #expect(throws: ClassNameError.self) { try model.classIndex("3") }
    #expect(throws: ClassNameError.self) { try model.classIndex("-1") }
  }

  @Test func oneNameOfTwoClassesIsNoAnswer() throws {
    var plain = TinyPictures.model()
    plain.information["classes"] = #"["crane","Crane","blue"]"#
    let model = try PictureModel(plain)
    #expect(try model.classIndex("crane") == 0)
    let several = #expect(throws: ClassNameError.self) { try model.classIndex("CRANE") }
    #expect(
      several?.description
        == """
        "CRANE" names 2 classes: 0 (crane), 1 (Crane)
          hint: use the number of one of them
        """)
  }

  @Test(arguments: [
    ("classes", #"["a","b"]"#, "model m: the model has 3 classes and 2 classes"),
    ("classes", "[", "model m: its \"classes\" cannot be read"),
    (
      "preprocessing", #"{"resizing":{"shortSide":{"_0":99999}},"filter":"bilinear"}"#,
      "model m: its preprocessing asks for pictures of 99999 pixels"
    ),
  ])
  func saysWhichInformationIsWrong(_ key: String, _ text: String, _ expected: String) throws {
    var model = TinyPictures.model()
    model.information[key] = text
    let error = #expect(throws: ModelError.self) { try PictureModel(model, path: "m") }
    #expect(error?.description == expected)
  }

  @Test func saysWhatIsNoPictureModel() throws {
    let row = Tensor.input("row", [.batch, 4])
    let generator = Model(functions: ["generate": .init(inputs: [row], outputs: [("x", row)])])
    let other = #expect(throws: ModelError.self) { try PictureModel(generator) }
    #expect(
      other?.description
        == """
        model: the model has no function "classify", it has "generate" (from row float32[batch, 4] to x \
        float32[batch, 4])
          hint: a network of pictures takes one input of floats or uint8, [batch, 1 or 3, height, width] or \
        with the channels last, and has an output of floats [batch, classes]
        """)
    let rows = Model(
      functions: ["classify": .init(inputs: [row], outputs: [("probabilities", row)])])
    let flat = #expect(throws: ModelError.self) { try PictureModel(rows) }
    #expect(
      flat?.description
        == "model: \"classify\" takes float32[batch, 4], needed is"
        + " float32[batch, channels, height, width] with 1 or 3 channels")
  }

  @Test func inferenceHasNoDropout() throws {
    let model = try PictureModel(TinyPictures.model()).specialized(for: .inference)
    let pixels = NDArray(zeros: [2, 3, 8, 8])
    let rows = try evaluate(model.probabilities, [model.pixels: pixels])
    #expect(rows[rows: 0..<1] == rows[rows: 1..<2])
    #expect(abs(rows[rows: 0..<1].doubles.reduce(0, +) - 1) < 1e-6)
  }

  /// What the trainer saves takes scaled samples; pictures are bytes.
  @Test func trainersClassifiersTakeBytes() throws {
    let image = Tensor.input("image", [.batch, 1, 2, 2])
    let sums = image.flattened(from: 1)
    var model = Model(
      functions: [
        "classify": .init(
          inputs: [image],
          outputs: [
            ("probabilities", softmax(sums, axis: 1)), ("class", sums.argMax(axis: 1)),
            ("logits", sums),
          ])
      ])
    model.information["scaling"] = #"{"factor":0.5,"offset":-1}"#
    let pictures = try PictureModel(model)
    #expect(pictures.color == .grey)
    #expect(pictures.classNames == ["0", "1", "2", "3"])
    #expect(pictures.layers.isEmpty)
    #expect(pictures.preprocessing.resizing == .exact(width: 2, height: 2))
    let bytes = NDArray([0, 2, 4, 6] as [Float], shape: [1, 1, 2, 2])
    #expect(try evaluate(pictures.logits, [pictures.pixels: bytes]).doubles == [-1, 0, 1, 2])
  }
}

/// A network small enough to be made for each test: colours of 8×8 pixels.
enum TinyPictures {
  static func model(seed: UInt64 = 1) -> Model {
    Scope.seeded(seed) {
      let pixels = Tensor.input("pixels", [.batch, 3, 8, 8])
      let kernels = Tensor.parameter("conv.weight", [4, 3, 3, 3], .glorotUniform)
      let conv = relu(convolution2D(pixels * (1 / 255.0) - 0.5, kernels))
      let features = dropout(maxPool2D(conv).flattened(from: 1), name: "drop")
      let weight = Tensor.parameter("fc.weight", [36, 3], .glorotUniform)
      let logits = matmul(features, weight) + Tensor.parameter("fc.bias", [3])
      return Model(
        functions: [
          "classify": .init(
            inputs: [pixels],
            outputs: [
              ("probabilities", softmax(logits, axis: 1)), ("logits", logits), ("conv", conv),
              ("features", features),
            ])
        ],
        information: [
          "classes": #"["red","green","blue, navy"]"#, "identifiers": #"["n1","n2","n3"]"#,
          "preprocessing":
            #"{"resizing":{"shortSide":{"_0":10}},"filter":"bilinear","cropWidth":8,"cropHeight":8}"#,
        ])
    }
  }
}
