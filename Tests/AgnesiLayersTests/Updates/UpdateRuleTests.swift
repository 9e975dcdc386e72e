import AgnesiArrays
import AgnesiExpressions
import AgnesiLayers
import Foundation
import TestSupport
import Testing

/// Three steps of each rule on the cost `Σ c·p²/2`, whose gradient is `c·p`, in float64, against
/// the formulas written out on numbers.
@Suite struct UpdateRuleTests {
  private static let start = [2.0, -3]
  private static let curvature = [1.0, 0.5]

  private let weight: Tensor
  private let cost: Tensor

  init() throws {
    weight = .parameter("w", [2], dtype: .float64)
    try weight.parameter?.assign(NDArray(Self.start))
    cost = (Tensor.constant(NDArray(Self.curvature)) * weight * weight).sum() / 2
  }

  /// The parameter after each of three steps.
  private func trajectory(_ updates: Updates) throws -> [[Double]] {
    try (0..<3).map { _ in
      try step(updates)
      return weight.parameter?.value.doubles ?? []
    }
  }

  /// The same by hand: `rule` gets parameter, gradient, step from 1, and two numbers that it keeps.
  private func expected(
    _ rule: (_ p: Double, _ g: Double, _ t: Double, _ s: inout [Double]) -> Double
  ) -> [[Double]] {
    var values = Self.start
    var states = [[0.0, 0, 0], [0.0, 0, 0]]
    return (1...3).map { t in
      for i in 0..<2 {
        let gradient = Self.curvature[i] * values[i]
        values[i] = rule(values[i], gradient, Double(t), &states[i])
      }
      return values
    }
  }

