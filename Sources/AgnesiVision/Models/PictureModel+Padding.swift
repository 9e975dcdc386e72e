import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiImages
import AgnesiModels

extension PictureModel {
  /// The colour that is 0 where the network's first layer looks: what was subtracted as the mean of the
  /// training photos, a sample for each channel. Nil where the graph has no such place.
  ///
  /// - Throws: what the backend throws.
  public func meanColour(on backend: any Backend) throws -> [UInt8]? {
    let model = specialized(for: .inference)
    let place = PictureGraph(model: model).scaledPixels
    guard place != model.pixels else { return nil }
    let (height, width) = (model.pixels.shape[2].known ?? 1, model.pixels.shape[3].known ?? 1)
    let function = BatchedFunction(
      function: try compile(
        [model.pixels], to: [place], options: CompileOptions(name: "mean colour"), on: backend),
      batch: model.fixedBatch)
    // Black, and each channel alone: scaling is a factor and an offset.
    let area = height * width
    let pictures = (0...channels).flatMap { picture in
      (0..<channels).flatMap { channel in
        [Float](repeating: channel + 1 == picture ? 1 : 0, count: area)
      }
    }
    let values = try function(
      NDArray(pictures, shape: [channels + 1, channels, height, width])
    ).doubles
    func mean(_ picture: Int, _ channel: Int) -> Double {
      let start = (picture * channels + channel) * area
      return values[start..<(start + area)].reduce(0, +) / Double(area)
    }
    return (0..<channels).map { channel in
      // The network may see the channels in another order.
      let factors = (0..<channels).map { mean(channel + 1, $0) - mean(0, $0) }
      let seen = factors.indices.max { abs(factors[$0]) < abs(factors[$1]) } ?? 0
      let colour = -mean(0, seen) / factors[seen]
      return UInt8(min(max(colour.isFinite ? colour.rounded() : 0, 0), 255))
    }
  }

  /// The same model, shown whole photos: as large as fits, with ``meanColour(on:)`` beside them, where
  /// its preprocessing would cut or stretch them.
  ///
  /// - Throws: ``ModelError`` where it takes pictures of any size; what the backend throws.
  public func showingWholePhotos(on backend: any Backend) throws -> PictureModel {
    guard let height = pixels.shape[2].known ?? preprocessing.cropHeight,
      let width = pixels.shape[3].known ?? preprocessing.cropWidth
    else {
      throw ModelError(nil, "it takes pictures of any size, so none has to be padded")
    }
    return PictureModel(
      self,
      preprocessing: .padded(
        width: width, height: height, filter: preprocessing.filter,
        background: try meanColour(on: backend)))
  }
}
