import AgnesiArrays
import AgnesiImages
import AgnesiTraining
import Foundation

/// Photos that were decoded and prepared once, and are kept as bytes.
public struct PhotoPlanes: Sendable {
  /// uint8 `[count, channels, height, width]` with the photos' labels, handed to networks as 0...255.
  public let dataSet: DataSet
  /// The files, in the data set's order.
  public let photos: [PictureFolder.Photo]
  /// What could not be read and is left out.
  public let failures: [(path: String, error: any Error)]

  /// - Parameters:
  ///   - preprocessing: must lead to one size.
  ///   - progress: called now and then with the number of files done.
  /// - Throws: ``TransferError`` where nothing could be read or sizes differ; ``StoppedTransfer`` where
  ///   it was interrupted.
  public init(
    reading photos: [PictureFolder.Photo], name: String, classNames: [String],
    preprocessing: PicturePreprocessing, color: PictureColor,
    interruption: Interruption = Interruption(), progress: (Int) -> Void = { _ in }
  ) throws {
    let stream = PictureStream(photos.map(\.path), preprocessing: preprocessing, color: color)
    defer { stream.cancel() }
    var kept: [Int] = []
    var failures: [(path: String, error: any Error)] = []
    var planes: NDArray?
    while let batch = stream.next() {
      if interruption.isRequested { throw StoppedTransfer() }
      failures += batch.failures.map { (photos[$0.position].path, $0.error) }
      if !batch.positions.isEmpty {
        try Self.append(batch.pixels, at: kept.count, of: photos.count, to: &planes)
        kept += batch.positions
      }
      progress(kept.count + failures.count)
    }
    guard let planes, !kept.isEmpty else {
      throw TransferError("none of the \(photos.count) photos of \(name) can be read")
    }
    self.photos = kept.map { photos[$0] }
    self.failures = failures
    dataSet = try DataSet(
      name: name, inputs: planes[rows: 0..<kept.count],
      targets: NDArray(kept.map { Int32(photos[$0].label) }), classNames: classNames,
      scaling: .identity)
  }

  /// Bytes written behind those that are there; the first batch makes room for all.
  private static func append(
    _ pixels: NDArray, at row: Int, of count: Int, to planes: inout NDArray?
  ) throws {
    let shape = Array(pixels.shape.dropFirst())
    if planes == nil {
      try Memory.check(Memory.Demand("read the photos", .uint8, [count] + shape))
      planes = NDArray(zeros: [count] + shape, .uint8)
    }
    guard let expected = planes?.shape.dropFirst(), Array(expected) == shape else {
      throw TransferError(
        "photos are prepared to different sizes, \(shape) after \(planes?.shape.dropFirst() ?? [])",
        hint: "the model's preprocessing has to cut out one size")
    }
    let size = shape.product
    planes?.withUnsafeMutableBytes { target in
      pixels.withUnsafeBytes { source in
        let place = target[(row * size)..<(row * size + source.count)]
        UnsafeMutableRawBufferPointer(rebasing: place).copyMemory(from: source)
      }
    }
  }
}

/// Somebody asked to stop before there was anything to keep.
public struct StoppedTransfer: Error, Hashable, Sendable, CustomStringConvertible {
  public init() {}

  public var description: String { "transfer: stopped before anything was learned" }
}

extension PicturePreprocessing {
  /// The same with more around what the network sees, so that parts can be cut out at random: as much
  /// as was resized, or an eighth more.
  ///
  /// - Parameters:
  ///   - height: rows that the network sees.
  ///   - width: columns that the network sees.
  func widened(height: Int, width: Int) -> PicturePreprocessing {
    var result = self
    let (more, wider) = (height + height / 8, width + width / 8)
    switch resizing {
    case .none, .within: return self
    case .shortSide(let side):
      let isCut = side > max(height, width)
      if !isCut { result.resizing = .shortSide(max(more, wider)) }
      result.cropHeight = isCut ? side : more
      result.cropWidth = isCut ? side : wider
    case .exact(let exactWidth, let exactHeight):
      let isCut = exactHeight > height && exactWidth > width
      if !isCut { result.resizing = .exact(width: wider, height: more) }
      result.cropHeight = isCut ? exactHeight : more
      result.cropWidth = isCut ? exactWidth : wider
    }
    return result
  }
}
