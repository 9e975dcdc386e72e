import AgnesiArrays
import AgnesiLoops

/// The cross-entropy between targets and the sigmoid of scores, for each element, in nats.
///
/// - Parameters:
///   - logits: floating: scores before the sigmoid, of any size.
///   - targets: probabilities in 0...1, usually 0 or 1, of the shape of `logits` (a column of size 1
///     counts as a vector).
/// - Returns: `max(x, 0) − x·t + ln(1 + exp(−|x|))`, of the shape and dtype of `logits`.
/// - Source: Goodfellow, Bengio & Courville, *Deep Learning*, §6.2.2.2.
public func sigmoidCrossEntropy(_ logits: Tensor, _ targets: Tensor) -> Tensor {
  elementLoss(
    "sigmoidCrossEntropy", ("logits", logits), targets,
    gradient: { upstream, x, t in (upstream * (sigmoid(x) - t), -upstream * x) },
    body: { x, t in relu(x) - x * t + softplus(-abs(x)) })
}

/// The cross-entropy between targets and given probabilities, for each element, in nats.
///
/// Probabilities are taken as they are: one of 0 or 1 on the wrong side gives ∞. Of the sigmoid the
/// compiler makes ``sigmoidCrossEntropy(_:_:)``, which is never infinite.
///
/// - Parameters:
///   - probabilities: floating, in 0...1.
///   - targets: in 0...1, usually 0 or 1, of the shape of `probabilities` (a column of size 1 counts as
///     a vector).
/// - Returns: `−t·ln p − (1 − t)·ln(1 − p)` with 0·ln 0 = 0, of the shape and dtype of
///   `probabilities`.
public func binaryCrossEntropy(_ probabilities: Tensor, _ targets: Tensor) -> Tensor {
  elementLoss(
    "binaryCrossEntropy", ("probabilities", probabilities), targets,
    gradient: { upstream, p, t in
      let zero = Tensor.zeros(like: p)
      let whole = select(t .== 1, zero, (1 - t) / (1 - p)) - select(t .== 0, zero, t / p)
      return (
        (upstream * whole).keepingZeros(of: upstream),
        (upstream * (log1p(-p) - log(p))).keepingZeros(of: upstream)
      )
    },
    body: { p, t in
      let zero = Tensor.zeros(like: p)
      let hit = select(t .== 0, zero, t * log(p))
      return -(hit + select(t .== 1, zero, (1 - t) * log1p(-p)))
    })
}

/// A loss of each element and its target, as a composite with closed-form gradients.
func elementLoss(
  _ name: String, _ prediction: (role: String, tensor: Tensor), _ targets: Tensor,
  attributes: [String: Attribute] = [:],
  gradient: (@Sendable (_ upstream: Tensor, _ x: Tensor, _ t: Tensor) -> (Tensor, Tensor))? = nil,
  body: (_ x: Tensor, _ t: Tensor) -> Tensor
) -> Tensor {
  let pair: (Tensor, Tensor)
  do throws(TypeError) {
    try Tensor.requireFloating([prediction.tensor])
    pair = try Tensor.matched(prediction.tensor, targets)
  } catch {
    return .mistake(name, error, [prediction, ("targets", targets)])
  }
  let rule = gradient.map { gradient -> Composite.Rule in
    { upstream, operands, _ in
      guard let upstream = upstream[0] else { return [nil, nil] }
      let (x, t) = gradient(upstream, operands[0], operands[1])
      return [x, t]
    }
  }
  return .builtIn(name, [pair.0, pair.1], attributes: attributes, gradient: rule) {
    body($0[0], $0[1])
  }
}

extension Tensor {
  /// Predictions and targets in one shape and dtype.
  ///
  /// Where one is a column `[…, 1]` and the other `[…]`, the column becomes a vector: broadcasting
  /// would make a square of them. Nothing else is repeated, except a single target.
  static func matched(_ x: Tensor, _ targets: Tensor) throws(TypeError) -> (Tensor, Tensor) {
    guard x.type.isKnown, targets.type.isKnown else { return (x, targets) }
    var t = targets.cast(to: x.dtype)
    if t.rank == 0 { return (x, t.broadcast(to: x.shape)) }
    if x.rank == t.rank + 1, x.size(-1).isOne {
      return try matched(x.reshaped(Array(x.shape.dropLast())), targets)
    }
    if t.rank == x.rank + 1, t.size(-1).isOne { t = t.reshaped(Array(t.shape.dropLast())) }
    guard x.rank == t.rank, zip(x.shape, t.shape).allSatisfy({ $0.mayEqual($1) }) else {
      throw TypeError(
        "targets \(targets.type.shapeText) for predictions \(x.type.shapeText)")
    }
    return (x, t)
  }
}
