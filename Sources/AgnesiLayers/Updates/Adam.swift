import AgnesiExpressions
import Foundation

// Adam and its relatives. `t` is the number of the step, from 1, one count for all parameters.

/// `m ← β₁·m + (1 − β₁)·g`, `v ← β₂·v + (1 − β₂)·g²`, `p ← p − a·m / (√v + ε)` with
/// `a = η·√(1 − β₂ᵗ) / (1 − β₁ᵗ)`.
///
/// This is the faster form at the end of the paper's section 2: `ε` stands beside the uncorrected
/// `√v`.
///
/// - Parameters:
///   - gradients: parameters and gradients, perhaps clipped.
///   - rate: η; 0.001 is usual.
///   - beta1: the weight of the past in the mean gradient.
///   - beta2: the weight of the past in the mean square.
/// - Source: Kingma & Ba, *Adam*, 2015, algorithm 1 and §2.
public func adam(
  _ gradients: Gradients, rate: some LearningRate = 0.001, beta1: Double = 0.9,
  beta2: Double = 0.999, epsilon: Double = 1e-8
) -> Updates {
  adam("adam", gradients, rate, beta1, beta2, epsilon) { _, next in next }
}

/// ``adam(_:rate:beta1:beta2:epsilon:)`` along the gradient of `cost`.
public func adam(
  _ cost: Tensor, _ parameters: [Tensor], rate: some LearningRate = 0.001, beta1: Double = 0.9,
  beta2: Double = 0.999, epsilon: Double = 1e-8
) -> Updates {
  adam(
    Gradients(of: cost, withRespectTo: parameters), rate: rate, beta1: beta1, beta2: beta2,
    epsilon: epsilon)
}

/// ``adam(_:rate:beta1:beta2:epsilon:)`` with the largest `v` so far in the place of `v`, so that rates
/// never grow again.
///
/// - Source: Reddi et al., *On the convergence of Adam and beyond*, 2018, algorithm 2.
public func amsgrad(
  _ gradients: Gradients, rate: some LearningRate = 0.001, beta1: Double = 0.9,
  beta2: Double = 0.999, epsilon: Double = 1e-8
) -> Updates {
  adam("amsgrad", gradients, rate, beta1, beta2, epsilon, largest: "largestMeanSquare") {
    maximum($0, $1)
  }
}

/// ``amsgrad(_:rate:beta1:beta2:epsilon:)`` along the gradient of `cost`.
public func amsgrad(
  _ cost: Tensor, _ parameters: [Tensor], rate: some LearningRate = 0.001, beta1: Double = 0.9,
  beta2: Double = 0.999, epsilon: Double = 1e-8
) -> Updates {
  amsgrad(
    Gradients(of: cost, withRespectTo: parameters), rate: rate, beta1: beta1, beta2: beta2,
    epsilon: epsilon)
}

private func adam(
  _ name: String, _ gradients: Gradients, _ rate: some LearningRate, _ beta1: Double,
  _ beta2: Double, _ epsilon: Double, largest: String? = nil,
  _ used: (_ old: Tensor, _ next: Tensor) -> Tensor
) -> Updates {
  var rule = UpdateBuilder(name, gradients, rate)
  let step = rule.step()
  let correction = sqrt(biasCorrection(beta2, step)) / biasCorrection(beta1, step)
  rule.forEach { weight in
    let (mean, meanSquare) = (weight.state("mean"), weight.state("meanSquare"))
    let nextMean = beta1 * mean + (1 - beta1) * weight.gradient
    let nextSquare = beta2 * meanSquare + (1 - beta2) * square(weight.gradient)
    var pairs = [(mean, nextMean), (meanSquare, nextSquare)]
    var size = nextSquare
    if let largest {
      let old = weight.state(largest)
      size = used(old, nextSquare)
      pairs.append((old, size))
    }
    let rate = weight.rate * correction.cast(to: weight.gradient.dtype)
    let change = rate * nextMean / (sqrt(size) + epsilon)
    return pairs + [(weight.parameter, weight.parameter - change)]
  }
  return rule.updates
}

/// `m ← β₁·m + (1 − β₁)·g`, `u ← max(β₂·u, |g|)`, `p ← p − η / (1 − β₁ᵗ) · m / (u + ε)`.
///
/// - Source: Kingma & Ba, *Adam*, 2015, algorithm 2.
public func adamax(
  _ gradients: Gradients, rate: some LearningRate = 0.002, beta1: Double = 0.9,
  beta2: Double = 0.999, epsilon: Double = 1e-8
) -> Updates {
  var rule = UpdateBuilder("adamax", gradients, rate)
  let correction = biasCorrection(beta1, rule.step())
  rule.forEach { weight in
    let (mean, largest) = (weight.state("mean"), weight.state("largest"))
    let nextMean = beta1 * mean + (1 - beta1) * weight.gradient
    let nextLargest = maximum(beta2 * largest, abs(weight.gradient))
    let rate = weight.rate / correction.cast(to: weight.gradient.dtype)
    let change = rate * nextMean / (nextLargest + epsilon)
    return [
      (mean, nextMean), (largest, nextLargest), (weight.parameter, weight.parameter - change),
    ]
  }
  return rule.updates
}

/// ``adamax(_:rate:beta1:beta2:epsilon:)`` along the gradient of `cost`.
public func adamax(
  _ cost: Tensor, _ parameters: [Tensor], rate: some LearningRate = 0.002, beta1: Double = 0.9,
  beta2: Double = 0.999, epsilon: Double = 1e-8
) -> Updates {
  adamax(
    Gradients(of: cost, withRespectTo: parameters), rate: rate, beta1: beta1, beta2: beta2,
    epsilon: epsilon)
}

/// `1 − betaᵗ` in float64: in float32 the first steps with β₂ = 0.999 would err by 1e-5.
private func biasCorrection(_ beta: Double, _ step: Tensor) -> Tensor {
  // The logarithm of 0 is not finite, and 1 − 0ᵗ is 1.
  beta > 0 ? -expm1(step * Foundation.log(beta)) : .constant(1, .float64)
}

/// ``adam(_:rate:beta1:beta2:epsilon:)`` with decoupled weight decay: weights (not biases) shrink by
/// `η · decay` of themselves in each step.
///
/// - Source: Loshchilov & Hutter, *Decoupled weight decay regularization*, 2019, algorithm 2.
public func adamW(
  _ gradients: Gradients, rate: some LearningRate = 0.001, decay: Double = 0.01,
  beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8
) -> Updates {
  adam(gradients, rate: rate, beta1: beta1, beta2: beta2, epsilon: epsilon)
    .decayingWeights(by: decay, rate: rate)
}

/// ``adamW(_:rate:decay:beta1:beta2:epsilon:)`` along the gradient of `cost`.
public func adamW(
  _ cost: Tensor, _ parameters: [Tensor], rate: some LearningRate = 0.001, decay: Double = 0.01,
  beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8
) -> Updates {
  adamW(
    Gradients(of: cost, withRespectTo: parameters), rate: rate, decay: decay, beta1: beta1,
    beta2: beta2, epsilon: epsilon)
}
