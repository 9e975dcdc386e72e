import AgnesiExpressions
import AgnesiImages
import AgnesiLayers

/// GoogLeNet: modules that look at each place with several kernels side by side.
///
/// The authors' has biases and divides by what neighbouring channels say; torchvision's has batch
/// normalisation, and 3×3 kernels in the place of the 5×5 ones.
///
/// - Source: Szegedy et al., *Going deeper with convolutions*, 2014, table 1; Caffe's model of it.
struct GoogLeNet: Sendable {
  /// Whether it is the authors'.
  var isOriginal: Bool

  /// Channels of a module: 1×1; narrow and wide of each of the two others; behind the pooling.
  private static let modules: [(name: String, channels: [Int])] = [
    ("3a", [64, 96, 128, 16, 32, 32]), ("3b", [128, 128, 192, 32, 96, 64]),
    ("4a", [192, 96, 208, 16, 48, 64]), ("4b", [160, 112, 224, 24, 64, 64]),
    ("4c", [128, 128, 256, 24, 64, 64]), ("4d", [112, 144, 288, 32, 64, 64]),
    ("4e", [256, 160, 320, 32, 128, 128]), ("5a", [256, 160, 320, 32, 128, 128]),
    ("5b", [384, 192, 384, 48, 128, 128]),
  ]

  private static let epsilon = 1e-3

  func build(_ image: Tensor, classes: Int) -> NetworkDraft {
    var network = NetworkDraft(image)
    network.add("conv1") { convolution($0, "conv", 64, kernel: 7, stride: 2) }
    network.add("pool1", MaxPool2D(3, stride: 2, partialWindows: true))
    if isOriginal { network.add("norm1") { normalized($0) } }
    network.add("conv2") {
      convolution(convolution($0, "reduce", 64, kernel: 1), "conv", 192, kernel: 3)
    }
    if isOriginal { network.add("norm2") { normalized($0) } }
    network.add("pool2", MaxPool2D(3, stride: 2, partialWindows: true))
    for (name, channels) in Self.modules {
      if name == "4a" { network.add("pool3", MaxPool2D(3, stride: 2, partialWindows: true)) }
      if name == "5a" {
        network.add("pool4", MaxPool2D(isOriginal ? 3 : 2, stride: 2, partialWindows: true))
      }
      network.add("inception\(name)") { module($0, channels) }
    }
    network.add("pool5", GlobalAveragePool2D())
    network.classify("fc", classes: classes, dropout: isOriginal ? 0.4 : 0.2)
    return network
  }

  private func module(_ x: Tensor, _ channels: [Int]) -> Tensor {
    let pooled = maxPool2D(x, window: [3, 3], stride: [1, 1], padding: [1, 1])
    let narrowed = convolution(x, "reduce3x3", channels[1], kernel: 1)
    let narrowedMore = convolution(x, "reduce5x5", channels[3], kernel: 1)
    let parts = [
      convolution(x, "conv1x1", channels[0], kernel: 1),
      convolution(narrowed, "conv3x3", channels[2], kernel: 3),
      convolution(narrowedMore, "conv5x5", channels[4], kernel: isOriginal ? 5 : 3),
      convolution(pooled, "project", channels[5], kernel: 1),
    ]
    return concatenated(parts, axis: 1)
  }

  private func convolution(
    _ x: Tensor, _ name: String, _ filters: Int, kernel: Extent2D, stride: Extent2D = 1
  ) -> Tensor {
    if isOriginal { return x.convolution(name, filters, kernel: kernel, stride: stride) }
    return x.normalizedConvolution(
      name, filters, kernel: kernel, stride: stride, epsilon: Self.epsilon)
  }

  /// Caffe divides its factor by the number of channels.
  private func normalized(_ x: Tensor) -> Tensor {
    localResponseNormalized(x, alpha: 1e-4 / 5, k: 1, beta: 0.75, size: 5)
  }

  // MARK: - Weights

  /// Torchvision's names. Its files also hold two classifiers that helped in training.
  private static var torchvisionTable: WeightTable {
    var names = [
      ("conv1.conv", "conv1"), ("conv2.reduce", "conv2"), ("conv2.conv", "conv3"),
    ]
    let branches = [
      ("conv1x1", "branch1"), ("reduce3x3", "branch2.0"), ("conv3x3", "branch2.1"),
      ("reduce5x5", "branch3.0"), ("conv5x5", "branch3.1"), ("project", "branch4.1"),
    ]
    for (module, _) in modules {
      names += branches.map { ("inception\(module).\($0)", "inception\(module).\($1)") }
    }
    let layers = names.flatMap { ours, theirs -> [WeightTable.Layer] in
      [.init(.kernels, ours, "\(theirs).conv"), .init(.norm, "\(ours).norm", "\(theirs).bn")]
    }
    var table = WeightTable.torch("torchvision", layers + [.init(.dense, "fc", "fc")])
    table.ignoredBeginnings = ["aux1.", "aux2."]
    return table
  }

  /// The authors' names, in the order of use.
  private static var layers: [WeightTable.Layer] {
    var names = [
      ("conv1.conv", "conv1/7x7_s2"), ("conv2.reduce", "conv2/3x3_reduce"),
      ("conv2.conv", "conv2/3x3"),
    ]
    let branches = [
      ("conv1x1", "1x1"), ("reduce3x3", "3x3_reduce"), ("conv3x3", "3x3"),
      ("reduce5x5", "5x5_reduce"), ("conv5x5", "5x5"), ("project", "pool_proj"),
    ]
    for (module, _) in modules {
      names += branches.map { ("inception\(module).\($0)", "inception_\(module)/\($1)") }
    }
    return names.map { .init(.convolution, $0, $1) } + [.init(.dense, "fc", "loss3/classifier")]
  }

  /// Caffe's files also hold two classifiers that helped in training.
  private static var caffeTable: WeightTable {
    var table = WeightTable.caffe(layers)
    table.ignoredBeginnings = ["loss1/", "loss2/"]
    return table
  }

  static let all = [
    ZooNetwork(
      name: "googlenet", summary: "ImageNet, torchvision's, 69.8 % right, 6.6 million parameters",
      parameterCount: 6_639_464,
      classNames: ImageNet.classNames, classIdentifiers: ImageNet.identifiers,
      preprocessing: .torchvision,
      scaling: .centred(at: 127.5, deviation: 127.5), height: 224, width: 224,
      licence: .torchvision, sources: [.torchvision("googlenet-1378be20.pth")],
      tables: [torchvisionTable]
    ) { GoogLeNet(isOriginal: false).build($0, classes: $1) },
    ZooNetwork(
      name: "googlenet-caffe", summary: "ImageNet, the authors' network, 7.0 million parameters",
      parameterCount: 6_998_552,
      classNames: ImageNet.classNames, classIdentifiers: ImageNet.identifiers,
      preprocessing: .torchvision,
      scaling: PixelScaling(order: .bgr, mean: [104, 117, 123], deviation: [1, 1, 1]),
      height: 224, width: 224,
      licence: WeightLicence("unrestricted", "BVLC GoogLeNet, trained by Sergio Guadarrama"),
      sources: [
        WeightSource(
          .web(address: "http://dl.caffe.berkeleyvision.org/bvlc_googlenet.caffemodel"),
          .sha1("405fc5acd08a3bb12de8ee5e23a96bec22f08204"))
      ],
      tables: [
        caffeTable, .lasagne(layers, prefix: "param values/"), .lasagne(layers, prefix: "arr_"),
        .torch("PyTorch", layers),
      ]
    ) { GoogLeNet(isOriginal: true).build($0, classes: $1) },
  ]
}
