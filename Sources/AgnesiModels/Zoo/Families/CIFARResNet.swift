import AgnesiArrays
import AgnesiExpressions
import AgnesiImages
import AgnesiLayers
import Foundation

/// The residual networks for the small photos of CIFAR-10, of 6n + 2 layers.
///
/// - Source: He et al., *Deep residual learning for image recognition*, 2015, §4.2, with shortcuts of
///   option A: they have no parameters.
enum CIFARResNet {
  static func build(_ image: Tensor, classes: Int, blocks: Int) -> NetworkDraft {
    var network = NetworkDraft(image)
    network.add("conv1") { $0.normalizedConvolution("conv", 16, kernel: 3, epsilon: epsilon) }
    for (group, filters) in [16, 32, 64].enumerated() {
      for number in 1...blocks {
        network.add("group\(group + 1)_block\(number)") {
          block($0, filters: filters, stride: group > 0 && number == 1 ? 2 : 1)
        }
      }
    }
    network.add("pool", GlobalAveragePool2D())
    network.classify("fc", classes: classes)
    return network
  }

  static let classNames = [
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
  ]

  private static let epsilon = 1e-4

  private static func block(_ x: Tensor, filters: Int, stride: Int) -> Tensor {
    let first = x.normalizedConvolution(
      "conv1", filters, kernel: 3, stride: Extent2D(stride), epsilon: epsilon)
    let second = first.normalizedConvolution(
      "conv2", filters, kernel: 3, epsilon: epsilon, activation: .identity)
    return relu(second + shortcut(x, filters: filters, stride: stride))
  }

  /// Every second pixel, and channels of zeros on both sides.
  private static func shortcut(_ x: Tensor, filters: Int, stride: Int) -> Tensor {
    guard stride > 1, let channels = x.shape[1].known else { return x }
    let taken = x[
      .rest, AxisSelection.slice(by: stride), AxisSelection.slice(by: stride)]
    let before = (filters - channels) / 2
    let widths = [(0, 0), (before, filters - channels - before), (0, 0), (0, 0)]
    return taken.padded(widths.map { (before: $0.0, after: $0.1) })
  }

  // MARK: - Weights

  /// In the order of use, which is that of Lasagne's recipes; with our own names for PyTorch.
  private static func layers(_ blocks: Int) -> [WeightTable.Layer] {
    func normalized(_ name: String) -> [WeightTable.Layer] {
      [.init(.kernels, name, name), .init(.norm, "\(name).norm", "\(name).norm")]
    }
    var layers = normalized("conv1.conv")
    for group in 1...3 {
      for number in 1...blocks {
        layers += normalized("group\(group)_block\(number).conv1")
        layers += normalized("group\(group)_block\(number).conv2")
      }
    }
    layers.append(.init(.dense, "fc", "fc"))
    return layers
  }

  private static func network(
    blocks: Int, right: String, parameterCount: Int
  ) -> ZooNetwork {
    let depth = 6 * blocks + 2
    return ZooNetwork(
      name: "cifar-resnet\(depth)", summary: "CIFAR-10, \(right) % right, \(depth) layers",
      parameterCount: parameterCount,
      classNames: classNames,
      preprocessing: PicturePreprocessing(
        resizing: .exact(width: 32, height: 32), filter: .bilinear),
      scaling: PixelScaling(
        mean: .image(CIFARMean.values, height: 32, width: 32), deviation: [255, 255, 255]),
      height: 32, width: 32,
      licence: WeightLicence("MIT", "Lasagne Recipes, deep residual learning"),
      tables: [
        .lasagne(layers(blocks), prefix: "arr_", epsilon: epsilon),
        .torch("PyTorch", layers(blocks)),
      ]
    ) { build($0, classes: $1, blocks: blocks) }
  }

  /// The depths of the paper; accuracies are the paper's.
  static let all = [
    network(blocks: 3, right: "91.3", parameterCount: 271_098),
    network(blocks: 5, right: "92.5", parameterCount: 466_426),
    network(blocks: 7, right: "92.8", parameterCount: 661_754),
    network(blocks: 9, right: "93.0", parameterCount: 857_082),
    network(blocks: 18, right: "93.6", parameterCount: 1_736_058),
  ]
}
