import AgnesiExpressions

/// An update rule with its numbers, but for the rate: what a command names and a checkpoint records.
public enum Optimizer: Hashable, Sendable, Codable {
  case sgd
  case momentum(momentum: Double = 0.9)
  case nesterov(momentum: Double = 0.9)
  case adam(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8)
  case adamW(
    decay: Double = 0.01, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8)
  case amsgrad(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8)
  case adamax(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8)
  case rmsprop(decay: Double = 0.9, epsilon: Double = 1e-6)
  case adagrad(epsilon: Double = 1e-6)
  case adadelta(decay: Double = 0.95, epsilon: Double = 1e-6)

  /// The updates of `parameters` that lower `cost`.
  public func updates(
    of cost: Tensor, parameters: [Tensor], rate: some LearningRate
  ) -> Updates {
    updates(Gradients(of: cost, withRespectTo: parameters), rate: rate)
  }

  /// The updates along given gradients.
  public func updates(_ gradients: Gradients, rate: some LearningRate) -> Updates {
    made(self, gradients, rate)
  }
}

// Outside of the enumeration, whose cases hide the functions of the same names.
private func made(_ rule: Optimizer, _ gradients: Gradients, _ rate: some LearningRate) -> Updates {
  switch rule {
  case .sgd: sgd(gradients, rate: rate)
  case .momentum(let mu): momentum(gradients, rate: rate, momentum: mu)
  case .nesterov(let mu): nesterov(gradients, rate: rate, momentum: mu)
  case .adam(let beta1, let beta2, let epsilon):
    adam(gradients, rate: rate, beta1: beta1, beta2: beta2, epsilon: epsilon)
  case .adamW(let decay, let beta1, let beta2, let epsilon):
    adamW(gradients, rate: rate, decay: decay, beta1: beta1, beta2: beta2, epsilon: epsilon)
  case .amsgrad(let beta1, let beta2, let epsilon):
    amsgrad(gradients, rate: rate, beta1: beta1, beta2: beta2, epsilon: epsilon)
  case .adamax(let beta1, let beta2, let epsilon):
    adamax(gradients, rate: rate, beta1: beta1, beta2: beta2, epsilon: epsilon)
  case .rmsprop(let decay, let epsilon):
    rmsprop(gradients, rate: rate, decay: decay, epsilon: epsilon)
  case .adagrad(let epsilon): adagrad(gradients, rate: rate, epsilon: epsilon)
  case .adadelta(let decay, let epsilon):
    adadelta(gradients, rate: rate, decay: decay, epsilon: epsilon)
  }
}

extension Optimizer {
  private static let usual: [Optimizer] = [
    .sgd, .momentum(), .nesterov(), .adam(), .adamW(), .amsgrad(), .adamax(), .rmsprop(),
    .adagrad(), .adadelta(),
  ]

  /// The names that ``named(_:)`` knows.
  public static let names = usual.map(\.name)

  /// What ``named(_:)`` knows it by.
  public var name: String {
    switch self {
    case .sgd: "sgd"
    case .momentum: "momentum"
    case .nesterov: "nesterov"
    case .adam: "adam"
    case .adamW: "adamw"
    case .amsgrad: "amsgrad"
    case .adamax: "adamax"
    case .rmsprop: "rmsprop"
    case .adagrad: "adagrad"
    case .adadelta: "adadelta"
    }
  }

  /// A largest rate that suits small networks under a schedule that ends near 0.
  public var usualRate: Double {
    switch self {
    case .sgd: 0.2
    case .momentum, .nesterov: 0.05
    case .adam, .adamW, .amsgrad: 0.002
    case .adamax: 0.004
    case .rmsprop: 0.001
    case .adagrad: 0.02
    case .adadelta: 1
    }
  }

  /// ``usualRate``, or twice that for a network with sigmoids between its layers, whose gradients
  /// shrink to a quarter on the way back through each. Rules that adapt to the size of gradients do
  /// not need it.
  public func usualRate(for network: Chain) -> Double {
    switch self {
    case .sgd, .momentum, .nesterov: usualRate * (network.hasInnerSigmoids ? 2 : 1)
    default: usualRate
    }
  }

  /// The rule of that name, with usual numbers.
  ///
  /// - Throws: ``UnknownName``.
  public static func named(_ name: String) throws -> Optimizer {
    guard let found = usual.first(where: { $0.name == name.lowercased() }) else {
      throw UnknownName(kind: "optimizer", name: name, known: names)
    }
    return found
  }
}
