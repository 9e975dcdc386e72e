import AgnesiExpressions

// Update rules without per-parameter rates. In the formulas `p` is a parameter, `g` its gradient
// and `η` the rate; all values on the right are those before the step.

/// Steepest descent: `p ← p − η·g`.
///
/// - Parameters:
///   - gradients: parameters and gradients, perhaps clipped.
///   - rate: η; 0.01 to 0.5 is usual.
public func sgd(_ gradients: Gradients, rate: some LearningRate) -> Updates {
  var rule = UpdateBuilder("sgd", gradients, rate)
  rule.forEach { [($0.parameter, $0.parameter - $0.rate * $0.gradient)] }
  return rule.updates
}

/// ``sgd(_:rate:)`` along the gradient of `cost`.
public func sgd(_ cost: Tensor, _ parameters: [Tensor], rate: some LearningRate) -> Updates {
  sgd(Gradients(of: cost, withRespectTo: parameters), rate: rate)
}

/// Descent with a velocity: `v ← μ·v − η·g`, `p ← p + v`.
///
/// - Parameters:
///   - momentum: μ, `0..<1`; the steps grow up to `1 / (1 − μ)` times those of ``sgd(_:rate:)``.
///   - gradients, rate: as for ``sgd(_:rate:)``.
/// - Source: Polyak 1964; Sutskever et al. 2013, eq. 1–2.
public func momentum(
  _ gradients: Gradients, rate: some LearningRate, momentum: Double = 0.9
) -> Updates {
  var rule = UpdateBuilder("momentum", gradients, rate)
  rule.forEach { weight in
    let velocity = weight.state("velocity")
    let next = momentum * velocity - weight.rate * weight.gradient
    return [(velocity, next), (weight.parameter, weight.parameter + next)]
  }
  return rule.updates
}

/// ``momentum(_:rate:momentum:)`` along the gradient of `cost`.
public func momentum(
  _ cost: Tensor, _ parameters: [Tensor], rate: some LearningRate, momentum: Double = 0.9
) -> Updates {
  let gradients = Gradients(of: cost, withRespectTo: parameters)
  return AgnesiLayers.momentum(gradients, rate: rate, momentum: momentum)
}

/// Descent with Nesterov's momentum: `v ← μ·v − η·g`, `p ← p + μ·v − η·g` with the new `v`.
///
/// The parameters are those of the look-ahead point, so that gradients need no second place.
///
/// - Source: Nesterov 1983, in the form of Sutskever et al. 2013, eq. 3–4, and Bengio et al. 2013.
public func nesterov(
  _ gradients: Gradients, rate: some LearningRate, momentum: Double = 0.9
) -> Updates {
  var rule = UpdateBuilder("nesterov", gradients, rate)
  rule.forEach { weight in
    let velocity = weight.state("velocity")
    let descent = weight.rate * weight.gradient
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
  nesterov(Gradients(of: cost, withRespectTo: parameters), rate: rate, momentum: momentum)
}
