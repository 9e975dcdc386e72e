import AgnesiArrays
import Foundation

/// The random numbers of one sample in one epoch.
struct AugmentationDraw {
  private let augmentation: Augmentation
  private let stream: Philox
  private let sample: UInt64
  private let epoch: UInt64

  init(_ augmentation: Augmentation, _ stream: Philox, sample: Int, epoch: Int) {
    self.augmentation = augmentation
    self.stream = stream
    self.sample = UInt64(bitPattern: Int64(sample))
    self.epoch = UInt64(bitPattern: Int64(epoch))
  }

  /// The words of one of 256 blocks.
  private func block(_ number: Int) -> (UInt32, UInt32, UInt32, UInt32) {
    stream.block(low: sample << 8 | UInt64(number), high: epoch)
  }

  private static func unit(_ word: UInt32) -> Double { (Double(word) + 0.5) * 0x1p-32 }

  /// One of `0...most`.
  private static func whole(_ word: UInt32, most: Int) -> Int {
    Int((UInt64(word) * UInt64(most + 1)) >> 32)
  }

  /// Normal numbers of mean 0 and deviation 1, one for each `number` in `0..<32`.
  ///
  /// - Source: Box & Muller, *A Note on the Generation of Random Normal Deviates*, 1958.
  func normal(_ number: Int) -> Double {
    let words = block(2 + number)
    return sqrt(-2 * log(Self.unit(words.0))) * cos(2 * Double.pi * Self.unit(words.1))
  }

  /// Where the pixels of the result lie in the stored picture.
  func place(
    in stored: (height: Int, width: Int), of result: (height: Int, width: Int)
  ) -> SamplePlace {
    let (positions, forms) = (block(0), block(1))
    let shift = augmentation.shift
    let x = Self.whole(positions.0, most: stored.width - result.width)
    let y = Self.whole(positions.1, most: stored.height - result.height)
    let left = x + Self.whole(positions.2, most: 2 * shift) - shift
    let top = y + Self.whole(positions.3, most: 2 * shift) - shift
    let isMirrored = augmentation.mirrors && forms.0 & 1 == 1
    let angle = augmentation.rotation * (2 * Self.unit(forms.1) - 1) * Double.pi / 180
    // Enlarging and making smaller are equally likely.
    let factor = pow(1 + augmentation.zoom, 2 * Self.unit(forms.2) - 1)
    return SamplePlace(
      left: left, top: top, width: result.width, height: result.height, isMirrored: isMirrored,
      angle: angle, factor: factor)
  }
}

/// An affine map from the pixels of a result to places in a stored picture.
struct SamplePlace {
  private let originX: Double
  private let originY: Double
  private let alongX: (x: Double, y: Double)
  private let alongY: (x: Double, y: Double)
  /// Whether pixels lie on pixels, so that nothing is interpolated.
  private let isExact: Bool

  /// - Parameters:
  ///   - left: the column of the stored picture where the part begins.
  ///   - angle: in radians, around the middle of the part.
  ///   - factor: how much larger things become.
  init(
    left: Int, top: Int, width: Int, height: Int, isMirrored: Bool, angle: Double, factor: Double
  ) {
    let (cosine, sine) = (cos(angle) / factor, sin(angle) / factor)
    let sign = isMirrored ? -1.0 : 1.0
    alongX = (x: sign * cosine, y: sign * sine)
    alongY = (x: -sine, y: cosine)
    let (middleX, middleY) = (Double(width - 1) / 2, Double(height - 1) / 2)
    originX = Double(left) + middleX - alongX.x * middleX - alongY.x * middleY
    originY = Double(top) + middleY - alongX.y * middleX - alongY.y * middleY
    isExact = angle == 0 && factor == 1
  }

  /// The value at a pixel of the result; beyond the edge, that of the edge.
  @inline(__always)
  func value<Stored: StoredSample>(
    _ plane: UnsafePointer<Stored>, _ x: Int, _ y: Int, width: Int, height: Int
  ) -> Float {
    let (dx, dy) = (Double(x), Double(y))
    let sourceX = min(max(originX + alongX.x * dx + alongY.x * dy, 0), Double(width - 1))
    let sourceY = min(max(originY + alongX.y * dx + alongY.y * dy, 0), Double(height - 1))
    let (column, row) = (Int(sourceX), Int(sourceY))
    if isExact { return plane[row * width + column].float }
    let (nextColumn, nextRow) = (min(column + 1, width - 1), min(row + 1, height - 1))
    let (partX, partY) = (Float(sourceX - Double(column)), Float(sourceY - Double(row)))
    func mixed(_ row: Int) -> Float {
      let (a, b) = (plane[row * width + column].float, plane[row * width + nextColumn].float)
      return a + (b - a) * partX
    }
    let (upper, lower) = (mixed(row), mixed(nextRow))
    return upper + (lower - upper) * partY
  }
}
