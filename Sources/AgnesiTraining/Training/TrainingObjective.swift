import AgnesiExpressions
import AgnesiLayers

/// What is minimised, and how.
struct TrainingObjective {
  let rate: Tensor
  let updates: Updates

  init(_ graph: TrainingGraph, _ settings: TrainingSettings) {
    rate = .input("learningRate", [])
    let factors = settings.rateFactors.map(RateFactors.init)
    func learns(_ parameter: Tensor) -> Bool { factors?[parameter.name] != 0 }
    var cost = graph.loss
    if settings.weightPenalty > 0 {
      let weights = graph.output.parameters(.regularizable).filter(learns)
      cost = cost + settings.weightPenalty * l2(weights)
    }
    let learned = graph.output.parameters(.trainable).filter(learns)
    var gradients = Gradients(of: cost, withRespectTo: learned)
    // One norm of all groups: each shortened on its own would turn the direction.
    if let limit = settings.clip { gradients = gradients.clipped(totalNorm: limit) }
    guard let factors else {
      updates = settings.optimizer.updates(gradients, rate: rate)
      return
    }
    let groups = Dictionary(grouping: gradients.pairs) { factors[$0.parameter.name] }
    var pairs: [(Tensor, Tensor)] = []
    var failed: Updates?
    for (factor, group) in groups.sorted(by: { $0.key < $1.key }) {
      let own = Gradients(group.map { ($0.parameter, $0.gradient) })
      let changes = settings.optimizer.updates(own, rate: factor == 1 ? rate : rate * factor)
      if changes.failure != nil { failed = failed ?? changes }
      pairs += changes.pairs.map { ($0.parameter, $0.value) }
    }
    // Running averages come along once, for all groups together.
    updates = failed ?? Updates(pairs, bringing: [cost])
  }
}

/// Factors of the learning rate by the beginnings of parameters' names.
struct RateFactors {
  private let factors: [(prefix: String, factor: Double)]

  init(_ factors: [String: Double]) {
    self.factors = factors.sorted { $0.key.count > $1.key.count }.map { ($0.key, $0.value) }
  }

  /// That of the longest beginning; 1 where none fits.
  subscript(name: String) -> Double {
    factors.first { name.hasPrefix($0.prefix) }?.factor ?? 1
  }
}
