import AgnesiArrays
import AgnesiLoops

/// The cross-entropy between labels and the softmax of scores, in nats: −ln of the probability that
/// the scores give to the label.
///
/// - Parameters:
///   - logits: `[…, classes]`, floating: scores before softmax, of any size.
///   - labels: integers `[…]` in `0..<classes`, or distributions `[…, classes]`.
/// - Returns: one value for each sample, `[…]`, of the dtype of `logits`, at least 0; reduce it with
///   ``Tensor/mean(axes:keepingAxes:)``. A label outside of `0..<classes` gives NaN, and so does its
///   gradient.
/// - Source: Goodfellow, Bengio & Courville, *Deep Learning*, eq. 6.12 and 6.30.
public func softmaxCrossEntropy(_ logits: Tensor, _ labels: Tensor) -> Tensor {
  do throws(TypeError) {
    switch try Targets(logits, labels) {
    case .labels:
      return .builtIn(
        "softmaxCrossEntropy", [logits, labels], gradient: gradientsWithLabels,
        body: { lossWithLabels($0[0], $0[1]) })
    case .distributions(let converted):
      return .builtIn(
        "softmaxCrossEntropy", [logits, converted], gradient: gradientsWithDistributions,
        body: { crossEntropy($0[1], ofLogarithms: logSoftmax($0[0])) })
    }
  } catch {
    return .mistake("softmaxCrossEntropy", error, [("logits", logits), ("labels", labels)])
  }
}

/// The cross-entropy between labels and given probabilities, in nats: −ln of the label's
/// probability.
///
/// A probability of 0 gives ∞. Of ``softmax(_:axis:)`` the compiler makes
/// ``softmaxCrossEntropy(_:_:)``, which is never infinite; other probabilities are taken as they are.
///
/// - Parameters:
///   - probabilities: `[…, classes]`, floating, in 0...1.
///   - labels: integers `[…]` in `0..<classes`, or distributions `[…, classes]`.
/// - Returns: one value for each sample, `[…]`; NaN for a label outside of `0..<classes`.
public func crossEntropy(_ probabilities: Tensor, _ labels: Tensor) -> Tensor {
  do throws(TypeError) {
    switch try Targets(probabilities, labels) {
    case .labels:
      // The logarithm of the label's probability alone: those of others may be infinite.
      return .builtIn(
        "crossEntropy", [probabilities, labels],
        gradient: { upstream, operands, _ in
          let losses = -log(operands[0].picked(operands[1]))
          return pullback(
            of: [losses], upstream: upstream, withRespectTo: operands, stopping: true,
            unread: .some)
        },
        body: { -log($0[0].picked($0[1])) })
    case .distributions(let converted):
      return .builtIn(
        "crossEntropy", [probabilities, converted],
        gradient: { upstream, operands, _ in
          guard let upstream = upstream[0]?.expanded(axis: -1) else { return [nil, nil] }
          let (p, t) = (operands[0], operands[1])
          let spread = upstream.broadcast(to: p.shape)
          let toProbabilities = (-spread * t / p).keepingZeros(of: spread)
          return [
            select(t .== 0, .zeros(like: t), toProbabilities),
            (-spread * log(p)).keepingZeros(of: spread),
          ]
        },
        body: { crossEntropy($0[1], ofLogarithms: log($0[0])) })
    }
  } catch {
    return .mistake(
      "crossEntropy", error, [("probabilities", probabilities), ("labels", labels)])
  }
}

/// What the second operand of a cross-entropy is.
enum Targets {
  case labels
  case distributions(Tensor)

  init(_ scores: Tensor, _ targets: Tensor) throws(TypeError) {
    try Tensor.requireFloating([scores])
    guard scores.type.isKnown, targets.type.isKnown else {
      self = .labels
      return
    }
    guard scores.rank >= 1 else { throw TypeError("needs an axis of classes") }
    let samples = Array(scores.shape.dropLast())
    let (dtype, shape) = (targets.dtype, targets.shape)
    if shape.count == samples.count, zip(shape, samples).allSatisfy({ $0.mayEqual($1) }) {
      guard dtype.isInteger else {
        throw TypeError(
          "labels are integers, got \(dtype)", hint: "convert them with cast(to: .int32)")
      }
      self = .labels
    } else if shape.count == scores.rank,
      zip(shape, scores.shape).allSatisfy({ $0.mayEqual($1) })
    {
      self = .distributions(targets.cast(to: scores.dtype))
    } else {
      let wanted = TensorType(dtype, samples).shapeText
      throw TypeError(
        "labels are \(wanted), or distributions \(scores.type.shapeText), got"
          + " \(targets.type.shapeText)")
    }
  }
}

// MARK: - Formulas

/// ln Σ exp(x) − x[label], both relative to the largest score.
private func lossWithLabels(_ logits: Tensor, _ labels: Tensor) -> Tensor {
  let shifted = logits - logits.max(axes: [-1], keepingAxes: true)
  return log(exp(shifted).sum(axes: [-1])) - shifted.picked(labels)
}

// softmax(x) − one-hot
@Sendable private func gradientsWithLabels(
  _ upstream: [Tensor?], _ operands: [Tensor], _ results: [Tensor]
) -> [Tensor?] {
  guard let upstream = upstream[0] else { return [nil, nil] }
  let (logits, labels) = (operands[0], operands[1])
  let probabilities = softmax(logits)
  let hit = logits.isPicked(labels)
  let share = select(logits.isLabel(labels), upstream, .notANumber(like: upstream)).expanded(
    axis: -1)
  return [(probabilities - hit.cast(to: logits.dtype)) * share, nil]
}

// softmax(x)·Σt − t, and −ln softmax(x)
@Sendable private func gradientsWithDistributions(
  _ upstream: [Tensor?], _ operands: [Tensor], _ results: [Tensor]
) -> [Tensor?] {
  guard let upstream = upstream[0]?.expanded(axis: -1) else { return [nil, nil] }
  let (logits, t) = (operands[0], operands[1])
  let total = t.sum(axes: [-1], keepingAxes: true)
  return [upstream * (softmax(logits) * total - t), -upstream * logSoftmax(logits)]
}

/// −Σ t·ln p, where 0·ln 0 is 0.
private func crossEntropy(_ t: Tensor, ofLogarithms logarithms: Tensor) -> Tensor {
  -select(t .== 0, .zeros(like: t), t * logarithms).sum(axes: [-1])
}

extension Tensor {
  /// For each sample, the element of the last axis that its label names; NaN where there is none.
  ///
  /// A sum over the axis in which one element is not masked: it is fused with whatever else runs over
  /// the axis, and reads nothing outside.
  func picked(_ labels: Tensor) -> Tensor {
    let sum = select(isPicked(labels), self, .zeros(like: self)).sum(axes: [-1])
    return select(isLabel(labels), sum, .notANumber(like: sum))
  }

  /// Which elements the labels name: bool, of the shape of this.
  func isPicked(_ labels: Tensor) -> Tensor {
    let classes = Tensor.index(shape, axis: -1)
    return classes .== labels.cast(to: .int64).expanded(axis: -1).broadcast(to: shape)
  }

  /// Whether each label names a class: bool, of the shape of the labels.
  fileprivate func isLabel(_ labels: Tensor) -> Tensor {
    let index = labels.cast(to: .int64)
    return (index .>= 0) .& (index .< .integer(size(-1)))
  }

  fileprivate static func notANumber(like other: Tensor) -> Tensor {
    .constant(.nan, other.dtype).broadcast(to: other.shape)
  }
}
