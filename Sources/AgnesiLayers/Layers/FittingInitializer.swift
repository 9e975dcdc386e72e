import AgnesiExpressions

extension Activation {
  /// The spread of initial weights that keeps the size of values from layer to layer.
  ///
  /// A sigmoid's outputs differ by a quarter of what its operands differ by, so that the weights of a
  /// sigmoid layer behind one must be four times larger; else each layer says less of the input than the
  /// one before, and a few of them nothing. What is not behind a sigmoid, such as standardised inputs,
  /// differs enough: there such weights would lead into the flat ends of the curve.
  ///
  /// - Parameter input: what the weights are multiplied with.
  ///
  /// Source: Glorot & Bengio 2010, whose derivation assumes a gradient of 1; the gain of 4 is that
  /// of Theano's tutorial (*Multilayer Perceptron*, deeplearning.net).
  package func fittingInitializer(behind input: Tensor) -> Initializer {
    switch self {
    case .relu, .relu6, .elu, .gelu: .heNormal
    case .leakyReLU(let slope): .he(uniform: false, gain: (2 / (1 + slope * slope)).squareRoot())
    case .selu: .lecunNormal
    case .sigmoid, .hardSigmoid: .glorot(uniform: true, gain: 1 / (input.gradientOfSigmoid ?? 1))
    default: .glorotUniform
    }
  }

  /// Whether gradients shrink to a quarter or less on the way back through it.
  package var isSigmoid: Bool { self == .sigmoid || self == .hardSigmoid }
}

extension Tensor {
  /// The gradient at 0 of the sigmoid that these values come from; nil where they come from
  /// something else.
  fileprivate var gradientOfSigmoid: Double? {
    var source = self
    while source.failure == nil, Self.passing.contains(source.label) {
      source = source.node.operands[0]
    }
    if source.isKind("sigmoid") { return 0.25 }
    return source.isKind("hardSigmoid") ? 0.2 : nil
  }

  /// What values pass through and keep about their size.
  private static let passing: Set<String> = [
    "maxPool", "averagePool", "dropout", "reshape", "transpose", "upsampled2D",
  ]
}

extension Chain {
  /// Whether a sigmoid stands before the last layer, so that gradients pass through it.
  var hasInnerSigmoids: Bool {
    layers.dropLast().contains { layer in
      switch layer {
      case let layer as any Normalizable: layer.activation.isSigmoid
      case let layer as ActivationLayer: layer.activation.isSigmoid
      case let chain as Chain: Chain(chain.layers + [Flatten()]).hasInnerSigmoids
      default: false
      }
    }
  }
}
