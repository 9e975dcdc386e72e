import AgnesiExpressions

/// For each prediction, 1 where it is on the side of `threshold` on which the target is, else 0.
///
/// - Parameters:
///   - predictions: probabilities, or logits with a threshold of 0. Exactly `threshold` counts as no.
///   - targets: of the same shape (a column and a vector are aligned); above ½, or true, is yes.
/// - Returns: float32, of the shape of the predictions; `.mean()` of it is the accuracy.
public func binaryAccuracy(
  _ predictions: Tensor, _ targets: Tensor, threshold: Double = 0.5
) -> Tensor {
  let (x, y) = aligned(predictions, targets)
  if x.failure != nil { return x }
  let wanted = y.dtype == .bool ? y : y.cast(to: .float32) .> 0.5
  // A NaN is on neither side.
  let hits = select(wanted, x .> threshold, x .<= threshold)
  return hits.cast(to: .float32)
}

/// For each row, 1 where the wanted class is among the `topK` of the largest predictions, else 0.
///
/// Of equal predictions the lower class comes first, as for `argMax`; a row with NaN at the wanted
/// class is 0.
///
/// - Parameters:
///   - predictions: probabilities or logits, `[batch, classes]`.
///   - labels: integers `[batch]`, or a distribution `[batch, classes]`, whose largest class is
///     wanted.
/// - Returns: float32 `[batch]`; `.mean()` of it is the accuracy.
public func categoricalAccuracy(
  _ predictions: Tensor, _ labels: Tensor, topK: Int = 1
) -> Tensor {
  if let failed = [predictions, labels].first(where: { $0.failure != nil }) { return failed }
  if let mistake = accuracyMistake(predictions, labels, topK) { return mistake }
  let wanted = labels.rank == 2 ? labels.argMax(axis: 1) : labels
  let classes = Tensor.index(predictions.shape, axis: 1)
  let column = wanted.cast(to: .int64).expanded(axis: 1).broadcast(to: predictions.shape)
  let isWanted = classes .== column
  let score = select(isWanted, predictions, .zeros(like: predictions))
    .sum(axes: [1], keepingAxes: true).broadcast(to: predictions.shape)
  let isEarlierTie = (predictions .== score) .& (classes .< column)
  let ahead = ((predictions .> score) .| isEarlierTie).sum(axes: [1])
  // A comparison with NaN is false: ask which rows have a score at all.
  let isNumber = (score .== score).all(axes: [1])
  return ((ahead .< topK) .& isNumber).cast(to: .float32)
}

private func accuracyMistake(_ predictions: Tensor, _ labels: Tensor, _ topK: Int) -> Tensor? {
  func mistake(_ message: String, hint: String? = nil) -> Tensor {
    let operands = [("predictions", predictions), ("labels", labels)].map { role, tensor in
      GraphError.Operand(
        role: role, name: tensor.name, type: tensor.type, location: tensor.node.location)
    }
    return .failed(GraphError("categoricalAccuracy", message, operands: operands, hint: hint))
  }
  guard predictions.rank == 2 else {
    return mistake("needs predictions [batch, classes]")
  }
  if topK < 1 { return mistake("topK must be at least 1, got \(topK)") }
  if labels.rank == 2 {
    if haveEqualShapes(predictions, labels) { return nil }
    return mistake(
      "labels must be [batch] or of the shape of the predictions",
      hint: labels.shape[1].isOne ? "flattened() makes a vector of the column" : nil)
  }
  guard labels.rank == 1, labels.shape[0].mayEqual(predictions.shape[0]) else {
    return mistake("labels must be [batch] or of the shape of the predictions")
  }
  guard labels.dtype.isInteger else {
    return mistake("labels [batch] must be integers, got \(labels.dtype)")
  }
  return nil
}
