import AgnesiArrays
import AgnesiLoops

/// `x` with elements set to 0 at random in training, and unchanged in inference.
///
/// What is kept is divided by `1 - rate`, so that the expected value is that of `x` (inverted
/// dropout). The draw is keyed by seed, name and the number of the call; one mask serves all uses of
/// the result.
///
/// - Parameters:
///   - x: floating.
///   - rate: the probability that an element is dropped, `0..<1`; 0 gives `x` itself.
///   - sharedAxes: axes along which all elements are kept or dropped together: `[2, 3]` drops whole
///     feature maps of `[batch, channels, height, width]`.
///   - name: of the random stream.
/// - Source: Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov, *Dropout*, JMLR 15 (2014), §4
///   and §10.
public func dropout(
  _ x: Tensor, rate: Double = 0.5, sharedAxes: [Int] = [], name: String = "dropout"
) -> Tensor {
  if rate == 0 || !x.type.isKnown { return x }
  guard rate > 0, rate < 1 else {
    return .failed(GraphError("dropout", "the rate is \(rate), it must be at least 0 and below 1"))
  }
  let shared = Set(sharedAxes.map { $0 < 0 ? $0 + x.rank : $0 })
  if let wrong = shared.sorted().first(where: { !x.shape.indices.contains($0) }) {
    return .failed(GraphError("dropout", "axis \(wrong) of a tensor of \(x.rank) axes"))
  }
  let maskShape = x.shape.indices.map { shared.contains($0) ? 1 : x.shape[$0] }
  let attributes: [String: Attribute] = [
    "rate": .number(rate), "sharedAxes": .integers(shared.sorted()), "stream": .text(name),
  ]
  // Two dropouts are two draws, whatever their names.
  return .composite(
    "dropout", [x], attributes: attributes, inference: { $0[0] }, isOwnKind: true
  ) { operands in
    let x = operands[0]
    let keep = (randomUniform(maskShape, name: name) .>= rate).broadcast(to: x.shape)
    return select(keep, x * (1 / (1 - rate)), .zeros(like: x))
  }
}
