import AgnesiExpressions

// Update rules that divide each element's gradient by the size of its gradients so far. In the
// formulas `p` is a parameter, `g` its gradient, `η` the rate and `ε` a small number that keeps the
// first steps finite.

/// `a ← a + g²`, `p ← p − η·g / √(a + ε)`: rates that only shrink.
///
/// - Source: Duchi et al., *Adaptive subgradient methods*, JMLR 2011, §1.1.
public func adagrad(
  _ gradients: Gradients, rate: some LearningRate, epsilon: Double = 1e-6
) -> Updates {
  var rule = UpdateBuilder("adagrad", gradients, rate)
  rule.forEach { weight in
    let squares = weight.state("squares")
    let next = squares + square(weight.gradient)
    let step = weight.rate * weight.gradient / sqrt(next + epsilon)
    return [(squares, next), (weight.parameter, weight.parameter - step)]
  }
  return rule.updates
}

/// ``adagrad(_:rate:epsilon:)`` along the gradient of `cost`.
public func adagrad(
  _ cost: Tensor, _ parameters: [Tensor], rate: some LearningRate, epsilon: Double = 1e-6
) -> Updates {
  adagrad(Gradients(of: cost, withRespectTo: parameters), rate: rate, epsilon: epsilon)
}

/// `a ← ρ·a + (1 − ρ)·g²`, `p ← p − η·g / √(a + ε)`.
///
/// - Parameter decay: ρ, the weight of the past.
/// - Source: Tieleman & Hinton, *Lecture 6.5*, Coursera 2012.
public func rmsprop(
  _ gradients: Gradients, rate: some LearningRate, decay: Double = 0.9, epsilon: Double = 1e-6
) -> Updates {
  var rule = UpdateBuilder("rmsprop", gradients, rate)
  rule.forEach { weight in
    let meanSquare = weight.state("meanSquare")
    let next = decay * meanSquare + (1 - decay) * square(weight.gradient)
    let step = weight.rate * weight.gradient / sqrt(next + epsilon)
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
    Gradients(of: cost, withRespectTo: parameters), rate: rate, decay: decay, epsilon: epsilon)
}

/// `a ← ρ·a + (1 − ρ)·g²`, `u = g·√(d + ε) / √(a + ε)`, `d ← ρ·d + (1 − ρ)·u²`, `p ← p − η·u`: steps
/// in the parameter's own units, which need no rate (η = 1).
///
/// - Source: Zeiler, *ADADELTA*, 2012, algorithm 1.
public func adadelta(
  _ gradients: Gradients, rate: some LearningRate = 1.0, decay: Double = 0.95,
  epsilon: Double = 1e-6
) -> Updates {
  var rule = UpdateBuilder("adadelta", gradients, rate)
  rule.forEach { weight in
    let (meanSquare, meanStep) = (weight.state("meanSquare"), weight.state("meanSquareStep"))
    let nextSquare = decay * meanSquare + (1 - decay) * square(weight.gradient)
    let step = weight.gradient * sqrt(meanStep + epsilon) / sqrt(nextSquare + epsilon)
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
    Gradients(of: cost, withRespectTo: parameters), rate: rate, decay: decay, epsilon: epsilon)
}
