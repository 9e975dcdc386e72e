import Agnesi
import TestSupport
import Testing

@Suite struct PictureStreamTests {
  /// Pictures of one grey each, every fifth file broken.
  private func files(_ count: Int, in folder: TemporaryFolder) throws -> [String] {
    try (0..<count).map { number in
      if number % 5 == 3 { return try folder.write([1, 2, 3], to: "\(number).png") }
      let picture = Picture(
        width: 6, height: 6, channels: 3,
        samples: [UInt8](repeating: UInt8(number), count: 108))
      return try folder.write(picture.png, to: "\(number).png")
    }
  }

  private let half = PicturePreprocessing(resizing: .exact(width: 3, height: 3))

  @Test(arguments: [1, 2, 4]) func filesComeInOrderWhateverTheThreads(_ threads: Int) throws {
    let folder = try TemporaryFolder()
    let paths = try files(23, in: folder)
    let stream = PictureStream(paths, preprocessing: half, batchSize: 4, threads: threads)
    let batches = Array(stream)
    let good = paths.indices.filter { $0 % 5 != 3 }
    #expect(batches.flatMap(\.positions) == good)
    #expect(batches.map(\.positions.count) == [4, 4, 4, 4, 3])
    #expect(batches.flatMap { $0.failures.map(\.position) } == [3, 8, 13, 18])
    let greys = batches.flatMap { $0.pixels.doubles }
    #expect(greys == good.flatMap { [Double](repeating: Double($0), count: 27) })
    #expect(batches.first?.pixels.shape == [4, 3, 3, 3])
    let error = batches[0].failures.first?.error as? ImageFileError
    #expect(error?.path == paths[3])
  }

  @Test func sizesThatChangeBeginABatch() throws {
    let folder = try TemporaryFolder()
    let paths = try [4, 4, 5, 4].enumerated().map { number, side in
      try folder.write(
        Picture(
          width: side, height: 2, channels: 1, samples: [UInt8](repeating: 7, count: 2 * side)
        ).png, to: "\(number).png")
    }
    let stream = PictureStream(
      paths, preprocessing: PicturePreprocessing(), color: .grey, batchSize: 8)
    let batches = Array(stream)
    #expect(batches.map(\.positions) == [[0, 1], [2], [3]])
    #expect(batches.map(\.pixels.shape) == [[2, 1, 2, 4], [1, 1, 2, 5], [1, 1, 2, 4]])
  }

  @Test func onlyBrokenFilesAreABatchOfFailures() throws {
    let folder = try TemporaryFolder()
    let stream = PictureStream(
      [folder.path("none.jpg"), folder.path("nothing.jpg")], preprocessing: half)
    let batches = Array(stream)
    #expect(batches.count == 1)
    #expect(batches.first?.positions == [])
    #expect(batches.first?.failures.map(\.position) == [0, 1])
  }

  @Test func noFilesAreNoBatches() {
    #expect(Array(PictureStream([], preprocessing: half)).isEmpty)
  }

  @Test func threadsGoOnlySoFarAhead() throws {
    let results = OrderedResults<Int>(count: 5, ahead: 2)
    #expect(results.claim() == 0)
    #expect(results.claim() == 1)
    results.put(11, of: 1)
    results.put(10, of: 0)
    #expect(results.take() == 10)
    #expect(results.claim() == 2)
    #expect(results.take() == 11)
    results.cancel()
    #expect(results.claim() == nil)
    #expect(results.take() == nil)
  }
}
