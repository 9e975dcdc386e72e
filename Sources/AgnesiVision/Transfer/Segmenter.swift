import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiModels

/// A model that tells the class of each pixel, compiled.
public struct Segmenter: Sendable {
  /// Rows that the network sees; nil for any number.
  public let height: Int?
  /// Columns that the network sees; nil for any number.
  public let width: Int?
  private let function: BatchedFunction
  private let classes: Int

  /// - Parameters:
  ///   - height: rows of the pictures; nil for what the model was made for.
  ///   - width: columns of the pictures; nil for what the model was made for. Networks of convolutions take
  ///     other sizes, where their poolings divide these.
  /// - Throws: ``TransferError`` where the model has no function `segment` as a head for masks makes
  ///   it, or does not take this size.
  public init(
    _ model: Model, height: Int? = nil, width: Int? = nil, on backend: any Backend
  ) throws {
    guard let segment = model.functions["segment"], segment.inputs.count == 1,
      let logits = segment.outputs.first(where: { $0.name == "logits" })?.tensor, logits.rank == 4,
      segment.inputs[0].rank == 4, let classes = logits.shape[1].known
    else {
      throw TransferError(
        "the model has no function \"segment\" of one picture", subject: "segment")
    }
    var (pixels, scores) = (segment.inputs[0], logits.specialized(for: .inference))
    if height != nil || width != nil {
      let rows = height.map { Size($0) } ?? pixels.shape[2]
      let columns = width.map { Size($0) } ?? pixels.shape[3]
      let other = Tensor.input("pixels", [pixels.shape[0], pixels.shape[1], rows, columns])
      guard let resized = [scores].resized(pixels, to: other)?[0],
        resized.shape.suffix(2) == other.shape.suffix(2)
      else {
        throw TransferError(
          "the network takes no pictures of \(columns) × \(rows)",
          hint: "its poolings have to divide both sides: try multiples of 16 or 32",
          subject: "segment")
      }
      (pixels, scores) = (other, resized)
    }
    self.classes = classes
    (self.height, self.width) = (pixels.shape[2].known, pixels.shape[3].known)
    let labels = scores.argMax(axis: 1).cast(to: .int32)
    function = BatchedFunction(
      function: try compile(
        [pixels], to: [labels], options: CompileOptions(name: "segment"), on: backend),
      batch: pixels.shape[0].known)
  }

  /// - Parameter pixels: uint8 or float32 `[batch, channels, height, width]`, 0...255.
  /// - Returns: the most probable class of each pixel, int32 `[batch, height, width]`.
  public func callAsFunction(_ pixels: NDArray) throws -> NDArray {
    try function(pixels.cast(to: .float32))
  }

  /// How well pixels are told.
  public struct Result: Sendable {
    /// The share of pixels whose class is right, 0...1.
    public var pixelAccuracy: Double
    /// For each class, the pixels that are of it and called so, divided by those that are of it or
    /// called so; nil for a class that is neither there nor named.
    public var overlaps: [Double?]

    /// The mean of the classes' overlaps (mean intersection over union).
    public var meanOverlap: Double {
      let known = overlaps.compactMap { $0 }
      return known.reduce(0, +) / Double(max(known.count, 1))
    }
  }

  /// - Parameters:
  ///   - pixels: uint8 or float32 `[count, channels, height, width]`.
  ///   - masks: the true classes, integers `[count, height, width]`.
  ///   - ignored: the label of pixels that do not count.
  /// - Throws: ``TransferError`` where masks have another shape, or a label that is no class.
  public func evaluate(
    _ pixels: NDArray, masks: NDArray, ignored: Int? = nil, batchSize: Int = 16
  ) throws -> Result {
    let count = pixels.shape.first ?? 0
    var counts = [Int](repeating: 0, count: classes * classes)
    for first in stride(from: 0, to: count, by: max(batchSize, 1)) {
      let rows = first..<min(first + max(batchSize, 1), count)
      let said = try self(pixels[rows: rows])
      guard masks.rank == 3, masks.shape[0] == count,
        Array(masks.shape.dropFirst()) == Array(said.shape.dropFirst())
      else {
        throw TransferError("masks \(masks.shape) of pictures whose pixels are \(said.shape)")
      }
      let wanted = masks[rows: rows].cast(to: .int32).scalars(as: Int32.self)
      for (label, answer) in zip(wanted, said.scalars(as: Int32.self)) where Int(label) != ignored {
        guard (0..<classes).contains(Int(label)) else {
          throw TransferError("a mask has the label \(label), the model has \(classes) classes")
        }
        counts[Int(label) * classes + Int(answer)] += 1
      }
    }
    return result(counts)
  }

  /// - Parameter counts: `[true][said]`.
  private func result(_ counts: [Int]) -> Result {
    let right = (0..<classes).map { counts[$0 * classes + $0] }
    let overlaps = (0..<classes).map { label -> Double? in
      let there = (0..<classes).reduce(0) { $0 + counts[label * classes + $1] }
      let said = (0..<classes).reduce(0) { $0 + counts[$1 * classes + label] }
      let either = there + said - right[label]
      return either > 0 ? Double(right[label]) / Double(either) : nil
    }
    let total = max(counts.reduce(0, +), 1)
    return Result(
      pixelAccuracy: Double(right.reduce(0, +)) / Double(total), overlaps: overlaps)
  }
}
