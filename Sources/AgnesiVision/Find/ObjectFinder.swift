import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiImages
import AgnesiLoops
import Foundation

/// A picture model that looks everywhere in pictures of one size at once.
///
/// The network is turned into a ``FullyConvolutional`` one and compiled for that size.
public struct ObjectFinder: Sendable {
  /// The model as it is used for inference.
  public let model: PictureModel
  /// Where the windows lie.
  public let windows: WindowGrid
  /// Pictures of more pixels do not fit into memory: networks make hundreds of bytes of each.
  public static let mostPixels = 16_000_000

  private let function: BatchedFunction

  /// - Parameters:
  ///   - width: of the pictures to look through.
  ///   - height: likewise.
  /// - Throws: `GraphError` where the network cannot slide, ``FindError`` where pictures are smaller
  ///   than what it was made for or have more than ``mostPixels``, or what the backend throws.
  public init(_ model: PictureModel, width: Int, height: Int, on backend: any Backend) throws {
    let model = model.specialized(for: .inference)
    let preprocessing = model.preprocessing
    if let least = model.pixels.shape[2].known ?? preprocessing.cropHeight,
      let narrowest = model.pixels.shape[3].known ?? preprocessing.cropWidth,
      height < least || width < narrowest
    {
      throw FindError(
        "the picture is \(width) × \(height), the network sees \(narrowest) × \(least) at least",
        hint: "a larger --scale or --short-side")
    }
    guard width <= Self.mostPixels / height else {
      throw FindError(
        "the picture is \(width) × \(height), at most \(Self.mostPixels) pixels are looked through",
        hint: "a smaller --scale or --short-side")
    }
    let network = try FullyConvolutional(
      [model.probabilities], of: model.pixels, windowHeight: preprocessing.cropHeight,
      windowWidth: preprocessing.cropWidth, height: Size(height), width: Size(width))
    let bytes = Tensor.input("pixels", network.image.shape, .uint8)
    let probabilities = network.outputs[0].replacing([network.image: bytes.cast(to: .float32)])
    self.model = model
    function = BatchedFunction(
      function: try compile(
        [bytes], to: [probabilities], options: CompileOptions(name: "find"), on: backend),
      batch: model.fixedBatch)
    windows = WindowGrid(
      height: network.windowHeight, width: network.windowWidth, down: network.strideDown,
      right: network.strideRight)
  }

  /// The probability of a class in each window of the picture.
  ///
  /// - Throws: `FunctionError` where the picture has another size than the finder was made for;
  ///   ``ProbabilityError`` where a value is not finite.
  public func callAsFunction(_ picture: Picture, class index: Int) throws -> ProbabilityMap {
    let planes = picture.planes
    let all = try function(planes.reshaped([1] + planes.shape))
    let (classes, rows, columns) = (all.shape[1], all.shape[2], all.shape[3])
    let plane = all.reshaped([classes, rows, columns])[rows: index..<(index + 1)]
    // A value that is not finite makes softmax NaN for all classes, so this one tells.
    try ProbabilityError.check(plane)
    return ProbabilityMap(
      values: plane.contiguous().reshaped([rows, columns]), windows: windows,
      pictureWidth: picture.width, pictureHeight: picture.height)
  }
}

/// Windows of one size at equal distances, the first in the upper left corner.
public struct WindowGrid: Sendable, Hashable {
  /// The size of a window.
  public var height: Int
  public var width: Int
  /// Pixels between neighbours.
  public var down: Int
  public var right: Int

  /// Windows of a size, and the pixels between neighbours.
  public init(height: Int, width: Int, down: Int, right: Int) {
    self.height = height
    self.width = width
    self.down = down
    self.right = right
  }

  /// How many windows lie in a picture.
  public func count(width pictureWidth: Int, height pictureHeight: Int) -> (rows: Int, columns: Int)
  {
    func count(_ picture: Int, _ window: Int, _ stride: Int) -> Int {
      picture < window ? 0 : (picture - window) / stride + 1
    }
    return (count(pictureHeight, height, down), count(pictureWidth, width, right))
  }

