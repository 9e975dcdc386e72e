import AgnesiExpressions
import AgnesiLayers

/// What a network learns to say about a sample: how its output is compared with the targets.
public enum Goal: Codable, Hashable, Sendable {
  /// One of several classes. Output `[batch, classes]`, before softmax; targets int32 `[batch]`. The
  /// loss is the cross-entropy in nats.
  case classes
  /// Numbers. Output and targets float32 `[batch, n]`. The loss is the mean square of the errors.
  case values
  /// Where something is. Output and targets float32 `[batch, 4]`: left, top, width and height as
  /// parts of the picture's sides, 0...1. The loss is Huber's, and what is counted as right is the
  /// overlap with the true box (``intersectionOverUnion(_:_:)``).
  case boxes
  /// The class of each pixel. Output `[batch, classes, height, width]`, before softmax; targets int32
  /// `[batch, height, width]`. The loss is the mean cross-entropy over the pixels, without those
  /// whose label is `ignored`; what is counted as right is the share of pixels.
  case masks(ignored: Int? = nil)

  /// The tensor that the targets are handed in by.
  func target(for output: Tensor) -> Tensor {
    switch self {
    case .classes: .input("label", [.batch], .int32)
    case .values, .boxes: .input("target", output.shape)
    case .masks: .input("mask", [.batch] + output.shape.dropFirst(2), .int32)
    }
  }

  /// The mean over the batch; one number.
  func loss(_ output: Tensor, _ target: Tensor) -> Tensor {
    switch self {
    case .classes: softmaxCrossEntropy(output, target).mean()
    case .values: squaredError(output, target).mean()
    // Sides are parts of 1: beyond a tenth the slope stays the same, so that far boxes do not rule.
    case .boxes: huberLoss(output, target, delta: 0.1).mean()
    case .masks(let ignored): PixelClasses(output, target, ignored: ignored).loss
    }
  }

  /// How much of the batch is wrong, each sample counting 0...1; nil where there is no such measure.
  func mistakes(_ output: Tensor, _ target: Tensor) -> Tensor? {
    switch self {
    case .classes: (output.argMax(axis: 1).cast(to: .int32) .!= target).sum()
    case .values: nil
    case .boxes: (1 - intersectionOverUnion(output, target)).sum()
    case .masks(let ignored): PixelClasses(output, target, ignored: ignored).mistakes
    }
  }

  /// What a data set lacks for this goal with a network of this output: a sentence; nil if nothing.
  func mistake(_ output: Tensor, _ data: DataSet) -> (message: String, hint: String?)? {
    switch self {
    case .classes: return classMistake(output, data)
    case .values, .boxes:
      let shape = Array(data.targets.shape.dropFirst())
      let known = output.shape.dropFirst().map(\.known)
      guard data.targets.dtype == .float32, output.rank == 2, known == shape.map({ $0 }) else {
        return ("the network's output is \(output.type), \(text(data))", nil)
      }
      if self == .boxes, shape != [4] {
        return ("a box is 4 numbers, \(text(data))", "left, top, width, height in 0...1")
      }
      return nil
    case .masks(let ignored): return maskMistake(output, data, ignored)
    }
  }

  private func text(_ data: DataSet) -> String {
    "the targets are \(data.targets.dtype)\(data.targets.shape)"
  }

  private func classMistake(_ output: Tensor, _ data: DataSet) -> (String, String?)? {
    let classes = data.classCount
    guard data.isClassification, classes > 0 else {
      return ("the data set \(data.name) has no class labels", nil)
    }
    guard output.rank == 2, output.shape[1].known == classes else {
      // One class too many is what labels look like that begin at 1.
      let isShifted = data.classNames.isEmpty && data.labels.min() == 1
      let hint =
        isShifted && output.shape.last?.known == classes - 1
        ? "labels are numbers from 0, these are 1 to \(classes - 1): subtract 1 from each"
        : "the last layer must have \(classes) units, as in \(classes)FC"
      return (
        "the network's output is \(output.type), the data have \(classes) classes", hint
      )
    }
    return nil
  }

  private func maskMistake(
    _ output: Tensor, _ data: DataSet, _ ignored: Int?
  ) -> (String, String?)? {
    let size = Array(data.targets.shape.dropFirst())
    guard output.rank == 4, let classes = output.shape[1].known, data.isSegmentation,
      output.shape.dropFirst(2).map(\.known) == size.map({ $0 })
    else {
      return ("the network's output is \(output.type), \(text(data))", nil)
    }
    let unknown = Set(data.targets.scalars(as: Int32.self)).filter {
      $0 >= classes && Int($0) != ignored
    }
    guard let label = unknown.min() else { return nil }
    return ("a pixel has the label \(label), the network has \(classes) classes", nil)
  }
}

/// Pixels as samples of a classifier.
private struct PixelClasses {
  /// `[pixels, classes]`.
  let rows: Tensor
  /// `[pixels]`, int32.
  let labels: Tensor
  /// 1 for pixels that count, float32 `[pixels]`.
  let counts: Tensor
  let batch: Tensor

  init(_ output: Tensor, _ target: Tensor, ignored: Int?) {
    let shape = output.shape
    let pixels = target.shape.reduce(1) { $0 * $1 }
    guard output.rank == 4 else {
      (rows, labels, counts, batch) = (output, output, output, output)
      return
    }
    rows = output.transposed([0, 2, 3, 1]).reshaped([pixels, shape[1]])
    let flat = target.reshaped([pixels])
    let isIgnored = flat .== (ignored ?? -1)
    labels = select(isIgnored, .zeros(like: flat), flat)
    counts = (flat .!= (ignored ?? -1)).cast(to: .float32)
    batch = Tensor.integer(shape[0]).cast(to: .float32)
  }

  private var count: Tensor { maximum(counts.sum(), 1) }

  var loss: Tensor { (softmaxCrossEntropy(rows, labels) * counts).sum() / count }

  /// The share of pixels that are wrong, as so many samples.
  var mistakes: Tensor {
    let isWrong = rows.argMax(axis: 1).cast(to: .int32) .!= labels
    return (isWrong.cast(to: .float32) * counts).sum() / count * batch
  }
}
