import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLayers
import AgnesiLoops

/// A network that classifies, as expressions: what training, evaluation and the saved file are made
/// of.
public struct ClassifierGraph: Sendable {
  /// Samples as the data set scales them: `[batch, …]`, float32.
  public let image: Tensor
  /// `[batch]`, int32, `0..<classes`.
  public let label: Tensor
  /// `[batch, classes]`, before softmax, as in training.
  public let logits: Tensor
  /// The mean cross-entropy over the batch, in nats.
  public let loss: Tensor
  /// How many samples of the batch are classified wrongly; int64.
  public let mistakes: Tensor

  /// - Parameters:
  ///   - standardization: applied to the images inside the graph, so that it travels with the model.
  ///   - seed: of initial values and dropout.
  public init(
    _ network: Chain, sampleShape: [Int], standardization: Standardization?, seed: UInt64
  ) {
    image = .input("image", [.batch] + sampleShape.map { Size($0) })
    label = .input("label", [.batch], .int32)
    let standardized = standardization.map { [image] in $0.applied(to: image) } ?? image
    logits = Scope.seeded(seed) { network(standardized) }
    loss = softmaxCrossEntropy(logits, label).mean()
    mistakes = (logits.argMax(axis: 1).cast(to: .int32) .!= label).sum()
  }

  /// For each sample, in inference: the probabilities of the classes, `[batch, classes]`.
  public var probabilities: Tensor { softmax(logits.specialized(for: .inference), axis: 1) }

  /// The function that a saved model carries.
  package var classify: (inputs: [Tensor], outputs: [(name: String, tensor: Tensor)]) {
    let inferred = logits.specialized(for: .inference)
    return (
      [image],
      [
        (name: "probabilities", tensor: softmax(inferred, axis: 1)),
        (name: "class", tensor: inferred.argMax(axis: 1)),
        (name: "logits", tensor: inferred),
      ]
    )
  }
}

extension Standardization {
  /// The same as on arrays, as an expression: `(x - mean) / deviation` along the grain's axes.
  func applied(to x: Tensor) -> Tensor {
    let shape = statisticsShape
    let mean = NDArray(rounding: self.mean, shape: shape, .float32)
    let factor = NDArray(rounding: deviation.map { 1 / $0 }, shape: shape, .float32)
    return (x - .constant(mean)) * .constant(factor)
  }

  /// The shape in which mean and deviation broadcast against a sample.
  private var statisticsShape: [Int] {
    switch grain {
    case .global: [1]
    case .channel: sampleShape.indices.map { $0 == 0 ? sampleShape[0] : 1 }
    case .feature: sampleShape
    }
  }
}
