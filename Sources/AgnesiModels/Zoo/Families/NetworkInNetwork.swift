import AgnesiExpressions
import AgnesiImages
import AgnesiLayers

/// Network in network, for CIFAR-10: behind each convolution two more that see single pixels.
///
/// - Source: Lin, Chen & Yan, *Network in network*, 2013, §4.1, in the form of its Caffe model.
enum NetworkInNetwork {
  /// Name, filters and kernel of each convolution; three make a stage.
  private static let stages = [
    [("conv1", 192, 5), ("cccp1", 160, 1), ("cccp2", 96, 1)],
    [("conv2", 192, 5), ("cccp3", 192, 1), ("cccp4", 192, 1)],
    [("conv3", 192, 3), ("cccp5", 192, 1)],
  ]

  static func build(_ image: Tensor, classes: Int) -> NetworkDraft {
    var network = NetworkDraft(image)
    for (index, stage) in stages.enumerated() {
      for (name, filters, kernel) in stage {
        network.add(
          name,
          Convolution2D(
            filters: filters, kernel: Extent2D(kernel), padding: .same, activation: .relu))
      }
      switch index {
      case 0: network.add("pool1", MaxPool2D(3, stride: 2, partialWindows: true))
      case 1: network.add("pool2", AveragePool2D(3, stride: 2, partialWindows: true))
      default: break
      }
      if index < 2 { network.add("drop\(index + 1)", Dropout(0.5)) }
    }
    network.add("features", GlobalAveragePool2D())
    network.resume(at: "cccp5")
    network.add("cccp6", Convolution2D(filters: classes, kernel: 1, activation: .relu))
    network.add("pool3", GlobalAveragePool2D())
    network.endWithScores()
    return network
  }

  private static let layers = (stages.flatMap { $0 }.map(\.0) + ["cccp6"])
    .map { WeightTable.Layer(.convolution, $0, $0) }

  static let network = ZooNetwork(
    name: "nin-cifar10", summary: "CIFAR-10, 89.4 % right, 1.0 million parameters",
    parameterCount: 966_986,
    classNames: CIFARResNet.classNames,
    preprocessing: PicturePreprocessing(
      resizing: .exact(width: 32, height: 32), filter: .bilinear),
    scaling: PixelScaling(
      mean: .image(CIFARMean.values, height: 32, width: 32), deviation: [1, 1, 1]),
    height: 32, width: 32, licence: WeightLicence("BSD 2-clause", "Network in network, Min Lin"),
    tables: [
      .caffe(layers), .lasagne(layers, prefix: "arr_"), .lasagne(layers, prefix: "param values/"),
      .torch("PyTorch", layers),
    ]
  ) { build($0, classes: $1) }
}
