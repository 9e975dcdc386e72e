import AgnesiArrays
import AgnesiLoops

/// Some elements set to 0 by chance, the others scaled up so that the expected value stays.
///
/// Training: each element is kept with probability `1 − rate` and then divided by it. Inference:
/// `x` itself. A rate of 0 is `x` in both. Each use draws for itself, and each call again.
///
/// - Parameters:
///   - x: floating.
///   - rate: the probability of 0, in `0..<1`.
///   - sharedAxes: axes along which all elements share one draw: `[2, 3]` drops whole feature maps of
///     `[batch, channels, height, width]`, `[1]` drops the same places in all of them.
///   - name: of the random numbers; prefixed by the enclosing ``Scope``.
/// - Returns: the shape and dtype of `x`.
/// - Source: Srivastava et al., *Dropout: a simple way to prevent neural networks from overfitting*,
///   2014, §10, with the scaling in training.
public func dropout(
  _ x: Tensor, rate: Double = 0.5, sharedAxes: [Int] = [], name: String = "dropout"
) -> Tensor {
  let shared: [Int]
  do throws(TypeError) {
    try Tensor.requireFloating([x])
    guard rate >= 0, rate < 1 else { throw TypeError("the rate is in 0..<1, got \(rate)") }
    shared = try x.normalized(axes: sharedAxes)
  } catch {
    return .mistake("dropout", error, [("operand", x)])
  }
  if rate == 0 { return x }
  let scale = 1 / (1 - rate)
  let attributes: [String: Attribute] = [
    "rate": .number(rate), "sharedAxes": .integers(shared), "stream": .text(Scope.qualified(name)),
  ]
  // The draw is a result, so that the gradient uses it instead of drawing again.
  return .builtIn(
    "dropout", [x], attributes: attributes,
    gradient: { upstream, _, results in
      [upstream[0].map { select(results[1], $0 * scale, .zeros(like: $0)) }]
    },
    inference: { [$0[0], .constant(1, .bool).broadcast(to: $0[0].shape)] },
    isUnique: true, resultCount: 2,
    body: { operands in
      let x = operands[0]
      let drawn = x.shape.indices.map { shared.contains($0) ? Size(1) : x.shape[$0] }
      let kept = randomBernoulli(drawn, probability: 1 - rate, name: name).broadcast(to: x.shape)
      return [select(kept, x * scale, .zeros(like: x)), kept]
    })[0]
}
