import Agnesi

/// A network of the zoo with its first values, from pixels of 0...255.
struct PictureNetwork {
  /// How parameters follow a loss.
  typealias Rule = (_ loss: Tensor, _ parameters: [Tensor]) -> Updates

  private let network: ZooNetwork
  private let pixels: Tensor
  private let logits: Tensor
  /// Rows and columns of a picture.
  private let size: [Int]

  /// - Parameters:
  ///   - name: the zoo's.
  ///   - side: rows and columns of a picture; the network's usual ones where nil.
  init(_ name: String, side: Int? = nil) throws {
    guard let network = Zoo.network(name) else {
      throw ZooError("time the network \(name)", "the zoo has no network of that name")
    }
    size = [side ?? network.height, side ?? network.width]
    let model = try network.model(height: size[0], width: size[1])
    let function = model.functions[network.functionName]
    guard let function, let pixels = function.inputs.first,
      let logits = function.outputs.first(where: { $0.name == "logits" })?.tensor
    else { throw ZooError("time the network \(name)", "it has no scores of classes") }
    (self.network, self.pixels, self.logits) = (network, pixels, logits)
  }

  /// A training step by the cross-entropy of the pictures' classes.
  func training(
    batch: Int,
    updates: @escaping Rule = { momentum($0, $1, rate: 1e-4, momentum: 0.9) }
  ) throws -> Job {
    let label = Tensor.input("label", [.batch], .int32)
    let labels = Noise.labels(batch, classes: network.classCount)
    return Job(
      training: logits, by: softmaxCrossEntropy(logits, label).mean(), inputs: [pixels, label],
      batch: [images(batch), labels], updates: updates)
  }

  /// A training step by the cross-entropy of the pixels' classes.
  func segmentation(batch: Int, updates: @escaping Rule) throws -> Job {
    Job(
      segmenting: pixels, into: logits, images: images(batch), classes: network.classCount,
      updates: updates)
  }

  /// A forward pass, which gives the scores back.
  func inference(batch: Int) throws -> Job {
    Job(inputs: [pixels], batch: [images(batch)], network: logits) {
      .init(outputs: [logits.specialized(for: .inference)])
    }
  }

  private func images(_ count: Int) -> NDArray {
    Noise.bytes([count, network.channels] + size)
  }
}
