import AgnesiExpressions
import AgnesiImages
import AgnesiLayers

/// MobileNet v2: blocks that are wide inside and narrow between.
///
/// - Source: Sandler et al., *MobileNetV2: inverted residuals and linear bottlenecks*, 2018, table 2.
enum MobileNetV2 {
  /// Growth of channels inside, channels, repetitions, stride of the first block.
  private static let stages = [
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
    (6, 320, 1, 1),
  ]

  static func build(_ image: Tensor, classes: Int) -> NetworkDraft {
    var network = NetworkDraft(image)
    network.add("stem") {
      $0.normalizedConvolution("conv", 32, kernel: 3, stride: 2, activation: .relu6)
    }
    var number = 0
    for (expansion, filters, count, stride) in stages {
      for index in 0..<count {
        number += 1
        network.add("block\(number)") {
          block($0, expansion: expansion, filters: filters, stride: index == 0 ? stride : 1)
        }
      }
    }
    network.add("head") { $0.normalizedConvolution("conv", 1280, kernel: 1, activation: .relu6) }
    network.add("pool", GlobalAveragePool2D())
    network.classify("fc", classes: classes, dropout: 0.2)
    return network
  }

  private static func block(_ x: Tensor, expansion: Int, filters: Int, stride: Int) -> Tensor {
    let channels = x.shape[1].known ?? 0
    let wide = channels * expansion
    var y = x
    if expansion > 1 {
      y = y.normalizedConvolution("expand", wide, kernel: 1, activation: .relu6)
    }
    y = y.normalizedConvolution(
      "depthwise", wide, kernel: 3, stride: Extent2D(stride), groups: wide, activation: .relu6)
    y = y.normalizedConvolution("project", filters, kernel: 1, activation: .identity)
    return stride == 1 && channels == filters ? x + y : y
  }

  /// Torchvision's names: steps of a block are numbered, and those without expansion have one less.
  private static var table: WeightTable {
    typealias Layer = WeightTable.Layer
    func pair(_ ours: String, _ kernels: String, _ norm: String) -> [Layer] {
      [Layer(.kernels, ours, kernels), Layer(.norm, "\(ours).norm", norm)]
    }
    var layers = pair("stem.conv", "features.0.0", "features.0.1")
    let expansions = stages.flatMap { Array(repeating: $0.0, count: $0.2) }
    for (index, expansion) in expansions.enumerated() {
      let (ours, theirs) = ("block\(index + 1)", "features.\(index + 1).conv")
      var step = 0
      if expansion > 1 {
        layers += pair("\(ours).expand", "\(theirs).0.0", "\(theirs).0.1")
        step = 1
      }
      layers += pair("\(ours).depthwise", "\(theirs).\(step).0", "\(theirs).\(step).1")
      layers += pair("\(ours).project", "\(theirs).\(step + 1)", "\(theirs).\(step + 2)")
    }
    layers += pair("head.conv", "features.18.0", "features.18.1")
    layers.append(Layer(.dense, "fc", "classifier.1"))
    return .torch("torchvision", layers)
  }

  static let network = ZooNetwork(
    name: "mobilenet-v2", summary: "ImageNet, 71.9 % right, 3.5 million parameters",
    parameterCount: 3_538_984,
    classNames: ImageNet.classNames, classIdentifiers: ImageNet.identifiers,
    preprocessing: .torchvision, scaling: .torchvision,
    height: 224, width: 224, licence: .torchvision,
    sources: [.torchvision("mobilenet_v2-b0353104.pth")], tables: [table]
  ) { build($0, classes: $1) }
}
