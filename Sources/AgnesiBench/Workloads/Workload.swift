import ArgumentParser

/// What is timed. The networks, losses and updates are those that other frameworks are timed with.
enum Workload: String, CaseIterable, Codable, ExpressibleByArgument {
  case mlp
  case lenet
  case lenetInfer = "lenet-infer"
  case cifarBN = "cifar-bn"
  case vgg19Infer = "vgg19-infer"
  case vgg19Train = "vgg19-train"
  case style
  case dcgan
  case elementwise = "elemwise"
  case efficientNetInfer = "efficientnet-infer"
  case efficientNetTrain = "efficientnet-train"

  /// The usual numbers of a workload.
  struct Traits {
    /// What one step is.
    var summary: String
    /// Samples of a batch.
    var batch: Int
    /// So many as take a few seconds.
    var steps: Int
    /// The part of the best other framework's time that is asked for.
    var reach: Double
  }

  /// The usual numbers.
  var traits: Traits {
    switch self {
    case .mlp:
      Traits(
        summary: "training step, 784-256-256-10, Nesterov momentum", batch: 100, steps: 500,
        reach: 0.5)
    case .lenet:
      Traits(
        summary: "training step, 1×28×28 20C5 MP2 50C5 MP2 256FC 10FC, Nesterov momentum",
        batch: 100, steps: 100, reach: 0.33)
    case .lenetInfer:
      Traits(summary: "forward pass of lenet: latency", batch: 1, steps: 2000, reach: 0.5)
    case .cifarBN:
      Traits(
        summary: "training step, 3×32×32 2×(64C3 BN) MP2 2×(128C3 BN) MP2 256FC D0.5 10FC, Adam",
        batch: 128, steps: 8, reach: 0.5)
    case .vgg19Infer:
      Traits(summary: "forward pass of VGG-19 at 224×224", batch: 1, steps: 15, reach: 0.55)
    case .vgg19Train:
      Traits(
        summary: "training step of all of VGG-19 at 224×224, 10 classes, momentum", batch: 8,
        steps: 5, reach: 0.45)
    case .style:
      Traits(
        summary: "slope of a content and style loss in VGG-19 along a picture of 256×256",
        batch: 1, steps: 8, reach: 0.5)
    case .dcgan:
      Traits(
        summary: "a discriminator's and a generator's training step, 3×64×64, Adam", batch: 64,
        steps: 10, reach: 0.6)
    case .elementwise:
      Traits(
        summary: "Σ tanh(wx + b)² · exp(−x²) over 10 million numbers, with slopes along w and b",
        batch: 1, steps: 20, reach: 0.33)
    case .efficientNetInfer:
      Traits(
        summary: "forward pass of EfficientNet-Lite0 at 224×224", batch: 16, steps: 10, reach: 0.5)
    case .efficientNetTrain:
      Traits(
        summary: "training step of all of EfficientNet-Lite0 at 224×224, momentum", batch: 32,
        steps: 4, reach: 0.6)
    }
  }

  /// The network with a batch of made-up data.
  func job(batch: Int) throws -> Job {
    switch self {
    case .mlp: try Classifier.mlp.training(batch: batch)
    case .lenet: try Classifier.lenet.training(batch: batch)
    case .lenetInfer: try Classifier.lenet.inference(batch: batch)
    case .cifarBN: try Classifier.cifar.training(batch: batch)
    case .vgg19Infer: try Classifier.vgg19(classes: 1000).inference(batch: batch)
    case .vgg19Train: try Classifier.vgg19(classes: 10).training(batch: batch)
    case .style: try StyleTransfer.job(batch: batch)
    case .dcgan: Adversaries().job(batch: batch)
    case .elementwise: ElementwiseFormula.job(count: batch * 10_000_000)
    case .efficientNetInfer: try PictureNetwork("efficientnet-lite0").inference(batch: batch)
    case .efficientNetTrain: try PictureNetwork("efficientnet-lite0").training(batch: batch)
    }
  }
}