  /// The pixels of a window.
  public func place(row: Int, column: Int) -> PictureRegion {
    PictureRegion(
      rows: (row * down)..<(row * down + height),
      columns: (column * right)..<(column * right + width))
  }
}

/// A rectangle of a picture's pixels.
public struct PictureRegion: Sendable, Hashable {
  public var rows: Range<Int>
  public var columns: Range<Int>

  /// The pixels of these rows and columns.
  public init(rows: Range<Int>, columns: Range<Int>) {
    self.rows = rows
    self.columns = columns
  }

  /// The same place in a picture of another size.
  public func scaled(
    from old: (width: Int, height: Int), to new: (width: Int, height: Int)
  ) -> PictureRegion {
    func scaled(_ range: Range<Int>, _ old: Int, _ new: Int) -> Range<Int> {
      let factor = Double(new) / Double(old)
      let lower = Int((Double(range.lowerBound) * factor).rounded())
      return lower..<max(lower, Int((Double(range.upperBound) * factor).rounded()))
    }
    return PictureRegion(
      rows: scaled(rows, old.height, new.height), columns: scaled(columns, old.width, new.width))
  }
}

/// How probable a class is in each window of a picture.
public struct ProbabilityMap: Sendable {
  /// float32 `[rows, columns]`, one value for each window.
  public let values: NDArray
  /// Where these lie. A network that does not look at its window's last rows or columns may have said
  /// something about windows that end outside of the picture.
  public let windows: WindowGrid
  private let pictureWidth: Int
  private let pictureHeight: Int

  package init(values: NDArray, windows: WindowGrid, pictureWidth: Int, pictureHeight: Int) {
    self.values = values
    self.windows = windows
    self.pictureWidth = pictureWidth
    self.pictureHeight = pictureHeight
  }

  /// The window with the largest probability, the first of several; nil where all are NaN.
  public var best: (row: Int, column: Int, probability: Double)? {
    let values = values.doubles
    let columns = self.values.shape[1]
    let order = values.indices.filter { !values[$0].isNaN }
    guard let index = order.max(by: { (values[$0], $1) < (values[$1], $0) }) else { return nil }
    return (index / columns, index % columns, values[index])
  }

  /// The map over the whole picture, a value for each `step` pixels: between the windows' middles it
  /// goes smoothly, and it ends outside of the outermost ones.
  public func heat(step: Int = 8) -> NDArray {
    let (rows, columns) = (values.shape[0], values.shape[1])
    let map = values.doubles
    func value(_ row: Int, _ column: Int) -> Double {
      (0..<rows).contains(row) && (0..<columns).contains(column) ? map[row * columns + column] : 0
    }
    /// The window before a pixel, and how far the pixel is on the way to the next.
    func position(_ index: Int, _ size: Int, _ stride: Int) -> (window: Int, share: Double) {
      let middle = (Double(index) + 0.5) * Double(step) - Double(size) / 2
      let place = middle / Double(stride)
      return (Int(place.rounded(.down)), place - place.rounded(.down))
    }
    let (height, width) = ((pictureHeight + step - 1) / step, (pictureWidth + step - 1) / step)
    var result: [Double] = []
    result.reserveCapacity(height * width)
    for y in 0..<height {
      let (row, down) = position(y, windows.height, windows.down)
      for x in 0..<width {
        let (column, right) = position(x, windows.width, windows.right)
        let above = value(row, column) * (1 - right) + value(row, column + 1) * right
        let below = value(row + 1, column) * (1 - right) + value(row + 1, column + 1) * right
        result.append(above * (1 - down) + below * down)
      }
    }
    return NDArray(rounding: result, shape: [height, width], .float32)
  }
}

/// Why nothing can be looked for.
public struct FindError: Error, Sendable, Hashable, CustomStringConvertible, LocalizedError {
  public let message: String
  public let hint: String?

  init(_ message: String, hint: String? = nil) {
    self.message = message
    self.hint = hint
  }

  public var description: String { "find: \(message)" + (hint.map { "\n  hint: \($0)" } ?? "") }
  public var errorDescription: String? { description }
}
