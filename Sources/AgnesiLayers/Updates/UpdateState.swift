import AgnesiArrays
import AgnesiExpressions

/// Collects the pairs of an update rule, and makes the parameters that hold its state.
///
/// The state of `dense1.weight` is named after it (`dense1.weight.velocity`), starts at 0, and is
/// tagged ``ParameterTags/updateState``: part of a checkpoint, not of a model.
struct UpdateBuilder {
  let rule: String
  let gradients: Gradients
  private let rate: Tensor
  private(set) var pairs: [(Tensor, Tensor)] = []

  init(_ rule: String, _ gradients: Gradients, _ rate: some LearningRate) {
    self.rule = rule
    self.gradients = gradients
    self.rate = rate.rateTensor
  }

  /// What a rule sees of one parameter.
  struct Weight {
    let parameter: Tensor
    let gradient: Tensor
    let rate: Tensor
    fileprivate let name: String

    /// The state called `name`, of the parameter's shape.
    func state(_ name: String) -> Tensor {
      let shape = parameter.type.knownShape ?? []
      return .state("\(self.name).\(name)", shape: shape, dtype: parameter.dtype)
    }
  }

  /// New values from each parameter, gradient and rate; the last one is the parameter's.
  mutating func forEach(_ body: (Weight) -> [(Tensor, Tensor)]) {
    for (parameter, gradient) in gradients.pairs {
      let weight = Weight(
        parameter: parameter, gradient: gradient, rate: rate.asRate(of: rule, for: gradient),
        name: parameter.name)
      pairs += body(weight)
    }
  }

  /// Counts steps from 1 for rules that correct for the beginning: the number of this step, float64.
  ///
  /// One for all parameters of the rule, named after the first, so that two rules in one function
  /// (generator and discriminator) count apart.
  mutating func step() -> Tensor {
    let owner = gradients.pairs.first?.parameter.name ?? rule
    let count = Tensor.state("\(owner).step", shape: [], dtype: .int64)
    let next = count + 1
    pairs.append((count, next))
    return next.cast(to: .float64)
  }

  var updates: Updates { Updates(pairs, bringing: gradients.outputs) }
}

extension Tensor {
  /// A parameter under exactly this name, whatever the scope: the name that it is made from has the
  /// scope in it already.
  static func state(_ name: String, shape: [Int], dtype: DType) -> Tensor {
    .parameter(
      Parameter(
        name: name, shape: shape, dtype: dtype, tags: .updateState, initializer: .zeros, seed: 0))
  }
}
