import AgnesiArrays
import AgnesiCompiler
import AgnesiImages
import AgnesiModels

/// The class of each pixel of a photo.
public struct Segmentation: Sendable {
  /// int32 `[height, width]`, as large as the photo.
  public let labels: NDArray
  /// Pixels of each class.
  public let counts: [Int]

  /// The mask as a picture: a colour for each class, those that the PASCAL VOC data set uses; class 0,
  /// there the background, is black.
  public var drawn: Picture {
    let samples = labels.scalars(as: Int32.self).flatMap { Self.colour(of: Int($0)) }
    return Picture(
      width: labels.shape[1], height: labels.shape[0], channels: 3, samples: samples)
  }

  /// The colour of a class: its bits, dealt out to red, green and blue from the highest on, so that
  /// neighbours look different.
  public static func colour(of label: Int) -> [UInt8] {
    var colour: [UInt8] = [0, 0, 0]
    var rest = label
    for bit in 0..<8 {
      for channel in 0..<3 where rest >> channel & 1 == 1 { colour[channel] |= 1 << (7 - bit) }
      rest >>= 3
    }
    return colour
  }
}

/// Tells the class of each pixel of photos of any size.
///
/// Photos are brought to the size that the network was made for, or keep their own. Nothing is cut off: where
/// the network was made for the middle of photos, the whole of them is stretched to what it sees, so that each
/// pixel has a class. Those that keep their own size get mirrored
/// borders below and on the right up to the next size that the network takes, which are cut off again.
public final class PhotoSegmenter {
  private let model: Model
  private let backend: any Backend
  private let preprocessing: PicturePreprocessing
  private let color: PictureColor
  private let classCount: Int
  /// One name for each class; numbers where the model has none.
  public let classNames: [String]
  private var compiled: (height: Int, width: Int, segmenter: Segmenter)?

  /// Sides of multiples of these are tried, in order: so many poolings by 2 have networks.
  private static let multiples = [1, 2, 4, 8, 16, 32, 64]

  /// - Parameters:
  ///   - path: where the model came from, for errors.
  ///   - preprocessing: how photos come to the network's size; nil for what the model says, as
  ///     ``PictureModel`` reads it.
  ///   - keepsSize: whether photos keep their own size.
  /// - Throws: ``TransferError`` where the model tells no classes of pixels; `ModelError` where what it says
  ///   of pictures or classes cannot be.
  public init(
    _ model: Model, path: String? = nil, preprocessing: PicturePreprocessing? = nil,
    keepsSize: Bool = false, on backend: any Backend
  ) throws {
    guard let input = model.functions["segment"]?.inputs.first, input.rank == 4,
      let channels = input.shape[1].known, channels == 1 || channels == 3,
      let logits = model.functions["segment"]?.outputs.first(where: { $0.name == "logits" }),
      logits.tensor.rank == 4, let count = logits.tensor.shape[1].known
    else {
      throw TransferError(
        "the model has no function \"segment\" of one picture",
        hint: "it has \(model.functions.keys.sorted().joined(separator: ", "))",
        subject: "segment")
    }
    self.model = model
    let reader = PictureModelReader(model: model, path: path)
    let given = try preprocessing ?? reader.preprocessing(for: input)
    self.preprocessing =
      keepsSize
      ? PicturePreprocessing()
      : given.withoutCutting(width: input.shape[3].known, height: input.shape[2].known)
    classNames = try reader.names("classes", count: count) ?? []
    self.backend = backend
    color = channels == 1 ? .grey : .rgb
    classCount = count
  }

  /// - Throws: what reading throws, and ``TransferError`` where the network does not take the photo's size.
  public func callAsFunction(_ path: String) throws -> Segmentation {
    try self(try Picture(reading: path, as: color))
  }

  /// - Throws: ``TransferError`` where the network does not take the picture's size.
  public func callAsFunction(_ photo: Picture) throws -> Segmentation {
    let seen = try preprocessing(photo)
    let (columns, rows) = preprocessing.place(of: photo)
    let segmenter = try segmenter(height: seen.height, width: seen.width)
    let (height, width) = (segmenter.height ?? seen.height, segmenter.width ?? seen.width)
    let planes = seen.mirrored(toWidth: width, height: height).planes
    let mask = try segmenter(planes.reshaped([1] + planes.shape)).scalars(as: Int32.self)
    var labels: [Int32] = []
    labels.reserveCapacity(photo.width * photo.height)
    var counts = [Int](repeating: 0, count: classCount)
    // The nearest pixel that the network saw: between two classes there is no third.
    for y in 0..<photo.height {
      let row = rows.lowerBound + (2 * y + 1) * rows.count / (2 * photo.height)
      for x in 0..<photo.width {
        let column = columns.lowerBound + (2 * x + 1) * columns.count / (2 * photo.width)
        let label = mask[row * width + column]
        labels.append(label)
        counts[Int(label)] += 1
      }
    }
    return Segmentation(
      labels: NDArray(labels, shape: [photo.height, photo.width]), counts: counts)
  }

  /// The network for the smallest size that it takes and that holds this one.
  private func segmenter(height: Int, width: Int) throws -> Segmenter {
    if let compiled, compiled.height == height, compiled.width == width {
      return compiled.segmenter
    }
    var refusal: (any Error)?
    for multiple in Self.multiples {
      func rounded(_ side: Int) -> Int { (side + multiple - 1) / multiple * multiple }
      do {
        let segmenter = try Segmenter(
          model, height: rounded(height), width: rounded(width), on: backend)
        compiled = (height, width, segmenter)
        return segmenter
      } catch let error as TransferError {
        refusal = refusal ?? error
      }
    }
    throw refusal
      ?? TransferError(
        "the network takes no pictures of \(width) × \(height)", subject: "segment")
  }
}

extension PicturePreprocessing {
  /// The same without cutting anything off: the whole photo takes the place of what would be kept of it.
  ///
  /// - Parameters:
  ///   - width: columns that the network sees; nil for any number.
  ///   - height: rows that the network sees; nil for any number.
  fileprivate func withoutCutting(width: Int?, height: Int?) -> PicturePreprocessing {
    // Padding cuts nothing off.
    if case .within = resizing { return self }
    if cropWidth == nil, cropHeight == nil { return self }
    guard let width = cropWidth ?? width, let height = cropHeight ?? height else {
      return withoutCrop()
    }
    return PicturePreprocessing(
      resizing: .exact(width: width, height: height), filter: filter)
  }
}

extension Picture {
  /// The picture with mirrored pixels on the right and below.
  fileprivate func mirrored(toWidth newWidth: Int, height newHeight: Int) -> Picture {
    if newWidth == width, newHeight == height { return self }
    func place(_ index: Int, _ size: Int) -> Int {
      let around = index % (2 * size)
      return around < size ? around : 2 * size - 1 - around
    }
    var result: [UInt8] = []
    result.reserveCapacity(newWidth * newHeight * channels)
    for y in 0..<newHeight {
      for x in 0..<newWidth { result += pixel(x: place(x, width), y: place(y, height)) }
    }
    return Picture(width: newWidth, height: newHeight, channels: channels, samples: result)
  }
}
