import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiImages

/// A picture model, compiled: pictures in, probabilities out.
public struct PictureClassifier: Sendable {
  /// The model as it is used for inference.
  public let model: PictureModel
  private let function: BatchedFunction

  /// - Throws: a mistake of the graph, or what the backend throws.
  public init(_ model: PictureModel, on backend: any Backend) throws {
    let model = model.specialized(for: .inference)
    // Bytes go in, a quarter of the floats' memory; they become floats where they are scaled.
    let bytes = Tensor.input("pixels", model.pixels.shape, .uint8)
    let probabilities = model.probabilities.replacing([model.pixels: bytes.cast(to: .float32)])
    self.model = model
    function = BatchedFunction(
      function: try compile(
        [bytes], to: [probabilities], options: CompileOptions(name: "classify"), on: backend),
      batch: model.fixedBatch)
  }

  /// - Parameter pixels: uint8 `[batch, channels, height, width]`, prepared as the model asks.
  /// - Returns: float32 `[batch, classes]`.
  /// - Throws: ``ProbabilityError`` where a value is not finite.
  public func callAsFunction(_ pixels: NDArray) throws -> NDArray {
    let values = try function(pixels)
    try ProbabilityError.check(values)
    return values
  }

  /// The most probable classes of one picture, which is prepared here.
  public func callAsFunction(_ picture: Picture, top count: Int = 5) throws -> [RankedClass] {
    let planes = try model.preprocessing(picture).planes
    return ranked(try self(planes.reshaped([1] + planes.shape)), top: count)[0]
  }

  /// The most probable classes of each row of probabilities, best first; of equal ones the one with
  /// the smaller number.
  public func ranked(_ rows: NDArray, top count: Int = 5) -> [[RankedClass]] {
    let classes = model.classCount
    let values = rows.scalars(as: Float.self)
    return (0..<rows.shape[0]).map { row in
      let line = values[(row * classes)..<((row + 1) * classes)]
      let order = line.indices.sorted {
        // NaN is no probability, and comes last.
        let (a, b) = (line[$0].isNaN ? -1 : line[$0], line[$1].isNaN ? -1 : line[$1])
        return a == b ? $0 < $1 : a > b
      }
      return order.prefix(max(count, 0)).map { position in
        let index = position - line.startIndex
        return RankedClass(
          index: index, name: model.classNames[index], probability: line[position])
      }
    }
  }
}

/// A class and how probable it is.
public struct RankedClass: Sendable, Hashable {
  /// The class's number.
  public var index: Int
  public var name: String
  /// 0...1.
  public var probability: Float
}
