import Agnesi
import Foundation
import TestSupport
import Testing

/// Networks in ONNX files that others made: whatever batch, layout and dtype they have, photos go in and
/// classes come out.
@Suite struct ONNXPictureTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A file as another program writes it: nothing in it says what the function was here.
  private func foreign(_ inputs: [Tensor], _ output: Tensor) throws -> String {
    let path = folder.path("foreign.onnx")
    let function = Model.Function(inputs: inputs, outputs: [("scores", output)])
    try Model(functions: ["run": function]).writeONNX(to: path)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    let mark = Data("agnesi.function".utf8)
    let place = try #require(bytes.range(of: mark))
    try bytes.replacingCharacters(in: place, with: Data("others.function".utf8))
      .write(to: URL(fileURLWithPath: path))
    return path
  }

  /// Logits of three classes from pictures `[batch, channels, 8, 8]`.
  private func logits(_ x: Tensor) -> Tensor {
    Scope.seeded(5) {
      Scope.named("net") {
        let maps = relu(Convolution2D(filters: 4, kernel: [3, 3], name: "conv")(x))
        return Dense(units: 3, name: "dense")(maps.mean(axes: [2, 3]))
      }
    }
  }

  private func photos(_ count: Int, channels: Int = 3) -> NDArray {
    Example.Input([count, channels, 8, 8], .uniform(0...255)).array(
      stream: Philox(seed: 3, name: "photos"), floating: .float32
    ).cast(to: .uint8)
  }

  /// The probabilities of a network without batch, by the reference.
  private func expected(
    _ photos: NDArray, _ scaled: (Tensor) -> Tensor
  ) throws -> NDArray {
    let shape: Shape = [.batch] + photos.shape.dropFirst().map { Size($0) }
    let pixels = Tensor.input("pixels", shape)
    let output = softmax(logits(scaled(pixels)), axis: 1)
    return try compile([pixels], to: [output], on: .reference)(photos.cast(to: .float32))[output]
  }

  private func torchvision(_ pixels: Tensor) -> Tensor {
    let mean = Tensor.constant(
      NDArray([0.485, 0.456, 0.406].map { Float($0 * 255) }, shape: [3, 1, 1]))
    let deviation = Tensor.constant(
      NDArray([0.229, 0.224, 0.225].map { Float($0 * 255) }, shape: [3, 1, 1]))
    return (pixels - mean) / deviation
  }

  private func expectClasses(
    _ path: String, _ expected: NDArray, _ photos: NDArray, tolerance: Double = 1e-5,
    _ note: String = ""
  ) throws {
    let model = try PictureModel(try Zoo.open(path), path: path)
    let found = try PictureClassifier(model, on: .cpu)(photos)
    #expect(found.shape == expected.shape, "\(note)")
    let worst = zip(found.doubles, expected.doubles).map { abs($0 - $1) }.max() ?? 1
    #expect(worst < tolerance, "\(note)")
  }

  /// PyTorch writes the batch that the network was shown.
  @Test(arguments: [1, 2, 4, 16]) func fixedBatches(batch: Int) throws {
    let image = Tensor.input("image", [Size(batch), 3, 8, 8])
    let path = try foreign([image], logits(image))
    for count in [1, 3, 4, 7] {
      let photos = photos(count)
      try expectClasses(path, expected(photos, torchvision), photos, "\(count) photos")
    }
  }

  @Test func otherInputs() throws {
    let colours = photos(3)
    let wide = try expected(colours, torchvision)
    let half = Tensor.input("image", [1, 3, 8, 8], .float16)
    try expectClasses(
      foreign([half], logits(half.cast(to: .float32))), wide, colours, tolerance: 1e-2, "float16")
    let last = Tensor.input("image", [1, 8, 8, 3])
    try expectClasses(
      foreign([last], logits(last.transposed([0, 3, 1, 2]))), wide, colours, "channels last")
    // Bytes are pixels, and whatever is done to them the network does.
    let plain = try expected(colours) { $0 / 255 }
    let bytes = Tensor.input("image", [.batch, 3, 8, 8], .uint8)
    try expectClasses(
      foreign([bytes], logits(bytes.cast(to: .float32) / 255)), plain, colours, "uint8")
    let lastBytes = Tensor.input("image", [1, 8, 8, 3], .uint8)
    let moved = lastBytes.cast(to: .float32).transposed([0, 3, 1, 2])
    try expectClasses(
      foreign([lastBytes], logits(moved / 255)), plain, colours, "uint8, channels last")
    let greys = photos(3, channels: 1)
    let grey = Tensor.input("image", [1, 1, 8, 8])
    try expectClasses(
      foreign([grey], logits(grey)), expected(greys) { $0 / 255 }, greys, "one channel")
    let lastGrey = Tensor.input("image", [.batch, 8, 8, 1])
    try expectClasses(
      foreign([lastGrey], logits(lastGrey.transposed([0, 3, 1, 2]))),
      expected(greys) { $0 / 255 }, greys, "one channel, last")
  }

  @Test(arguments: [[1, 3, 1, 1], [1, 3, 1], [1, 1, 3], [1, 1, 1, 3]])
  func scoresOfOtherRanks(shape: [Int]) throws {
    let photos = photos(3)
    let image = Tensor.input("image", [1, 3, 8, 8])
    let sizes = Shape(shape.map { Size($0) })
    let scores = logits(image).reshaped(sizes)
    try expectClasses(foreign([image], scores), expected(photos, torchvision), photos)
    let probabilities = softmax(logits(image), axis: 1).reshaped(sizes)
    let model = try PictureModel(Zoo.open(foreign([image], probabilities)))
    #expect(model.classCount == 3)
    let half = logits(image).cast(to: .float16)
    try expectClasses(
      foreign([image], half), expected(photos, torchvision), photos, tolerance: 1e-2)
  }

  @Test func whatIsNotUnderstoodIsNamed() throws {
    let image = Tensor.input("image", [1, 4, 8, 8])
    let path = try foreign([image], logits(image))
    #expect(
      errorText { _ = try PictureModel(Zoo.open(path), path: "FILE") } == """
        model FILE: the model has no function "classify", it has "run" (from image float32[1, 4, 8, 8] to \
        scores float32[1, 3])
          hint: a network of pictures takes one input of floats or uint8, [batch, 1 or 3, height, width] or \
        with the channels last, and has an output of floats [batch, classes]
        """)
  }

  // MARK: What else looks at photos

  private func colours(batch: Size) throws -> PictureModel {
    try PictureModel(TinyNetwork(seed: 2).plainModel(batch: batch))
  }

  @Test(arguments: [1, 4]) func explanationsAreThoseOfAnyBatch(batch: Int) throws {
    let photo = TinyNetwork.photo(seed: 3)
    let free = Explainer(try colours(batch: .batch), on: .cpu)
    let fixed = Explainer(try colours(batch: Size(batch)), on: .cpu)
    #expect(fixed.model.fixedBatch == batch)
    // Noise is drawn for the batch, so smoothGrad is another sample there.
    let methods = ExplanationMethod.all.filter { $0.name != "smoothgrad" }
    #expect(methods.count == ExplanationMethod.all.count - 1)
    for method in methods {
      let one = try free.explain(photo, by: method, classIndex: 1)
      let other = try fixed.explain(photo, by: method, classIndex: 1)
      #expect(difference(other.heat.doubles, one.heat.doubles) < 1e-4, "\(method.name)")
    }
    let noisy = try fixed.explain(photo, by: .smoothGrad(samples: 6, seed: 1))
    #expect(noisy.heat.shape == [12, 12])
    let pictures = [(name: "a", picture: photo), (name: "b", picture: TinyNetwork.photo(seed: 4))]
    let one = try free.strongestPatches(of: 1, layer: "maps", in: pictures)
    let other = try fixed.strongestPatches(of: 1, layer: "maps", in: pictures)
    #expect(one.map(\.name) == other.map(\.name))
    #expect(zip(one, other).allSatisfy { abs($0.activation - $1.activation) < 1e-5 })
  }

  @Test(arguments: [1, 4]) func findingIsThatOfAnyBatch(batch: Int) throws {
    let photo = PhotoWorkplace.picture(
      [200, 30, 30], side: 30, square: [20, 30, 220], x: 9, y: 14)
    let free = try ObjectFinder(colours(batch: .batch), width: 30, height: 30, on: .cpu)
    let fixed = try ObjectFinder(colours(batch: Size(batch)), width: 30, height: 30, on: .cpu)
    let one = try free(photo, class: 2).values
    let other = try fixed(photo, class: 2).values
    #expect(one.shape == other.shape)
    #expect(difference(other.doubles, one.doubles) < 1e-4)
  }
}

extension Data {
  fileprivate func replacingCharacters(in range: Range<Data.Index>, with other: Data) -> Data {
    var result = self
    result.replaceSubrange(range, with: other)
    return result
  }
}