  private func check(
    _ updates: Updates, _ rule: (Double, Double, Double, inout [Double]) -> Double
  ) throws {
    let (got, wanted) = (try trajectory(updates), expected(rule))
    for (a, b) in zip(got, wanted) { #expect(isClose(a, b), "\(got) ≠ \(wanted)") }
  }

  @Test func sgdByHand() throws {
    try check(sgd(cost, [weight], rate: 0.1)) { p, g, _, _ in p - 0.1 * g }
    // 2·0.9³ and -3·0.95³
    #expect(isClose(weight.parameter?.value.doubles ?? [], [1.458, -2.572125]))
  }

  @Test func momentumByHand() throws {
    try check(momentum(cost, [weight], rate: 0.1, momentum: 0.8)) { p, g, _, s in
      s[0] = 0.8 * s[0] - 0.1 * g
      return p + s[0]
    }
    // v = -0.2, p = 1.8; v = -0.34, p = 1.46; v = -0.418, p = 1.042
    #expect(isClose([weight.parameter?.value.doubles[0] ?? 0], [1.042]))
  }

  @Test func nesterovByHand() throws {
    try check(nesterov(cost, [weight], rate: 0.1, momentum: 0.8)) { p, g, _, s in
      s[0] = 0.8 * s[0] - 0.1 * g
      return p + 0.8 * s[0] - 0.1 * g
    }
    // v = -0.2, p = 1.64; v = -0.324, p = 1.2168; v = -0.38088, p = 0.790416
    #expect(isClose([weight.parameter?.value.doubles[0] ?? 0], [0.790416]))
  }

  @Test func adagradByHand() throws {
    try check(adagrad(cost, [weight], rate: 0.5, epsilon: 0.01)) { p, g, _, s in
      s[0] += g * g
      return p - 0.5 * g / (s[0] + 0.01).squareRoot()
    }
  }

  @Test func rmspropByHand() throws {
    try check(rmsprop(cost, [weight], rate: 0.1, decay: 0.7, epsilon: 0.01)) { p, g, _, s in
      s[0] = 0.7 * s[0] + 0.3 * g * g
      return p - 0.1 * g / (s[0] + 0.01).squareRoot()
    }
  }

  @Test func adadeltaByHand() throws {
    try check(adadelta(cost, [weight], rate: 0.5, decay: 0.7, epsilon: 0.01)) { p, g, _, s in
      s[0] = 0.7 * s[0] + 0.3 * g * g
      let step = g * (s[1] + 0.01).squareRoot() / (s[0] + 0.01).squareRoot()
      s[1] = 0.7 * s[1] + 0.3 * step * step
      return p - 0.5 * step
    }
  }

  private static func adamStep(_ p: Double, _ g: Double, _ t: Double, _ s: inout [Double])
    -> Double
  {
    s[0] = 0.8 * s[0] + 0.2 * g
    s[1] = 0.9 * s[1] + 0.1 * g * g
    let rate = 0.1 * (1 - pow(0.9, t)).squareRoot() / (1 - pow(0.8, t))
    return p - rate * s[0] / (s[1].squareRoot() + 0.01)
  }

  @Test func adamByHand() throws {
    let updates = adam(cost, [weight], rate: 0.1, beta1: 0.8, beta2: 0.9, epsilon: 0.01)
    try check(updates, Self.adamStep)
  }

  @Test func adamWByHand() throws {
    let updates = adamW(
      cost, [weight], rate: 0.1, decay: 0.2, beta1: 0.8, beta2: 0.9, epsilon: 0.01)
    try check(updates) { p, g, t, s in Self.adamStep(p, g, t, &s) - 0.1 * 0.2 * p }
  }

  @Test func amsgradByHand() throws {
    let updates = amsgrad(cost, [weight], rate: 0.9, beta1: 0.8, beta2: 0.5, epsilon: 0.01)
    var hasShrunk = false
    try check(updates) { p, g, t, s in
      s[0] = 0.8 * s[0] + 0.2 * g
      s[1] = 0.5 * s[1] + 0.5 * g * g
      if s[1] < s[2] { hasShrunk = true }
      s[2] = max(s[2], s[1])
      let rate = 0.9 * (1 - pow(0.5, t)).squareRoot() / (1 - pow(0.8, t))
      return p - rate * s[0] / (s[2].squareRoot() + 0.01)
    }
    // Otherwise this would be a test of adam.
    #expect(hasShrunk)
  }

  @Test func adamaxByHand() throws {
    let updates = adamax(cost, [weight], rate: 0.1, beta1: 0.8, beta2: 0.9, epsilon: 0.01)
    try check(updates) { p, g, t, s in
      s[0] = 0.8 * s[0] + 0.2 * g
      s[1] = max(0.9 * s[1], abs(g))
      return p - 0.1 / (1 - pow(0.8, t)) * s[0] / (s[1] + 0.01)
    }
  }

  @Test func firstStepOfAdamIsPrecise() throws {
    // The correction 1 − 0.999 in float32 would err by 1e-5.
    let w = Tensor.parameter("narrow", [1])
    try w.parameter?.assign(NDArray([Float(1)]))
    try step(adam(w.sum(), [w], rate: 0.5))
    #expect(abs((w.parameter?.value.scalar ?? 0) - 0.5) < 2e-7)
  }

  @Test func momentumOnTopOfAnyRule() throws {
    try check(sgd(cost, [weight], rate: 0.1).addingMomentum(0.8)) { p, g, _, s in
      s[0] = 0.8 * s[0] - 0.1 * g
      return p + s[0]
    }
  }

  @Test func nesterovOnTopOfAnyRule() throws {
    try check(sgd(cost, [weight], rate: 0.1).addingNesterovMomentum(0.8)) { p, g, _, s in
      s[0] = 0.8 * s[0] - 0.1 * g
      return p + 0.8 * s[0] - 0.1 * g
    }
  }

  @Test func theOptimizerIsTheRule() throws {
    let rules: [(Optimizer, Updates)] = [
      (.sgd, sgd(cost, [weight], rate: 0.1)),
      (.momentum(momentum: 0.7), momentum(cost, [weight], rate: 0.1, momentum: 0.7)),
      (.nesterov(momentum: 0.7), nesterov(cost, [weight], rate: 0.1, momentum: 0.7)),
      (.adam(beta1: 0.7), adam(cost, [weight], rate: 0.1, beta1: 0.7)),
      (.adamW(decay: 0.3), adamW(cost, [weight], rate: 0.1, decay: 0.3)),
      (.amsgrad(beta2: 0.7), amsgrad(cost, [weight], rate: 0.1, beta2: 0.7)),
      (.adamax(epsilon: 0.3), adamax(cost, [weight], rate: 0.1, epsilon: 0.3)),
      (.rmsprop(decay: 0.7), rmsprop(cost, [weight], rate: 0.1, decay: 0.7)),
      (.adagrad(epsilon: 0.3), adagrad(cost, [weight], rate: 0.1, epsilon: 0.3)),
      (.adadelta(decay: 0.7), adadelta(cost, [weight], rate: 0.1, decay: 0.7)),
    ]
    for (optimizer, updates) in rules {
      let made = optimizer.updates(of: cost, parameters: [weight], rate: 0.1)
      #expect(
        made.pairs.map(\.parameter.name) == updates.pairs.map(\.parameter.name), "\(optimizer)")
      for both in zip(made.pairs, updates.pairs) {
        #expect(try value(both.0.value) == value(both.1.value), "\(optimizer)")
      }
    }
    #expect(Set(rules.map(\.0.name)) == Set(Optimizer.names))
  }
}
