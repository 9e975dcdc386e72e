import Agnesi
import Testing

@Suite struct ObjectFinderTests {
  private static let model = Scope.seeded(2) { () -> Model in
    let pixels = Tensor.input("pixels", [.batch, 3, 8, 8])
    let kernels = Tensor.parameter("conv", [4, 3, 3, 3], .glorotUniform)
    let map = maxPool2D(relu(convolution2D(pixels * (1 / 64.0) - 2, kernels)))
    let logits = matmul(map.flattened(from: 1), .parameter("fc", [36, 3], .glorotUniform)) * 4
    return Model(
      functions: [
        "classify": .init(
          inputs: [pixels],
          outputs: [("probabilities", softmax(logits, axis: 1)), ("logits", logits)])
      ])
  }

  private static let picture = Picture(
    width: 23, height: 18, channels: 3,
    samples: (0..<(23 * 18 * 3)).map {
      UInt8(truncatingIfNeeded: Philox(seed: 1, name: "p").word(UInt64($0)))
    })

  @Test func equalsWindowsOneByOne() throws {
    let model = try PictureModel(Self.model)
    let finder = try ObjectFinder(model, width: 23, height: 18, on: .cpu)
    #expect(finder.windows == WindowGrid(height: 8, width: 8, down: 2, right: 2))
    let map = try finder(Self.picture, class: 1)
    let classifier = try PictureClassifier(model, on: .cpu)
    let slid = try classifier.slide(
      over: Self.picture, class: 1, windows: finder.windows, batchSize: 7)
    #expect(map.values.shape == [6, 8] && slid.values.shape == [6, 8])
    #expect(zip(map.values.doubles, slid.values.doubles).allSatisfy { abs($0 - $1) < 1e-5 })
    let best = try #require(map.best)
    #expect(best.probability == map.values.doubles.max())
    #expect(map.values[best.row, best.column] == best.probability)
  }

  @Test func aPictureThatIsTooSmallIsAnError() throws {
    let model = try PictureModel(Self.model)
    let error = #expect(throws: FindError.self) {
      try ObjectFinder(model, width: 20, height: 7, on: .cpu)
    }
    #expect(
      error?.description
        == """
        find: the picture is 20 × 7, the network sees 8 × 8 at least
          hint: a larger --scale or --short-side
        """)
  }

  @Test func placesAreThoseOfTheWholePhoto() {
    let grid = WindowGrid(height: 224, width: 200, down: 32, right: 16)
    let place = grid.place(row: 2, column: 3)
    #expect(place == PictureRegion(rows: 64..<288, columns: 48..<248))
    let whole = place.scaled(from: (width: 816, height: 612), to: (width: 3264, height: 2448))
    #expect(whole == PictureRegion(rows: 256..<1152, columns: 192..<992))
    #expect(grid.count(width: 199, height: 500).columns == 0)
    #expect(grid.count(width: 200, height: 500) == (9, 1))
  }

  /// Between the windows' middles it goes smoothly, and beyond the outermost ones there is nothing.
  @Test func heatLiesWhereWindowsDo() {
    let map = ProbabilityMap(
      values: NDArray([1] as [Float], shape: [1, 1]),
      windows: WindowGrid(height: 8, width: 8, down: 2, right: 2), pictureWidth: 9,
      pictureHeight: 8)
    let heat = map.heat(step: 1)
    #expect(heat.shape == [8, 9])
    // The window's middle is where pixels 3 and 4 meet, a quarter of a stride from each.
    #expect([heat[3, 3], heat[4, 4], heat[3, 4]] == [0.5625, 0.5625, 0.5625])
    #expect(heat[2, 3] == 0.1875 && heat[2, 2] == 0.0625)
    #expect(heat[1, 3] == 0 && heat[0, 0] == 0 && heat[7, 8] == 0)
  }

  @Test func whatIsNoNumberIsNotTheBest() {
    let grid = WindowGrid(height: 1, width: 1, down: 1, right: 1)
    func map(_ values: [Float]) -> ProbabilityMap {
      ProbabilityMap(
        values: NDArray(values, shape: [1, values.count]), windows: grid,
        pictureWidth: values.count, pictureHeight: 1)
    }
    let best = map([.nan, 0.2, 0.5, 0.5]).best
    #expect(best?.column == 2 && best?.probability == 0.5)
    #expect(map([.nan]).best == nil)
  }
}
