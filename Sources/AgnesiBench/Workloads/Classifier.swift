import Agnesi

/// A network that tells classes apart, in the literature's notation.
struct Classifier {
  var network: String
  var sampleShape: [Int]
  var classes = 10
  /// How it is trained.
  var updates: @Sendable (_ loss: Tensor, _ parameters: [Tensor]) -> Updates

  static let mlp = Classifier(network: "256FC 256FC 10FC", sampleShape: [784]) {
    nesterov($0, $1, rate: 0.01, momentum: 0.9)
  }

  static let lenet = Classifier(
    network: "20C5 MP2 50C5 MP2 256FC 10FC", sampleShape: [1, 28, 28]
  ) {
    nesterov($0, $1, rate: 0.01, momentum: 0.9)
  }

  /// LeCun, Bottou, Bengio & Haffner, *Gradient-based learning applied to document recognition*, 1998,
  /// figure 2, as it is usually written today: plain tanh, means without weights, all maps connected,
  /// and ten scores.
  static let lenet1998 = Classifier(
    network: "6C5p2 tanh AP2 16C5 tanh AP2 120FC tanh 84FC tanh 10FC", sampleShape: [1, 28, 28]
  ) {
    nesterov($0, $1, rate: 0.01, momentum: 0.9)
  }

  static let lenetPadded = Classifier(
    network: "16C5p2 MP2 32C5p2 MP2 128FC 10FC", sampleShape: [1, 28, 28]
  ) {
    nesterov($0, $1, rate: 0.01, momentum: 0.9)
  }

  static let cifar = Classifier(
    network: "64C3p1 BN 64C3p1 BN MP2 128C3p1 BN 128C3p1 BN MP2 256FC D0.5 10FC",
    sampleShape: [3, 32, 32]
  ) {
    adam($0, $1, rate: 0.001)
  }

  static func vgg19(classes: Int) -> Classifier {
    Classifier(
      network: "\(VGG19.features) 4096FC D0.5 4096FC D0.5 \(classes)FC",
      sampleShape: [3, 224, 224], classes: classes
    ) {
      momentum($0, $1, rate: 1e-4, momentum: 0.9)
    }
  }

  /// A training step, which gives the loss back.
  func training(batch: Int) throws -> Job {
    let (image, label) = (image, Tensor.input("label", [.batch], .int32))
    let logits = try Notation.parse(network)(image)
    let labels = Noise.labels(batch, classes: classes)
    return Job(
      training: logits, by: softmaxCrossEntropy(logits, label).mean(), inputs: [image, label],
      batch: [images(batch), labels], updates: updates)
  }

  /// A forward pass, which gives the scores back.
  func inference(batch: Int) throws -> Job {
    let image = image
    let logits = try Notation.parse(network)(image)
    return Job(inputs: [image], batch: [images(batch)], network: logits) {
      .init(outputs: [logits.specialized(for: .inference)])
    }
  }

  var image: Tensor { .input("image", [.batch] + sampleShape.map { Size($0) }) }

  func images(_ count: Int) -> NDArray { Noise.pixels([count] + sampleShape) }
}

/// Simonyan & Zisserman, *Very deep convolutional networks*, 2015, configuration E.
enum VGG19 {
  /// The convolutions, up to the last pooling.
  static let features = blocks.joined(separator: " MP2 ") + " MP2"

  private static let blocks = [(64, 2), (128, 2), (256, 4), (512, 4), (512, 4)].map { block in
    Array(repeating: "\(block.0)C3p1", count: block.1).joined(separator: " ")
  }
}
