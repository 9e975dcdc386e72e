import AgnesiExpressions

/// Layers one after the other.
///
///     let lenet = Chain {
///       Convolution2D(filters: 20, kernel: 5, activation: .relu)
///       MaxPool2D(2)
///       Convolution2D(filters: 50, kernel: 5, activation: .relu)
///       MaxPool2D(2)
///       Dense(units: 256, activation: .relu)
///       Dense(units: 10)
///     }
///     let logits = lenet(image)
///
/// Parameters are named by the kinds of layers and their numbers: `convolution1.weight`,
/// `dense2.bias`. A chain that is a layer of another one is a scope of its own, `chain1.dense1`.
///
/// Where a ``BatchNormalization`` directly follows a dense or convolution layer, that layer loses its
/// bias and its nonlinearity moves behind the normalisation, as ``ActivationLayer``: ``layers`` shows
/// it.
public struct Chain: Layer {
  public static let kind = "chain"

  /// In the order of computation, with biases and nonlinearities as described above.
  public let layers: [any Layer]
  /// A scope around the names of all parameters; none where nil.
  public let name: String?
  /// What it was read from, for messages; of no account to what the chain computes or equals.
  let notation: String?

  /// A chain of a list of layers.
  public init(_ layers: [any Layer], name: String? = nil) {
    self.init(layers, name: name, notation: nil)
  }

  init(_ layers: [any Layer], name: String? = nil, notation: String?) {
    self.layers = Self.normalized(layers)
    self.name = name
    self.notation = notation
  }

  /// A chain of the layers that a closure lists; see ``ChainBuilder``.
  public init(name: String? = nil, @ChainBuilder _ layers: () -> [any Layer]) {
    self.init(layers(), name: name)
  }

  public func build(_ input: Tensor) -> Tensor { outputs(input).last ?? input }

  /// The output of each layer, in order, for what looks inside a network.
  ///
  /// As calling the chain does, this makes new parameters.
  public func outputs(_ input: Tensor) -> [Tensor] {
    var numbers = LayerNumbers(in: input)
    var current = input
    return layers.enumerated().map { index, layer in
      let operand = current
      current = layer.applied(to: operand, &numbers)
      if operand.failure == nil, var failure = current.failure, failure.wording == nil {
        failure.wording =
          NotationMistake(
            chain: self, index: index, input: operand.type, failure: failure
          )?.description
        current = .failed(failure)
      }
      return current
    }
  }

  public var details: String { "\(layers.count) layers" }
}

extension Chain {
  /// Biases taken away and nonlinearities moved where a normalisation follows. Doing it again
  /// changes nothing.
  private static func normalized(_ layers: [any Layer]) -> [any Layer] {
    var result: [any Layer] = []
    var moved: Activation?
    for (index, layer) in layers.enumerated() {
      let isNormalized =
        index + 1 < layers.count && layers[index + 1] is BatchNormalization
      if isNormalized, let weights = layer as? any Normalizable {
        moved = weights.activation
        result.append(weights.withoutBiasAndActivation())
        continue
      }
      result.append(layer)
      if layer is BatchNormalization, let activation = moved, activation != .identity {
        result.append(ActivationLayer(activation))
      }
      moved = nil
    }
    return result
  }
}

extension Normalizable {
  fileprivate func withoutBiasAndActivation() -> Self {
    var copy = self
    copy.bias = nil
    copy.activation = .identity
    return copy
  }
}

extension Chain: Hashable {
  public static func == (a: Chain, b: Chain) -> Bool {
    a.name == b.name && a.erased == b.erased
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(name)
    hasher.combine(erased)
  }

  private var erased: [AnyHashable] { layers.map { AnyHashable($0) } }
}
