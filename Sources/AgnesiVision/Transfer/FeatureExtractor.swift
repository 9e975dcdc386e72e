import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiTraining

/// A body compiled for inference: what its last layer says of photos.
public struct FeatureExtractor: Sendable {
  private let body: PictureBody
  private let function: BatchedFunction

  /// - Throws: a mistake of the graph, or what the backend throws.
  public init(_ body: PictureBody, on backend: any Backend) throws {
    let bytes = Tensor.input("pixels", body.model.pixels.shape, .uint8)
    let features = body.frozen.replacing([body.model.pixels: bytes.cast(to: .float32)])
    self.body = body
    function = BatchedFunction(
      function: try compile(
        [bytes], to: [features], options: CompileOptions(name: "features"), on: backend),
      batch: body.model.fixedBatch)
  }

  /// - Parameter pixels: uint8 `[batch, channels, height, width]`, prepared as the model asks.
  /// - Returns: float32, `[batch, …]`.
  public func callAsFunction(_ pixels: NDArray) throws -> NDArray { try function(pixels) }

  /// The features of photos, which are decoded ahead of the network and not kept.
  ///
  /// - Parameters:
  ///   - interruption: stops between batches; the result covers the photos so far.
  ///   - progress: called after each batch with the number of files done.
  /// - Throws: ``TransferError`` where nothing could be read.
  public func features(
    of photos: [PictureFolder.Photo], name: String, classNames: [String], batchSize: Int = 16,
    interruption: Interruption = Interruption(), progress: (Int) -> Void = { _ in }
  ) throws -> PhotoFeatures {
    let stream = PictureStream(
      photos.map(\.path), preprocessing: body.model.preprocessing, color: body.model.color,
      batchSize: batchSize)
    defer { stream.cancel() }
    var values: [Float] = []
    var kept: [Int] = []
    var failures: [(path: String, error: any Error)] = []
    while let batch = stream.next() {
      if interruption.isRequested { throw StoppedTransfer() }
      failures += batch.failures.map { (photos[$0.position].path, $0.error) }
      if !batch.positions.isEmpty {
        values += try self(batch.pixels).scalars(as: Float.self)
        kept += batch.positions
      }
      progress(kept.count + failures.count)
    }
    guard !kept.isEmpty else {
      throw TransferError("none of the \(photos.count) photos of \(name) can be read")
    }
    let shape = [kept.count] + body.output.shape.dropFirst().compactMap(\.known)
    let dataSet = try DataSet(
      name: name, inputs: NDArray(values, shape: shape),
      targets: NDArray(kept.map { Int32(photos[$0].label) }), classNames: classNames)
    return PhotoFeatures(
      dataSet: dataSet, photos: kept.map { photos[$0] }, failures: failures)
  }
}

/// What a body says of photos.
public struct PhotoFeatures: Sendable {
  /// float32 `[count, …]` with the photos' labels.
  public let dataSet: DataSet
  /// The files, in the data set's order.
  public let photos: [PictureFolder.Photo]
  /// What could not be read and is left out.
  public let failures: [(path: String, error: any Error)]
}
