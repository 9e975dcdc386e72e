import Agnesi
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
  // Networks that nobody had tuned anything for when they became workloads.
  case lenet1998 = "lenet-1998"
  case lenetPadded = "lenet-padded"
  case resNet20 = "resnet20"
  case unet
  case inceptionV3 = "inception-v3"
  case squeezeNet = "squeezenet"
  case resNet50 = "resnet50"
  case autoencoder
  case transformer
  case dilated
  case denseNet = "densenet"
  case mixer

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
        summary: "gradient of a content and style loss in VGG-19 along a picture of 256×256",
        batch: 1, steps: 8, reach: 0.5)
    case .dcgan:
      Traits(
        summary: "a discriminator's and a generator's training step, 3×64×64, Adam", batch: 64,
        steps: 10, reach: 0.6)
    case .elementwise:
      Traits(
        summary: "Σ tanh(wx + b)² · exp(−x²) over 10 million numbers, with gradients along w and b",
        batch: 1, steps: 20, reach: 0.33)
    case .efficientNetInfer:
      Traits(
        summary: "forward pass of EfficientNet-Lite0 at 224×224", batch: 16, steps: 10, reach: 0.5)
    case .efficientNetTrain:
      Traits(
        summary: "training step of all of EfficientNet-Lite0 at 224×224, momentum", batch: 32,
        steps: 4, reach: 0.6)
    case .lenet1998:
      Traits(
        summary: "training step, 1×28×28 6C5p2 tanh AP2 16C5 tanh AP2 120FC tanh 84FC tanh 10FC, "
          + "Nesterov momentum", batch: 100, steps: 100, reach: 0.6)
    case .lenetPadded:
      Traits(
        summary: "training step, 1×28×28 16C5p2 MP2 32C5p2 MP2 128FC 10FC, Nesterov momentum",
        batch: 100, steps: 100, reach: 0.6)
    case .resNet20:
      Traits(
        summary:
          "training step of ResNet-20 at 32×32, shortcuts without weights, Nesterov momentum",
        batch: 128, steps: 10, reach: 0.6)
    case .unet:
      Traits(
        summary: "training step of U-Net of 64 to 1024 channels at 128×128, the mean cross-entropy "
          + "of the pixels, Adam", batch: 8, steps: 4, reach: 0.6)
    case .inceptionV3:
      Traits(summary: "forward pass of Inception v3 at 299×299", batch: 1, steps: 20, reach: 0.6)
    case .squeezeNet:
      Traits(summary: "forward pass of SqueezeNet 1.1 at 224×224", batch: 1, steps: 100, reach: 0.6)
    case .resNet50:
      Traits(summary: "forward pass of ResNet-50 at 224×224", batch: 1, steps: 20, reach: 0.6)
    case .autoencoder:
      Traits(
        summary: "training step, 784-512-256-64-256-512-784, ReLU, the cross-entropy of the pixels "
          + "behind sigmoids, Adam", batch: 128, steps: 200, reach: 0.6)
    case .transformer:
      Traits(
        summary:
          "training step of one transformer block, 128 places of 256, 4 heads, 1024 units of "
          + "GELU, squared error, Adam", batch: 8, steps: 50, reach: 0.6)
    case .dilated:
      Traits(
        summary:
          "training step, 3×128×128 six times 32C3 with dilations 1 2 4 8 4 1, 2C1, the mean "
          + "cross-entropy of the pixels, Adam", batch: 4, steps: 20, reach: 0.6)
    case .denseNet:
      Traits(
        summary:
          "training step of DenseNet of 40 layers that grow by 12 at 32×32, Nesterov momentum",
        batch: 64, steps: 8, reach: 0.6)
    case .mixer:
      Traits(
        summary: "training step of one mixer block, 64 patches of 128, 256 and 512 units of GELU, "
          + "squared error, Adam", batch: 32, steps: 50, reach: 0.6)
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
    case .lenet1998: try Classifier.lenet1998.training(batch: batch)
    case .lenetPadded: try Classifier.lenetPadded.training(batch: batch)
    case .resNet20:
      try PictureNetwork("cifar-resnet20").training(batch: batch) {
        nesterov($0, $1, rate: 0.01, momentum: 0.9)
      }
    case .unet:
      try PictureNetwork("unet", side: 128).segmentation(batch: batch) {
        adam($0, $1, rate: 1e-4)
      }
    case .inceptionV3: try PictureNetwork("inception-v3").inference(batch: batch)
    case .squeezeNet: try PictureNetwork("squeezenet1.1").inference(batch: batch)
    case .resNet50: try PictureNetwork("resnet50").inference(batch: batch)
    case .autoencoder: try Autoencoder.job(batch: batch)
    case .transformer: TransformerBlock.job(batch: batch)
    case .dilated: try DilatedNetwork.job(batch: batch)
    case .denseNet: DenseNetwork.job(batch: batch)
    case .mixer: MixerBlock.job(batch: batch)
    }
  }
}
