import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLayers
import AgnesiLoops

/// A network that learns, as expressions: what training, evaluation and the saved file are made of.
public struct TrainingGraph: Sendable {
  /// What the network learns to say.
  public let goal: Goal
  /// Samples as the data set scales them: `[batch, …]`, float32.
  public let input: Tensor
  /// What is to be said of them; see ``Goal``.
  public let target: Tensor
  /// What the network says, as in training: for classes `[batch, classes]`, before softmax.
  public let output: Tensor
  /// The mean loss over the batch.
  public let loss: Tensor
  /// How many samples of the batch are wrong, where that can be counted. Of classes they are whole,
  /// int64; of boxes and masks each sample counts by its wrong part.
  public let mistakes: Tensor?

  /// A network of any kind.
  ///
  /// - Parameters:
  ///   - input: float32, `[batch, …]`, of known sizes but for the first.
  ///   - output: made of `input`, as in training.
  ///   - goal: what it learns.
  public init(input: Tensor, output: Tensor, goal: Goal) {
    self.goal = goal
    self.input = input
    self.output = output
    target = goal.target(for: output)
    loss = goal.loss(output, target)
    mistakes = goal.mistakes(output, target)
  }

  /// A chain of layers with new parameters.
  ///
  /// - Parameters:
  ///   - standardization: applied to the samples inside the graph, so that it travels with the model.
  ///   - seed: of initial values and dropout.
  public init(
    _ network: Chain, sampleShape: [Int], standardization: Standardization?, seed: UInt64,
    goal: Goal = .classes
  ) {
    let image = Tensor.input("image", [.batch] + sampleShape.map { Size($0) })
    let standardized = standardization.map { $0.applied(to: image) } ?? image
    self.init(
      input: image, output: Scope.seeded(seed) { network(standardized) }, goal: goal)
  }

  /// Of classes, for each sample, in inference: their probabilities, `[batch, classes]`.
  public var probabilities: Tensor { softmax(output.specialized(for: .inference), axis: 1) }

  /// The function that a saved classifier carries.
  package var classify: (inputs: [Tensor], outputs: [(name: String, tensor: Tensor)]) {
    let inferred = output.specialized(for: .inference)
    return (
      [input],
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
  ///
  /// - Parameter x: floating, `[batch, …]` with samples of the shape that was measured.
  public func applied(to x: Tensor) -> Tensor {
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
