import AgnesiExpressions
import AgnesiImages
import AgnesiLayers

/// SqueezeNet: the accuracy of AlexNet with fifty times fewer weights, by layers that narrow the
/// channels before they look at neighbours.
///
/// - Source: Iandola et al., *SqueezeNet*, 2016, table 1; version 1.1 by the same authors moves the
///   pooling forward and narrows the first layer.
enum SqueezeNet {
  /// Channels of a fire module: narrow, then each of the two kinds of kernels that widen.
  private static let fires = [
    (16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256),
  ]

  static func build(
    _ image: Tensor, classes: Int, isNewer: Bool, framed: Bool = false
  ) -> NetworkDraft {
    var network = NetworkDraft(image)
    if isNewer {
      network.add("conv1", Convolution2D(filters: 64, kernel: 3, stride: 2, activation: .relu))
    } else {
      network.add("conv1", Convolution2D(filters: 96, kernel: 7, stride: 2, activation: .relu))
    }
    let poolsBefore = isNewer ? [2, 4, 6] : [2, 5, 9]
    for (index, (narrow, wide)) in fires.enumerated() {
      let number = index + 2
      if poolsBefore.contains(number) {
        network.add("pool\(number - 1)", MaxPool2D(3, stride: 2, partialWindows: true))
      }
      network.add("fire\(number)") { fire($0, narrow: narrow, wide: wide) }
    }
    network.add("features", GlobalAveragePool2D())
    network.resume(at: "fire9")
    network.add("drop9", Dropout(0.5))
    // The authors' first version pads the last layer, whose kernels are single pixels: a frame of
    // biases comes in.
    let padding: Padding2D = framed ? .symmetric(1, 1) : .valid
    network.add(
      "conv10", Convolution2D(filters: classes, kernel: 1, padding: padding, activation: .relu))
    network.add("pool10", GlobalAveragePool2D())
    network.endWithScores()
    return network
  }

  private static func fire(_ x: Tensor, narrow: Int, wide: Int) -> Tensor {
    let squeezed = x.convolution("squeeze", narrow, kernel: 1)
    let parts = [
      squeezed.convolution("expand1x1", wide, kernel: 1),
      squeezed.convolution("expand3x3", wide, kernel: 3),
    ]
    return concatenated(parts, axis: 1)
  }

  // MARK: - Weights

  private static func layers(
    _ first: String, _ last: String, fire: (Int) -> [String]
  ) -> [WeightTable.Layer] {
    let ours = ["squeeze", "expand1x1", "expand3x3"]
    let fires = (2...9).flatMap { number in
      zip(ours, fire(number)).map { WeightTable.Layer(.convolution, "fire\(number).\($0)", $1) }
    }
    return [.init(.convolution, "conv1", first)] + fires + [.init(.convolution, "conv10", last)]
  }

  /// Torchvision counts layers, pooling included.
  private static func torchvision(_ places: [Int]) -> WeightTable {
    let table = layers("features.0", "classifier.1") { number in
      ["squeeze", "expand1x1", "expand3x3"].map { "features.\(places[number - 2]).\($0)" }
    }
    return .torch("torchvision", table)
  }

  /// The authors' Caffe model.
  private static let authors = layers("conv1", "conv10") { number in
    ["squeeze1x1", "expand1x1", "expand3x3"].map { "fire\(number)/\($0)" }
  }

  /// The pruned weights, unpacked: names end in `.W` and `.b`.
  private static let compressed = WeightTable(
    origin: "SqueezeNet-Deep-Compression",
    rows: layers("conv1", "conv_final") { number in
      ["conv1x1_1", "conv1x1_2", "conv3x3_2"].map { "fire\(number).\($0)" }
    }.flatMap { layer in
      [
        WeightRow("\(layer.ours).weight", "\(layer.theirs).W"),
        WeightRow("\(layer.ours).bias", "\(layer.theirs).b"),
      ]
    })

  static let version10 = ZooNetwork(
    name: "squeezenet1.0", summary: "ImageNet, 57.5 % right, 1.2 million parameters",
    parameterCount: 1_248_424,
    classNames: ImageNet.classNames, classIdentifiers: ImageNet.identifiers,
    preprocessing: PicturePreprocessing(
      resizing: .shortSide(256), filter: .bilinear, cropWidth: 227, cropHeight: 227),
    scaling: PixelScaling(order: .bgr, mean: [104, 117, 123], deviation: [1, 1, 1]),
    height: 227, width: 227,
    licence: WeightLicence("BSD 2-clause", "SqueezeNet, Iandola et al.; pruned by Han et al."),
    sources: [
      WeightSource(
        .web(
          address: "https://raw.githubusercontent.com/DeepScale/SqueezeNet/master/"
            + "SqueezeNet_v1.0/squeezenet_v1.0.caffemodel"),
        .sha1("579d0beb658e43c45937bf8bb5e4034fea4e1f69"))
    ],
    tables: [compressed, .caffe(authors), .torch("PyTorch", authors)]
  ) { build($0, classes: $1, isNewer: false, framed: true) }

  static let torchvision10 = ZooNetwork(
    name: "squeezenet1.0-torchvision", summary: "ImageNet, torchvision's, 58.1 % right",
    parameterCount: 1_248_424,
    classNames: ImageNet.classNames, classIdentifiers: ImageNet.identifiers,
    preprocessing: .torchvision, scaling: .torchvision,
    height: 224, width: 224, licence: .torchvision,
    sources: [.torchvision("squeezenet1_0-b66bff10.pth")],
    tables: [torchvision([3, 4, 5, 7, 8, 9, 10, 12])]
  ) { build($0, classes: $1, isNewer: false) }

  static let version11 = ZooNetwork(
    name: "squeezenet1.1", summary: "ImageNet, 58.2 % right, 1.2 million parameters, faster",
    parameterCount: 1_235_496,
    classNames: ImageNet.classNames, classIdentifiers: ImageNet.identifiers,
    preprocessing: .torchvision, scaling: .torchvision,
    height: 224, width: 224, licence: .torchvision,
    sources: [.torchvision("squeezenet1_1-b8a52dc0.pth")],
    tables: [torchvision([3, 4, 6, 7, 9, 10, 11, 12]), .caffe(authors)]
  ) { build($0, classes: $1, isNewer: true) }
}
