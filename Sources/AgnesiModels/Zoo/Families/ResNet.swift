import AgnesiExpressions
import AgnesiImages
import AgnesiLayers

/// Residual networks for ImageNet.
///
/// - Source: He et al., *Deep residual learning for image recognition*, 2015, table 1, with shortcuts
///   of option B (a convolution where the shape changes).
struct ResNet: Sendable {
  /// Residual blocks of each of the four sizes of images.
  var blocks: [Int]
  /// Whether blocks narrow the channels, look at neighbours, and widen again; else they are two
  /// convolutions.
  var isBottleneck: Bool
  /// Whether a block's first convolution moves by two pixels, as in the authors' networks, rather than
  /// the one that looks at neighbours; and whether pooling has partial windows instead of padding.
  var isOriginal = false

  func build(_ image: Tensor, classes: Int) -> NetworkDraft {
    var network = NetworkDraft(image)
    network.add("conv1") { stem($0) }
    if isOriginal {
      network.add("pool1", MaxPool2D(3, stride: 2, partialWindows: true))
    } else {
      network.add("pool1", MaxPool2D(3, stride: 2, padding: 1))
    }
    for (index, count) in blocks.enumerated() {
      for number in 1...count {
        let stride = index > 0 && number == 1 ? 2 : 1
        network.add(Self.name(index, number)) {
          block($0, filters: 64 << index, stride: Extent2D(stride), isFirst: number == 1)
        }
      }
    }
    network.add("pool5", GlobalAveragePool2D())
    network.classify("fc", classes: classes)
    return network
  }

  private static func name(_ stage: Int, _ number: Int) -> String {
    "stage\(stage + 1)_block\(number)"
  }

  private func stem(_ image: Tensor) -> Tensor {
    guard isOriginal else { return image.normalizedConvolution("conv", 64, kernel: 7, stride: 2) }
    // The only convolution of theirs that has a bias beside its normalisation.
    let sums = image.convolution("conv", 64, kernel: 7, stride: 2, activation: .identity)
    return relu(Scope.named("conv.norm") { BatchNormalization().build(sums) })
  }

  private func block(_ x: Tensor, filters: Int, stride: Extent2D, isFirst: Bool) -> Tensor {
    var y = x
    if isBottleneck {
      y = y.normalizedConvolution("conv1", filters, kernel: 1, stride: isOriginal ? stride : 1)
      y = y.normalizedConvolution("conv2", filters, kernel: 3, stride: isOriginal ? 1 : stride)
      y = y.normalizedConvolution("conv3", 4 * filters, kernel: 1, activation: .identity)
    } else {
      y = y.normalizedConvolution("conv1", filters, kernel: 3, stride: stride)
      y = y.normalizedConvolution("conv2", filters, kernel: 3, activation: .identity)
    }
    let outputs = isBottleneck ? 4 * filters : filters
    let changesShape = x.shape[1].known != outputs || stride != 1
    let shortcut =
      changesShape
      ? x.normalizedConvolution(
        "shortcut", outputs, kernel: 1, stride: stride, activation: .identity) : x
    return relu(y + shortcut)
  }

  // MARK: - Weights

  /// The convolutions of each block, here and with torchvision's names.
  private var torchvision: WeightTable {
    typealias Layer = WeightTable.Layer
    var layers: [Layer] = [
      .init(isOriginal ? .convolution : .kernels, "conv1.conv", "conv1"),
      .init(.norm, "conv1.conv.norm", "bn1"),
    ]
    for (index, count) in blocks.enumerated() {
      for number in 1...count {
        let (ours, theirs) = (Self.name(index, number), "layer\(index + 1).\(number - 1)")
        for convolution in 1...(isBottleneck ? 3 : 2) {
          let name = "\(ours).conv\(convolution)"
          layers.append(Layer(.kernels, name, "\(theirs).conv\(convolution)"))
          layers.append(Layer(.norm, "\(name).norm", "\(theirs).bn\(convolution)"))
        }
        guard number == 1, index > 0 || isBottleneck else { continue }
        layers.append(Layer(.kernels, "\(ours).shortcut", "\(theirs).downsample.0"))
        layers.append(Layer(.norm, "\(ours).shortcut.norm", "\(theirs).downsample.1"))
      }
    }
    layers.append(Layer(.dense, "fc", "fc"))
    return .torch(isOriginal ? "PyTorch" : "torchvision", layers)
  }

