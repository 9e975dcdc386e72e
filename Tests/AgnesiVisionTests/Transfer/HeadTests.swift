import Agnesi
import AgnesiTraining
import TestSupport
import Testing

/// Each kind of head, trained with its body on drawn pictures.
@Suite struct HeadTests {
  private let training = DrawnPictures.drawings(160, from: 0)
  private let held = DrawnPictures.drawings(60, from: 5000)

  private func network(_ head: Head, cutAt layer: String) throws -> TransferNetwork {
    let model = try PictureModel(DrawnPictures.model())
    return try TransferNetwork(PictureBody(model, cutAt: layer), head: head, seed: 2)
  }

  /// Trains everything, the head and the body at one rate.
  private func trained(
    _ network: TransferNetwork, epochs: Int, rate: Double = 0.01,
    target: ([DrawnPictures.Drawing]) -> NDArray
  ) throws -> (before: Score, after: Score) {
    func data(_ drawings: [DrawnPictures.Drawing]) throws -> DataSet {
      try DataSet(
        name: "drawings", inputs: DrawnPictures.planes(drawings), targets: target(drawings),
        scaling: .identity)
    }
    let split = DataSplit(train: try data(training), validation: try data(held))
    let settings = TrainingSettings(
      epochs: epochs, batchSize: 20, seed: 1, optimizer: .adam(), rate: rate,
      schedule: .oneCycle())
    let trainer = try Trainer(
      try network.graph(), on: split, settings: settings, output: nil, backend: .cpu
    ) { _ in try network.model() }
    let before = try trainer.score(try data(held))
    let outcome = try trainer.run()
    #expect(outcome.history.count == epochs)
    try trainer.useBest()
    return (before, try trainer.score(try data(held)))
  }

  @Test func classes() throws {
    let network = try network(.classes(2), cutAt: "features")
    let (_, after) = try trained(network, epochs: 12) { drawings in
      NDArray(drawings.map { $0.box.height > $0.box.width ? Int32(1) : 0 })
    }
    #expect(try #require(after.accuracy) >= 0.9)
    let model = try PictureModel(try network.model(classNames: ["wide", "tall"]))
    #expect(model.classNames == ["wide", "tall"])
    #expect(model.layer("features")?.shape[1].known == 16)
  }

  /// How many pixels the rectangle covers, as a number of deviation about 1.
  @Test func values() throws {
    let network = try network(.values(1), cutAt: "features")
    let (before, after) = try trained(network, epochs: 12) { drawings in
      let areas = drawings.map { (Float($0.box.width * $0.box.height) - 62) / 14 }
      return NDArray(areas, shape: [areas.count, 1])
    }
    #expect(after.accuracy == nil)
    #expect(before.loss > 0.5)
    #expect(after.loss < 0.3 * before.loss)
    #expect(try network.model().functions["predict"]?.outputs.first?.name == "values")
  }

  @Test func boxes() throws {
    let network = try network(.boxes(hidden: 32), cutAt: "layer8")
    let (before, after) = try trained(network, epochs: 40, rate: 0.005) { drawings in
      let side = Float(DrawnPictures.side)
      let values = drawings.flatMap { drawing -> [Float] in
        let box = drawing.box
        return [box.x, box.y, box.width, box.height].map { Float($0) / side }
      }
      return NDArray(values, shape: [drawings.count, 4])
    }
    // The mean overlap with the true boxes.
    let (first, last) = (try #require(before.accuracy), try #require(after.accuracy))
    #expect(first < 0.35)
    #expect(last > 0.65)
    #expect(try network.model().functions["locate"]?.outputs.first?.name == "box")
  }

  @Test func masks() throws {
    let network = try network(.masks(2, ignored: 9), cutAt: "layer4")
    let target = { (drawings: [DrawnPictures.Drawing]) -> NDArray in
      NDArray(
        drawings.flatMap { drawing in Self.mask(drawing) },
        shape: [drawings.count, DrawnPictures.side, DrawnPictures.side])
    }
    let (_, after) = try trained(network, epochs: 8, target: target)
    #expect(try #require(after.accuracy) > 0.95)
    let segmenter = try Segmenter(network.model(), on: .cpu)
    let result = try segmenter.evaluate(
      DrawnPictures.planes(held), masks: target(held), ignored: 9)
    #expect(abs(result.pixelAccuracy - (after.accuracy ?? 0)) < 0.02)
    #expect(result.meanOverlap > 0.8)
    #expect(result.overlaps.count == 2)
  }

  /// 1 inside of the rectangle, 0 outside, 9 in the first row.
  private static func mask(_ drawing: DrawnPictures.Drawing) -> [Int32] {
    let (side, box) = (DrawnPictures.side, drawing.box)
    return (0..<(side * side)).map { position in
      let (x, y) = (position % side, position / side)
      if y == 0 { return 9 }
      let isInside = (box.x..<(box.x + box.width)).contains(x)
      return isInside && (box.y..<(box.y + box.height)).contains(y) ? 1 : 0
    }
  }

  @Test func whatDoesNotFit() throws {
    #expect(
      errorText { _ = try network(.masks(3), cutAt: "features") }
        == "transfer: masks need feature maps [batch, channels, height, width], "
        + "got float32[batch, 16]")
    #expect(
      errorText { _ = try network(.classes(2), cutAt: "conv9") }.hasPrefix(
        """
        transfer: the model cannot be cut at "conv9", it names no such layer
          hint: it names layer1, layer2,
        """))
  }
}

@Suite struct InterpolationTests {
  private func enlarged(_ values: [Float], _ shape: [Int], to height: Int, _ width: Int) throws
    -> NDArray
  {
    let maps = Tensor.input("maps", [.batch] + shape.dropFirst().map { Size($0) })
    let result = interpolated(maps, height: height, width: width)
    return try compile([maps], to: [result], on: .cpu)(NDArray(values, shape: shape))[0]
  }

  /// Centres lie at ¼, ¾, 1¼ … of the old elements; the ends repeat.
  @Test func twiceAsLarge() throws {
    let result = try enlarged([0, 4, 8, 12], [1, 1, 2, 2], to: 4, 4)
    let row: [Double] = [0, 1, 3, 4]
    #expect(result.shape == [1, 1, 4, 4])
    #expect(result.doubles == [0, 2, 6, 8].flatMap { start in row.map { $0 + start } })
  }

  @Test func otherSizesAndOrders() throws {
    let values = (0..<24).map { Float($0 * $0 % 17) }
    #expect(try enlarged(values, [2, 2, 2, 3], to: 2, 3).doubles == values.map(Double.init))
    let wide = try enlarged(values, [2, 2, 2, 3], to: 2, 7)
    #expect(wide.shape == [2, 2, 2, 7])
    // What is constant stays so, and each map stays by itself.
    let flat = try enlarged([1, 1, 1, 1, 5, 5, 5, 5], [1, 2, 2, 2], to: 3, 5).doubles
    #expect(flat.prefix(15).allSatisfy { abs($0 - 1) < 1e-6 })
    #expect(flat.suffix(15).allSatisfy { abs($0 - 5) < 1e-6 })
  }
}
