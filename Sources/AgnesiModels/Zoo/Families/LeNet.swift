import AgnesiExpressions
import AgnesiImages
import AgnesiLayers

/// The first convolutional networks, for grey digits of 28 × 28.
enum LeNet {
  /// Source: LeCun et al., *Gradient-based learning applied to document recognition*, 1998, figure 2,
  /// with all maps connected and plain means for pooling.
  static func buildFirst(_ image: Tensor, classes: Int) -> NetworkDraft {
    var network = NetworkDraft(image)
    network.add("conv1", Convolution2D(filters: 6, kernel: 5, padding: .same, activation: .tanh))
    network.add("pool1", AveragePool2D(2))
    network.add("conv2", Convolution2D(filters: 16, kernel: 5, activation: .tanh))
    network.add("pool2", AveragePool2D(2))
    network.add("fc3", Dense(units: 120, activation: .tanh))
    network.add("fc4", Dense(units: 84, activation: .tanh))
    network.classify("fc5", classes: classes)
    return network
  }

  /// Caffe's example: fewer and wider layers, rectifiers, pooling by the largest.
  static func buildCaffe(_ image: Tensor, classes: Int) -> NetworkDraft {
    var network = NetworkDraft(image)
    network.add("conv1", Convolution2D(filters: 20, kernel: 5))
    network.add("pool1", MaxPool2D(2))
    network.add("conv2", Convolution2D(filters: 50, kernel: 5))
    network.add("pool2", MaxPool2D(2))
    network.add("ip1", Dense(units: 500, activation: .relu))
    network.classify("ip2", classes: classes)
    return network
  }

  private static func network(
    _ name: String, _ summary: String, _ parameterCount: Int, _ layers: [WeightTable.Layer],
    deviation: Double, hiddenLayers: String,
    _ build: @escaping @Sendable (Tensor, Int) -> NetworkDraft
  ) -> ZooNetwork {
    ZooNetwork(
      name: name, summary: summary, parameterCount: parameterCount,
      classNames: (0...9).map(String.init),
      preprocessing: PicturePreprocessing(
        resizing: .exact(width: 28, height: 28), filter: .bilinear),
      scaling: .centred(at: 0, deviation: deviation, channels: 1), channels: 1, height: 28,
      width: 28, licence: WeightLicence("none", "an architecture without weights"),
      hiddenLayers: hiddenLayers,
      tables: [.caffe(layers), .torch("PyTorch", layers)], build: build)
  }

  private static func layers(_ names: [String], dense: [String]) -> [WeightTable.Layer] {
    names.map { .init(.convolution, $0, $0) } + dense.map { .init(.dense, $0, $0) }
  }

  static let all = [
    network(
      "lenet5", "digits, 62 thousand parameters, of 1998", 61_706,
      layers(["conv1", "conv2"], dense: ["fc3", "fc4", "fc5"]), deviation: 255,
      hiddenLayers: "6C5psame tanh AP2 16C5 tanh AP2 120FC tanh 84FC tanh"
    ) { buildFirst($0, classes: $1) },
    network(
      "lenet-caffe", "digits, 431 thousand parameters, Caffe's", 431_080,
      layers(["conv1", "conv2"], dense: ["ip1", "ip2"]), deviation: 256,
      hiddenLayers: "20C5 linear MP2 50C5 linear MP2 500FC"
    ) { buildCaffe($0, classes: $1) },
  ]
}
