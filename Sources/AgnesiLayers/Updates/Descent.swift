import AgnesiExpressions

// Update rules without per-parameter rates. In the formulas `p` is a parameter, `g` its slope and
// `η` the rate; all values on the right are those before the step.

/// Steepest descent: `p ← p − η·g`.
///
/// - Parameters:
///   - slopes: parameters and slopes, perhaps clipped.
///   - rate: η; 0.01 to 0.5 is usual.
public func sgd(_ slopes: Slopes, rate: some LearningRate) -> Updates {
  var rule = UpdateBuilder("sgd", slopes, rate)
  rule.forEach { [($0.parameter, $0.parameter - $0.rate * $0.slope)] }
  return rule.updates
}

/// ``sgd(_:rate:)`` along the gradient of `cost`.
public func sgd(_ cost: Tensor, _ parameters: [Tensor], rate: some LearningRate) -> Updates {
  sgd(Slopes(of: cost, withRespectTo: parameters), rate: rate)
}

/// Descent with a velocity: `v ← μ·v − η·g`, `p ← p + v`.
///
/// - Parameters:
///   - momentum: μ, `0..<1`; the steps grow up to `1 / (1 − μ)` times those of ``sgd(_:rate:)``.
///   - slopes, rate: as for ``sgd(_:rate:)``.
/// - Source: Polyak 1964; Sutskever et al. 2013, eq. 1–2.
public func momentum(
  _ slopes: Slopes, rate: some LearningRate, momentum: Double = 0.9
) -> Updates {
  var rule = UpdateBuilder("momentum", slopes, rate)
  rule.forEach { weight in
    let velocity = weight.state("velocity")
    let next = momentum * velocity - weight.rate * weight.slope
    return [(velocity, next), (weight.parameter, weight.parameter + next)]
  }
  return rule.updates
}

/// ``momentum(_:rate:momentum:)`` along the gradient of `cost`.
public func momentum(
  _ cost: Tensor, _ parameters: [Tensor], rate: some LearningRate, momentum: Double = 0.9
) -> Updates {
  let slopes = Slopes(of: cost, withRespectTo: parameters)
  return AgnesiLayers.momentum(slopes, rate: rate, momentum: momentum)
}

/// Descent with Nesterov's momentum: `v ← μ·v − η·g`, `p ← p + μ·v − η·g` with the new `v`.
///
/// The parameters are those of the look-ahead point, so that slopes need no second place.
///
/// - Source: Nesterov 1983, in the form of Sutskever et al. 2013, eq. 3–4, and Bengio et al. 2013.
public func nesterov(
  _ slopes: Slopes, rate: some LearningRate, momentum: Double = 0.9
) -> Updates {
  var rule = UpdateBuilder("nesterov", slopes, rate)
  rule.forEach { weight in
    let velocity = weight.state("velocity")
    let descent = weight.rate * weight.slope
    let next = momentum * velocity - descent
    let ahead = momentum * next - descent
    return [(velocity, next), (weight.parameter, weight.parameter + ahead)]
  }
  return rule.updates
}

/// ``nesterov(_:rate:momentum:)`` along the gradient of `cost`.
public func nesterov(
  _ cost: Tensor, _ parameters: [Tensor], rate: some LearningRate, momentum: Double = 0.9
) -> Updates {
  nesterov(Slopes(of: cost, withRespectTo: parameters), rate: rate, momentum: momentum)
}
