import AgnesiArrays
import AgnesiLoops

/// The results of ``batchNormalized(_:scale:offset:runningMean:runningVariance:epsilon:weightOfNew:axes:)``.
public struct BatchNormalized: Sendable {
  /// The normalised values.
  public let output: Tensor
  /// The new running averages. An update rule for parameters among the operands brings them along.
  public let runningMean: Tensor
  public let runningVariance: Tensor
}

/// Values normalised by the mean and variance of their mini-batch, in inference by running averages.
///
/// Training: `y = (x − mean) / √(variance + ε) · scale + offset`, with the variance divided by the
/// number of values `m`. The averages become `(1 − a)·old + a·new`, where the new variance is the
/// unbiased one, divided by `m − 1`, as in PyTorch and Theano (Lasagne averages `1/√(variance + ε)`).
/// Inference: the same formula for `y` with the running averages, which keep their values.
///
/// Of 16-bit floats everything is computed in float32 and rounded once; their averages, scale and offset
/// are float32, or of the dtype of `x`.
///
/// - Parameters:
///   - x: floating, usually `[batch, channels, …]`.
///   - scale: one value for each index of the axes that are left, or nil for 1.
///   - offset: the same, or nil for 0.
///   - runningMean: the same; a parameter with the tag ``ParameterTags/statistic``.
///   - runningVariance: the same.
///   - epsilon: added to variances, positive.
///   - weightOfNew: `a`, the weight of this batch in the running averages, 0...1.
///   - axes: what the statistics are over; all but axis 1 where nil (of a vector, axis 0).
/// - Returns: values of the shape and dtype of `x`, and the new averages.
/// - Source: Ioffe & Szegedy, *Batch normalization*, 2015, algorithms 1 and 2.
public func batchNormalized(
  _ x: Tensor, scale: Tensor? = nil, offset: Tensor? = nil, runningMean: Tensor,
  runningVariance: Tensor, epsilon: Double = 1e-5, weightOfNew: Double = 0.1, axes: [Int]? = nil
) -> BatchNormalized {
  let form: BatchNormalization
  let operands = [x, runningMean, runningVariance] + [scale, offset].compactMap { $0 }
  do throws(TypeError) {
    form = BatchNormalization(
      axes: try x.normalized(axes: axes ?? Array(0..<x.rank).filter { $0 != 1 }),
      epsilon: epsilon, weightOfNew: weightOfNew, hasScale: scale != nil, hasOffset: offset != nil)
    try form.validate(operands)
  } catch {
    let affine = (scale == nil ? [] : ["scale"]) + (offset == nil ? [] : ["offset"])
    let roles = ["input", "running mean", "running variance"] + affine
    let failed = Tensor.mistake(
      "batchNormalized", error, zip(roles, operands).map { (role: $0, tensor: $1) })
    return BatchNormalized(output: failed, runningMean: failed, runningVariance: failed)
  }
  let results = Tensor.builtIn(
    "batchNormalized", operands, attributes: form.attributes, inference: form.inference,
    updates: [(operand: 1, result: 1), (operand: 2, result: 2)], resultCount: 3,
    body: form.training)
  return BatchNormalized(
    output: results[0], runningMean: results[1], runningVariance: results[2])
}

/// The attributes of a batch normalisation and its formulas.
private struct BatchNormalization {
  var axes: [Int]
  var epsilon: Double
  var weightOfNew: Double
  var hasScale: Bool
  var hasOffset: Bool

  var attributes: [String: Attribute] {
    [
      "axes": .integers(axes), "epsilon": .number(epsilon), "weightOfNew": .number(weightOfNew),
      "affine": .integers([hasScale ? 1 : 0, hasOffset ? 1 : 0]),
    ]
  }

  func validate(_ operands: [Tensor]) throws(TypeError) {
    try requirePositive(epsilon)
    guard (0...1).contains(weightOfNew) else {
      throw TypeError("the weight of the new batch is in 0...1, got \(weightOfNew)")
    }
    try Tensor.requireFloating(operands)
    guard operands.allSatisfy(\.type.isKnown) else { return }
    let x = operands[0]
    let left = x.shape.indices.filter { !axes.contains($0) }.map { x.shape[$0] }
    let expected = TensorType(x.dtype.computed, left)
    for operand in operands.dropFirst()
    where !operand.type.mayEqual(expected) && !operand.type.mayEqual(TensorType(x.dtype, left)) {
      throw TypeError("statistics, scale and offset are \(expected) here, got \(operand.type)")
    }
  }

  /// `y`, and the running averages after this batch.
  func training(_ operands: [Tensor]) -> [Tensor] {
    let x = operands[0]
    let statistics = Statistics(x, axes: axes)
    let y = affine(standardized(x, axes: axes, epsilon: epsilon), operands)
    let count = Tensor.integer(axes.reduce(1) { $0 * x.shape[$1] })
    // A single value has no unbiased variance; its biased one, 0, is taken.
    let others = maximum(count - 1, 1)
    let correction = count.cast(to: x.dtype) / others.cast(to: x.dtype)
    let mean = statistics.mean.reshaped(operands[1].shape)
    let variance = statistics.variance.reshaped(operands[2].shape) * correction
    return [y, averaged(operands[1], mean), averaged(operands[2], variance)]
  }

  private func averaged(_ old: Tensor, _ new: Tensor) -> Tensor {
    old * (1 - weightOfNew) + new * weightOfNew
  }

  func inference(_ operands: [Tensor]) -> [Tensor] {
    let x = operands[0]
    let mean = operands[1].spread(along: axes, of: x)
    let factor = 1 / sqrt(operands[2] + epsilon)
    let y = affine((x - mean) * factor.spread(along: axes, of: x), operands)
    return [y, operands[1], operands[2]]
  }

  private func affine(_ x: Tensor, _ operands: [Tensor]) -> Tensor {
    var rest = operands.dropFirst(3)
    var result = x
    if hasScale, let scale = rest.popFirst() { result = result * scale.spread(along: axes, of: x) }
    if hasOffset, let offset = rest.popFirst() {
      result = result + offset.spread(along: axes, of: x)
    }
    return result
  }
}
