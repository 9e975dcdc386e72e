import AgnesiExpressions
import AgnesiLayers

/// A network while it is written down: the tensor so far, and each layer's output under its name.
///
///     var network = NetworkDraft(image)
///     network.add("conv1", Convolution2D(filters: 64, kernel: 3, activation: .relu))
///     network.add("pool1", MaxPool2D(2))
///     network.classify("fc2", classes: 10)
struct NetworkDraft {
  /// What the next layer reads.
  private(set) var current: Tensor
  /// The outputs of the layers, in their order.
  private(set) var layers: [(name: String, tensor: Tensor)] = []
  /// The scores of the classes, once there are some.
  private(set) var logits: Tensor?

  init(_ image: Tensor) { current = image }

  /// Puts a layer behind the last one. Its parameters' names begin with `name`.
  mutating func add(_ name: String, _ layer: some Layer) {
    add(name) { layer.build($0) }
  }

  /// Puts a part of several layers behind the last one, in a scope of that name.
  mutating func add(_ name: String, _ part: (Tensor) -> Tensor) {
    let input = current
    current = Scope.named(name) { part(input) }
    layers.append((name, current))
  }

  /// Goes on from here under a name that is not a layer's, such as `features`.
  mutating func note(_ name: String) { layers.append((name, current)) }

  /// Goes on behind an earlier layer, so that what came after it is a branch of its own.
  mutating func resume(at name: String) {
    guard let layer = layers.last(where: { $0.name == name }) else {
      internalError("no layer is called \(name)")
    }
    current = layer.tensor
  }

  /// The end of most networks: a layer of one unit for each class over the layer `features`.
  mutating func classify(_ name: String, classes: Int, dropout: Double = 0) {
    note("features")
    if dropout > 0 { add("dropout", Dropout(dropout)) }
    add(name, Dense(units: classes))
    logits = current
  }

  /// The end of networks whose scores are what was last added.
  mutating func endWithScores() { logits = current }
}

// Parts of networks that several families share. Names of parameters are those of the scope.

extension Tensor {
  /// A convolution without bias, normalised, then rectified: `name.weight` and `name.norm.scale` …
  func normalizedConvolution(
    _ name: String, _ filters: Int, kernel: Extent2D, stride: Extent2D = 1,
    padding: Padding2D = .same, groups: Int = 1, epsilon: Double = 1e-5,
    activation: Activation = .relu
  ) -> Tensor {
    Scope.named(name) {
      let sums = Convolution2D(
        filters: filters, kernel: kernel, stride: stride, padding: padding, groups: groups,
        weight: .initial(activation.fittingInitializer(behind: self)), bias: nil
      ).build(self)
      let normalized = Scope.named("norm") { BatchNormalization(epsilon: epsilon).build(sums) }
      return activation(normalized)
    }
  }

  /// A convolution with bias, then rectified.
  func convolution(
    _ name: String, _ filters: Int, kernel: Extent2D, stride: Extent2D = 1,
    padding: Padding2D = .same, activation: Activation = .relu
  ) -> Tensor {
    Scope.named(name) {
      Convolution2D(
        filters: filters, kernel: kernel, stride: stride, padding: padding, activation: activation
      ).build(self)
    }
  }
}
