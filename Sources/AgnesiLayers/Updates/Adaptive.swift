import AgnesiExpressions

// Update rules that divide each element's slope by the size of its slopes so far. In the formulas
// `p` is a parameter, `g` its slope, `η` the rate and `ε` a small number that keeps the first steps
// finite.

/// `a ← a + g²`, `p ← p − η·g / √(a + ε)`: rates that only shrink.
///
/// - Source: Duchi et al., *Adaptive subgradient methods*, JMLR 2011, §1.1.
public func adagrad(
  _ slopes: Slopes, rate: some LearningRate, epsilon: Double = 1e-6
) -> Updates {
  var rule = UpdateBuilder("adagrad", slopes, rate)
  rule.forEach { weight in
    let squares = weight.state("squares")
    let next = squares + square(weight.slope)
    let step = weight.rate * weight.slope / sqrt(next + epsilon)
    return [(squares, next), (weight.parameter, weight.parameter - step)]
  }
  return rule.updates
}

/// ``adagrad(_:rate:epsilon:)`` along the gradient of `cost`.
public func adagrad(
  _ cost: Tensor, _ parameters: [Tensor], rate: some LearningRate, epsilon: Double = 1e-6
) -> Updates {
  adagrad(Slopes(of: cost, withRespectTo: parameters), rate: rate, epsilon: epsilon)
}

/// `a ← ρ·a + (1 − ρ)·g²`, `p ← p − η·g / √(a + ε)`.
///
/// - Parameter decay: ρ, the weight of the past.
/// - Source: Tieleman & Hinton, *Lecture 6.5*, Coursera 2012.
public func rmsprop(
  _ slopes: Slopes, rate: some LearningRate, decay: Double = 0.9, epsilon: Double = 1e-6
) -> Updates {
  var rule = UpdateBuilder("rmsprop", slopes, rate)
  rule.forEach { weight in
    let meanSquare = weight.state("meanSquare")
    let next = decay * meanSquare + (1 - decay) * square(weight.slope)
    let step = weight.rate * weight.slope / sqrt(next + epsilon)
    return [(meanSquare, next), (weight.parameter, weight.parameter - step)]
  }
  return rule.updates
}

/// ``rmsprop(_:rate:decay:epsilon:)`` along the gradient of `cost`.
public func rmsprop(
  _ cost: Tensor, _ parameters: [Tensor], rate: some LearningRate, decay: Double = 0.9,
  epsilon: Double = 1e-6
) -> Updates {
  rmsprop(
    Slopes(of: cost, withRespectTo: parameters), rate: rate, decay: decay, epsilon: epsilon)
}

/// `a ← ρ·a + (1 − ρ)·g²`, `u = g·√(d + ε) / √(a + ε)`, `d ← ρ·d + (1 − ρ)·u²`, `p ← p − η·u`: steps
/// in the parameter's own units, which need no rate (η = 1).
///
/// - Source: Zeiler, *ADADELTA*, 2012, algorithm 1.
public func adadelta(
  _ slopes: Slopes, rate: some LearningRate = 1.0, decay: Double = 0.95, epsilon: Double = 1e-6
) -> Updates {
  var rule = UpdateBuilder("adadelta", slopes, rate)
  rule.forEach { weight in
    let (meanSquare, meanStep) = (weight.state("meanSquare"), weight.state("meanSquareStep"))
    let nextSquare = decay * meanSquare + (1 - decay) * square(weight.slope)
    let step = weight.slope * sqrt(meanStep + epsilon) / sqrt(nextSquare + epsilon)
    let nextStep = decay * meanStep + (1 - decay) * square(step)
    return [
      (meanSquare, nextSquare), (meanStep, nextStep),
      (weight.parameter, weight.parameter - weight.rate * step),
    ]
  }
  return rule.updates
}

/// ``adadelta(_:rate:decay:epsilon:)`` along the gradient of `cost`.
public func adadelta(
  _ cost: Tensor, _ parameters: [Tensor], rate: some LearningRate = 1.0, decay: Double = 0.95,
  epsilon: Double = 1e-6
) -> Updates {
  adadelta(
    Slopes(of: cost, withRespectTo: parameters), rate: rate, decay: decay, epsilon: epsilon)
}
