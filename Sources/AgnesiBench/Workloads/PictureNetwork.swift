import Agnesi

/// A network of the zoo, from pixels of 0...255.
struct PictureNetwork {
  private let network: ZooNetwork
  private let pixels: Tensor
  private let logits: Tensor

  /// - Parameter name: the zoo's.
  init(_ name: String) throws {
    guard let network = Zoo.network(name) else {
      throw ZooError("time the network \(name)", "the zoo has no network of that name")
    }
    let function = try network.model().functions[network.functionName]
    guard let function, let pixels = function.inputs.first,
      let logits = function.outputs.first(where: { $0.name == "logits" })?.tensor
    else { throw ZooError("time the network \(name)", "it has no scores of classes") }
    (self.network, self.pixels, self.logits) = (network, pixels, logits)
  }

  /// A training step, which gives the loss back.
  func training(batch: Int) throws -> Job {
    let label = Tensor.input("label", [.batch], .int32)
    let labels = Noise.labels(batch, classes: network.classCount)
    return Job(inputs: [pixels, label], batch: [images(batch), labels], network: logits) {
      let loss = softmaxCrossEntropy(logits, label).mean()
      let updates = momentum(loss, loss.parameters(.trainable), rate: 1e-4, momentum: 0.9)
      return .init(outputs: [loss], updates: updates)
    }
  }

  /// A forward pass, which gives the scores back.
  func inference(batch: Int) throws -> Job {
    Job(inputs: [pixels], batch: [images(batch)], network: logits) {
      .init(outputs: [logits.specialized(for: .inference)])
    }
  }

  private func images(_ count: Int) -> NDArray {
    Noise.bytes([count, network.channels, network.height, network.width])
  }
}