  /// The authors' names: `res3b_branch2a` is the first convolution of the second block.
  private var caffe: WeightTable {
    typealias Layer = WeightTable.Layer
    var layers: [Layer] = [
      .init(.convolution, "conv1.conv", "conv1"),
      .init(.norm, "conv1.conv.norm", "bn_conv1 scale_conv1"),
    ]
    let letters = Array("abcdefghijklmnopqrstuvwxyz").map(String.init)
    for (index, count) in blocks.enumerated() {
      for number in 1...count {
        let (ours, place) = (Self.name(index, number), "\(index + 2)\(letters[number - 1])")
        var parts = [("conv1", "branch2a"), ("conv2", "branch2b"), ("conv3", "branch2c")]
        if number == 1 { parts.append(("shortcut", "branch1")) }
        for (name, branch) in parts {
          layers.append(Layer(.kernels, "\(ours).\(name)", "res\(place)_\(branch)"))
          layers.append(
            Layer(.norm, "\(ours).\(name).norm", "bn\(place)_\(branch) scale\(place)_\(branch)"))
        }
      }
    }
    layers.append(Layer(.dense, "fc", "fc1000"))
    return .caffe(layers)
  }

  /// Lasagne's recipe, in the order of use: a block's shortcut stands before its other branch.
  private func lasagne(_ prefix: String) -> WeightTable {
    func normalized(_ name: String) -> [WeightTable.Layer] {
      [.init(.kernels, name, ""), .init(.norm, "\(name).norm", "")]
    }
    var layers: [WeightTable.Layer] = [
      .init(.convolution, "conv1.conv", ""), .init(.norm, "conv1.conv.norm", ""),
    ]
    for (index, count) in blocks.enumerated() {
      for number in 1...count {
        let block = Self.name(index, number)
        if number == 1 { layers += normalized("\(block).shortcut") }
        for convolution in 1...3 { layers += normalized("\(block).conv\(convolution)") }
      }
    }
    layers.append(.init(.dense, "fc", ""))
    return .lasagne(layers, prefix: prefix, epsilon: 1e-5)
  }

  private func network(
    _ depth: Int, right: String, parameterCount: Int, file: String
  ) -> ZooNetwork {
    ZooNetwork(
      name: "resnet\(depth)",
      summary: "ImageNet, \(right) % right",
      parameterCount: parameterCount,
      classNames: ImageNet.classNames, classIdentifiers: ImageNet.identifiers,
      preprocessing: .torchvision, scaling: .torchvision,
      height: 224, width: 224, licence: .torchvision, sources: [.torchvision(file)],
      tables: [torchvision]
    ) { build($0, classes: $1) }
  }

  private static let original = ResNet(blocks: [3, 4, 6, 3], isBottleneck: true, isOriginal: true)

  static let all = [
    ResNet(blocks: [2, 2, 2, 2], isBottleneck: false)
      .network(18, right: "69.8", parameterCount: 11_699_112, file: "resnet18-f37072fd.pth"),
    ResNet(blocks: [3, 4, 6, 3], isBottleneck: false)
      .network(34, right: "73.3", parameterCount: 21_814_696, file: "resnet34-b627a593.pth"),
    ResNet(blocks: [3, 4, 6, 3], isBottleneck: true)
      .network(50, right: "76.1", parameterCount: 25_610_152, file: "resnet50-0676ba61.pth"),
    ResNet(blocks: [3, 4, 23, 3], isBottleneck: true)
      .network(101, right: "77.4", parameterCount: 44_654_504, file: "resnet101-63fe2227.pth"),
    ZooNetwork(
      name: "resnet50-caffe",
      summary: "ImageNet, the authors' network, its weights in Caffe's or Lasagne's form",
      parameterCount: 25_610_216,
      classNames: ImageNet.classNames, classIdentifiers: ImageNet.identifiers,
      preprocessing: .torchvision, scaling: .vgg,
      height: 224, width: 224,
      licence: WeightLicence("MIT", "Deep residual networks, He, Zhang, Ren and Sun"),
      tables: [
        original.caffe, original.lasagne("values/"), original.lasagne("param values/"),
        original.lasagne("arr_"), original.torchvision,
      ]
    ) { original.build($0, classes: $1) },
  ]
}
