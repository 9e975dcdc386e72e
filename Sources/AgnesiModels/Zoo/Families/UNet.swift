import AgnesiExpressions
import AgnesiImages
import AgnesiLayers

/// U-Net: a class for each pixel, from small images with much meaning and large ones with much detail.
///
/// - Source: Ronneberger, Fischer & Brox, *U-Net: convolutional networks for biomedical image
///   segmentation*, 2015, figure 1, with batch normalisation, exponential units, and images that keep
///   their size.
enum UNet {
  private static let filters = [64, 128, 256, 512, 1024]

  static func build(_ image: Tensor, classes: Int) -> NetworkDraft {
    var network = NetworkDraft(image)
    var skipped: [Tensor] = []
    for (index, count) in filters.enumerated() {
      if index > 0 { network.add("pool\(index)", MaxPool2D(2)) }
      network.add("down\(index + 1)") { pair($0, count) }
      if index < filters.count - 1 { skipped.append(network.current) }
    }
    for (index, detail) in skipped.enumerated().reversed() {
      network.add(
        "grow\(index + 1)", TransposedConvolution2D(filters: filters[index], kernel: 2, stride: 2))
      network.add("up\(index + 1)") {
        pair(concatenated([detail, $0], axis: 1), filters[index])
      }
    }
    network.add("scores", Convolution2D(filters: classes, kernel: 1))
    network.endWithScores()
    return network
  }

  private static func pair(_ x: Tensor, _ filters: Int) -> Tensor {
    let first = x.normalizedConvolution("conv1", filters, kernel: 3, activation: .elu())
    return first.normalizedConvolution("conv2", filters, kernel: 3, activation: .elu())
  }

  /// No framework has usual names; these are ours, with PyTorch's words for what belongs to a layer.
  private static var table: WeightTable {
    let pairs = (1...5).map { "down\($0)" } + (1...4).map { "up\($0)" }
    var layers = pairs.flatMap { pair in
      ["conv1", "conv2"].flatMap { name -> [WeightTable.Layer] in
        let whole = "\(pair).\(name)"
        return [.init(.kernels, whole, whole), .init(.norm, "\(whole).norm", "\(whole).norm")]
      }
    }
    layers += (1...4).map { .init(.convolution, "grow\($0)", "grow\($0)") }
    return .torch("PyTorch", layers + [.init(.convolution, "scores", "scores")])
  }

  static let network = ZooNetwork(
    name: "unet", summary: "a class for each pixel, 31 million parameters",
    parameterCount: 31_049_474,
    classNames: ["background", "object"],
    preprocessing: PicturePreprocessing(
      resizing: .exact(width: 256, height: 256), filter: .bilinear),
    scaling: .centred(at: 127.5, deviation: 127.5), height: 256, width: 256,
    licence: WeightLicence("none", "an architecture without weights"), functionName: "segment",
    tables: [table]
  ) { build($0, classes: $1) }
}
