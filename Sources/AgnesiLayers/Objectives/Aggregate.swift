import AgnesiExpressions

/// How the losses of samples become one number.
public enum Aggregation: String, Hashable, Sendable, Codable, CaseIterable {
  /// The sum divided by the number of elements; weights do not change the number.
  case mean
  case sum
  /// The sum divided by the sum of the weights: with a mask, the mean of what it keeps.
  case normalizedSum
}

/// One number from the losses of samples, each times its weight.
///
/// - Parameters:
///   - losses: floating, any shape, usually `[batch]`.
///   - weights: of the shape of `losses`, or one number; a mask may be bool. Without, all are 1.
/// - Returns: of no axes. With a mask that keeps nothing, `.normalizedSum` is NaN.
public func aggregated(
  _ losses: Tensor, weights: Tensor? = nil, by mode: Aggregation = .mean
) -> Tensor {
  guard let weights else {
    return mode == .sum ? losses.sum() : losses.mean()
  }
  if let failed = [losses, weights].first(where: { $0.failure != nil }) { return failed }
  guard weights.rank == 0 || haveEqualShapes(losses, weights) else {
    return disagreement("aggregated", "losses", losses, "weights", weights)
  }
  // A weight of 0 takes a sample out even where its loss is NaN.
  let factors = weights.cast(to: losses.dtype).broadcast(to: losses.shape)
  let weighted = select(factors .== 0, .zeros(like: losses), losses * factors)
  switch mode {
  case .mean: return weighted.mean()
  case .sum: return weighted.sum()
  case .normalizedSum:
    return (weighted.widened.sum() / factors.widened.sum()).narrowed(as: losses)
  }
}

/// Predictions and targets in one shape: a column `[batch, 1]` and a vector `[batch]` are the same
/// numbers, but an elementwise formula of the two would be a `[batch, batch]` table.
///
/// Other shapes must be equal, else both results carry the mistake.
public func aligned(
  _ predictions: Tensor, _ targets: Tensor
) -> (predictions: Tensor, targets: Tensor) {
  if let failed = [predictions, targets].first(where: { $0.failure != nil }) {
    return (failed, failed)
  }
  if haveEqualShapes(predictions, targets) { return (predictions, targets) }
  if predictions.isColumn, targets.rank == 1, predictions.shape[0].mayEqual(targets.shape[0]) {
    return (predictions, targets.reshaped(predictions.shape))
  }
  if targets.isColumn, predictions.rank == 1, predictions.shape[0].mayEqual(targets.shape[0]) {
    return (predictions.reshaped(targets.shape), targets)
  }
  let mistake = disagreement("aligned", "predictions", predictions, "targets", targets)
  return (mistake, mistake)
}

extension Tensor {
  /// `[n, 1]`.
  fileprivate var isColumn: Bool { rank == 2 && shape[1].isOne }
}

/// Same rank, and sizes that may be equal. A size that only has a name does not equal a number here
/// where it would be repeated, but only the program's sizes can tell.
func haveEqualShapes(_ a: Tensor, _ b: Tensor) -> Bool {
  a.rank == b.rank && zip(a.shape, b.shape).allSatisfy { $0.mayEqual($1) }
}

/// The mistake that two tensors have different shapes.
func disagreement(
  _ function: String, _ firstRole: String, _ first: Tensor, _ secondRole: String, _ second: Tensor
) -> Tensor {
  let operands = [(firstRole, first), (secondRole, second)].map { role, tensor in
    GraphError.Operand(
      role: role, name: tensor.name, type: tensor.type, location: tensor.node.location)
  }
  let isColumnAndVector =
    first.rank + second.rank == 3 && max(first.rank, second.rank) == 2
    && (first.isColumn || second.isColumn)
  return .failed(
    GraphError(
      function, "\(firstRole) and \(secondRole) must have the same shape", operands: operands,
      hint: isColumnAndVector ? "flattened() makes a vector of the column" : nil))
}
