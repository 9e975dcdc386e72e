import AgnesiArrays

/// Random changes to training pictures that leave what they show the same, drawn anew for each sample
/// in each epoch.
///
/// Think first which changes are harmless: a mirrored cat is a cat, a mirrored 2 is no 2. The draws are
/// a function of seed, epoch and the sample's number, so a resumed run repeats them, and they do not
/// depend on batches or threads.
public struct Augmentation: Codable, Hashable, Sendable {
  /// Rows of the part that is cut out at a random place; nil keeps all.
  public var cropHeight: Int?
  /// Columns of that part; nil keeps all.
  public var cropWidth: Int?
  /// Moved by up to so many pixels in each direction.
  public var shift: Int
  /// Left and right exchanged in half of the draws.
  public var mirrors: Bool
  /// Turned by up to so many degrees in both directions.
  public var rotation: Double
  /// Enlarged or made smaller by a factor of up to 1 + zoom.
  public var zoom: Double
  /// Moves all colours of a picture along the principal axes of the training pixels' colours, by
  /// normal draws of so many of their standard deviations; 0.1 is usual.
  ///
  /// - Source: Krizhevsky et al., *ImageNet Classification with Deep Convolutional Neural Networks*,
  ///   2012, §4.1.
  public var colorDeviation: Double

  /// Nothing unless said. What comes from beyond the picture's edge repeats the edge.
  public init(
    cropHeight: Int? = nil, cropWidth: Int? = nil, shift: Int = 0, mirrors: Bool = false,
    rotation: Double = 0, zoom: Double = 0, colorDeviation: Double = 0
  ) {
    self.cropHeight = cropHeight
    self.cropWidth = cropWidth
    self.shift = shift
    self.mirrors = mirrors
    self.rotation = rotation
    self.zoom = zoom
    self.colorDeviation = colorDeviation
  }

  /// What is wrong with it, if anything: a sentence.
  package var mistake: String? {
    if shift < 0 { return "pictures are to be moved by \(shift) pixels, it must not be negative" }
    if !(0...180).contains(rotation) { return "the rotation is \(rotation), it must be in 0...180" }
    if !(0...10).contains(zoom) { return "the zoom is \(zoom), it must be in 0...10" }
    if !(0...100).contains(colorDeviation) {
      return "the deviation of colours is \(colorDeviation), it must be in 0...100"
    }
    return nil
  }

  /// The shape of an augmented sample.
  ///
  /// - Throws: ``DataError`` where samples are no pictures, or smaller than what is to be cut out.
  func sampleShape(of dataSet: DataSet) throws(DataError) -> [Int] {
    let action = "augment the data set \(dataSet.name)"
    let shape = dataSet.sampleShape
    guard shape.count == 3, shape.allSatisfy({ $0 > 0 }) else {
      throw DataError(
        action, "its samples of shape \(shape) are no pictures [channels, height, width]")
    }
    if let mistake { throw DataError(action, mistake) }
    let (height, width) = (cropHeight ?? shape[1], cropWidth ?? shape[2])
    guard (1...shape[1]).contains(height), (1...shape[2]).contains(width) else {
      throw DataError(
        action, "\(width)×\(height) pixels cannot be cut out of \(shape[2])×\(shape[1])")
    }
    return [shape[0], height, width]
  }
}

/// Draws and makes augmented samples.
struct Augmenter: Sendable {
  let sampleShape: [Int]
  private let augmentation: Augmentation
  private let stream: Philox
  private let inputs: NDArray
  private let scaling: InputScaling
  private let axes: ColorAxes?
  private let height: Int
  private let width: Int

  init(_ augmentation: Augmentation, _ dataSet: DataSet, seed: UInt64) throws(DataError) {
    sampleShape = try augmentation.sampleShape(of: dataSet)
    self.augmentation = augmentation
    stream = Philox(seed: seed, name: "augmentation")
    inputs = dataSet.inputs
    scaling = dataSet.scaling
    axes = augmentation.colorDeviation > 0 ? ColorAxes(of: dataSet.inputs) : nil
    (height, width) = (dataSet.sampleShape[1], dataSet.sampleShape[2])
  }

  /// Writes the samples `indices`, one after the other, scaled.
  func fill(_ target: UnsafeMutableRawPointer, _ indices: [Int], epoch: Int) {
    let size = sampleShape.product
    let floats = target.bindMemory(to: Float.self, capacity: indices.count * size)
    let stored = sampleShape[0] * height * width
    inputs.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      for (row, index) in indices.enumerated() {
        let draw = AugmentationDraw(augmentation, stream, sample: index, epoch: epoch)
        let place = draw.place(in: (height, width), of: (sampleShape[1], sampleShape[2]))
        let shifts = colorShifts(draw)
        let result = floats + row * size
        if inputs.dtype == .uint8 {
          let source = base.assumingMemoryBound(to: UInt8.self) + index * stored
          sample(source, place, shifts, limits: 0...255, result)
        } else {
          let source = base.assumingMemoryBound(to: Float.self) + index * stored
          sample(source, place, shifts, limits: -.infinity ... .infinity, result)
        }
      }
    }
  }

  private func colorShifts(_ draw: AugmentationDraw) -> [Float] {
    guard let axes else { return [Float](repeating: 0, count: sampleShape[0]) }
    return axes.shift((0..<sampleShape[0]).map { draw.normal($0) * augmentation.colorDeviation })
  }

  private func sample<Stored: StoredSample>(
    _ source: UnsafePointer<Stored>, _ place: SamplePlace, _ shifts: [Float],
    limits: ClosedRange<Float>, _ target: UnsafeMutablePointer<Float>
  ) {
    let (rows, columns) = (sampleShape[1], sampleShape[2])
    let (factor, offset) = (Float(scaling.factor), Float(scaling.offset))
    for channel in 0..<sampleShape[0] {
      let plane = source + channel * height * width
      let shift = shifts[channel]
      var next = target + channel * rows * columns
      for y in 0..<rows {
        for x in 0..<columns {
          let value = place.value(plane, x, y, width: width, height: height) + shift
          next.pointee = min(max(value, limits.lowerBound), limits.upperBound) * factor + offset
          next += 1
        }
      }
    }
  }
}

/// What a sample's elements are stored as.
protocol StoredSample { var float: Float { get } }
extension UInt8: StoredSample { var float: Float { Float(self) } }
extension Float: StoredSample { var float: Float { self } }
