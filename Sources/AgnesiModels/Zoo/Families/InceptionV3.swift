import AgnesiExpressions
import AgnesiImages
import AgnesiLayers

/// Inception v3: modules of convolutions side by side, large kernels taken apart into small ones.
///
/// - Source: Szegedy et al., *Rethinking the Inception architecture for computer vision*, 2015, table 1
///   and figures 5 to 10, in the two forms that TensorFlow published: the second is torchvision's too, the
///   first one Lasagne's, whose means leave padding out.
enum InceptionV3 {
  /// A convolution of a branch: its name, filters, and how the kernel lies.
  struct Step: Sendable {
    var name: String
    var filters: Int
    var kernel: Extent2D
    var halves = false
  }

  /// A branch: convolutions one after the other; some begin with pooling, some end in two side by side.
  struct Branch: Sendable {
    var steps: [Step]
    var pooling = Pooling.none
    var ends: [Step] = []

    enum Pooling: Sendable { case none, average, largest, halving }
  }

  static let modules: [(name: String, branches: [Branch])] = [
    ("5b", wide(pool: 32)), ("5c", wide(pool: 64)), ("5d", wide(pool: 64)), ("6a", halvingFirst),
    ("6b", long(128)), ("6c", long(160)), ("6d", long(160)), ("6e", long(192)),
    ("7a", halvingSecond), ("7b", forked), ("7c", forked),
  ]

  static func build(_ image: Tensor, classes: Int, isOriginal: Bool = false) -> NetworkDraft {
    var network = NetworkDraft(image)
    network.add("conv1a") { convolution($0, "conv", 32, kernel: 3, stride: 2, padding: .valid) }
    network.add("conv2a") { convolution($0, "conv", 32, kernel: 3, padding: .valid) }
    network.add("conv2b") { convolution($0, "conv", 64, kernel: 3) }
    network.add("pool1", MaxPool2D(3, stride: 2))
    network.add("conv3b") { convolution($0, "conv", 80, kernel: 1) }
    network.add("conv4a") { convolution($0, "conv", 192, kernel: 3, padding: .valid) }
    network.add("pool2", MaxPool2D(3, stride: 2))
    for (name, branches) in modules {
      network.add("mixed\(name)") { x in
        let parts = branches.flatMap { branch in
          var branch = branch
          // Only the first form pools by the largest in the last module.
          if isOriginal, name == "7c", branch.pooling == .average { branch.pooling = .largest }
          return outputs(branch, x, countingPadding: !isOriginal)
        }
        return concatenated(parts, axis: 1)
      }
    }
    network.add("pool3", GlobalAveragePool2D())
    network.classify("fc", classes: classes, dropout: 0.5)
    return network
  }

  private static func outputs(
    _ branch: Branch, _ x: Tensor, countingPadding: Bool
  ) -> [Tensor] {
    var current = x
    switch branch.pooling {
    case .none: break
    case .average:
      current = averagePool2D(
        x, window: [3, 3], stride: [1, 1], padding: [1, 1], countingPadding: countingPadding)
    case .largest: current = maxPool2D(x, window: [3, 3], stride: [1, 1], padding: [1, 1])
    case .halving: current = maxPool2D(x, window: [3, 3], stride: [2, 2])
    }
    for step in branch.steps { current = convolution(current, step) }
    return branch.ends.isEmpty ? [current] : branch.ends.map { convolution(current, $0) }
  }

  private static func convolution(_ x: Tensor, _ step: Step) -> Tensor {
    convolution(
      x, step.name, step.filters, kernel: step.kernel, stride: step.halves ? 2 : 1,
      padding: step.halves ? .valid : .same)
  }

  private static func convolution(
    _ x: Tensor, _ name: String, _ filters: Int, kernel: Extent2D, stride: Extent2D = 1,
    padding: Padding2D = .same
  ) -> Tensor {
    x.normalizedConvolution(
      name, filters, kernel: kernel, stride: stride, padding: padding, epsilon: 1e-3)
  }

  // MARK: - Modules

  /// Figure 5: 1×1, 5×5, two of 3×3, and pooling.
  private static func wide(pool: Int) -> [Branch] {
    [
      Branch(steps: [Step(name: "branch1x1", filters: 64, kernel: 1)]),
      Branch(steps: [
        Step(name: "branch5x5_1", filters: 48, kernel: 1),
        Step(name: "branch5x5_2", filters: 64, kernel: 5),
      ]),
      Branch(steps: [
        Step(name: "branch3x3dbl_1", filters: 64, kernel: 1),
        Step(name: "branch3x3dbl_2", filters: 96, kernel: 3),
        Step(name: "branch3x3dbl_3", filters: 96, kernel: 3),
      ]),
      Branch(
        steps: [Step(name: "branch_pool", filters: pool, kernel: 1)], pooling: .average),
    ]
  }

  /// Figure 10: images of half the size.
  private static let halvingFirst = [
    Branch(steps: [Step(name: "branch3x3", filters: 384, kernel: 3, halves: true)]),
    Branch(steps: [
      Step(name: "branch3x3dbl_1", filters: 64, kernel: 1),
      Step(name: "branch3x3dbl_2", filters: 96, kernel: 3),
      Step(name: "branch3x3dbl_3", filters: 96, kernel: 3, halves: true),
    ]),
    Branch(steps: [], pooling: .halving),
  ]

  /// Figure 6: kernels of 7×7 as a row and a column.
  private static func long(_ filters: Int) -> [Branch] {
    [
      Branch(steps: [Step(name: "branch1x1", filters: 192, kernel: 1)]),
      Branch(steps: [
        Step(name: "branch7x7_1", filters: filters, kernel: 1),
        Step(name: "branch7x7_2", filters: filters, kernel: [1, 7]),
        Step(name: "branch7x7_3", filters: 192, kernel: [7, 1]),
      ]),
      Branch(steps: [
        Step(name: "branch7x7dbl_1", filters: filters, kernel: 1),
        Step(name: "branch7x7dbl_2", filters: filters, kernel: [7, 1]),
        Step(name: "branch7x7dbl_3", filters: filters, kernel: [1, 7]),
        Step(name: "branch7x7dbl_4", filters: filters, kernel: [7, 1]),
        Step(name: "branch7x7dbl_5", filters: 192, kernel: [1, 7]),
      ]),
      Branch(steps: [Step(name: "branch_pool", filters: 192, kernel: 1)], pooling: .average),
    ]
  }

  private static let halvingSecond = [
    Branch(steps: [
      Step(name: "branch3x3_1", filters: 192, kernel: 1),
      Step(name: "branch3x3_2", filters: 320, kernel: 3, halves: true),
    ]),
    Branch(steps: [
      Step(name: "branch7x7x3_1", filters: 192, kernel: 1),
      Step(name: "branch7x7x3_2", filters: 192, kernel: [1, 7]),
      Step(name: "branch7x7x3_3", filters: 192, kernel: [7, 1]),
      Step(name: "branch7x7x3_4", filters: 192, kernel: 3, halves: true),
    ]),
    Branch(steps: [], pooling: .halving),
  ]

  /// Figure 7: kernels of 3×3 as a row beside a column.
  private static let forked = [
    Branch(steps: [Step(name: "branch1x1", filters: 320, kernel: 1)]),
    Branch(
      steps: [Step(name: "branch3x3_1", filters: 384, kernel: 1)],
      ends: [
        Step(name: "branch3x3_2a", filters: 384, kernel: [1, 3]),
        Step(name: "branch3x3_2b", filters: 384, kernel: [3, 1]),
      ]),
    Branch(
      steps: [
        Step(name: "branch3x3dbl_1", filters: 448, kernel: 1),
        Step(name: "branch3x3dbl_2", filters: 384, kernel: 3),
      ],
      ends: [
        Step(name: "branch3x3dbl_3a", filters: 384, kernel: [1, 3]),
        Step(name: "branch3x3dbl_3b", filters: 384, kernel: [3, 1]),
      ]),
    Branch(steps: [Step(name: "branch_pool", filters: 192, kernel: 1)], pooling: .average),
  ]

  // MARK: - Weights

  /// Torchvision's names; those inside of modules are ours too.
  private static func table(_ origin: String) -> WeightTable {
    var names = [
      ("conv1a.conv", "Conv2d_1a_3x3"), ("conv2a.conv", "Conv2d_2a_3x3"),
      ("conv2b.conv", "Conv2d_2b_3x3"), ("conv3b.conv", "Conv2d_3b_1x1"),
      ("conv4a.conv", "Conv2d_4a_3x3"),
    ]
    for (name, branches) in modules {
      for step in branches.flatMap({ $0.steps + $0.ends }) {
        names.append(("mixed\(name).\(step.name)", "Mixed_\(name).\(step.name)"))
      }
    }
    let layers = names.flatMap { ours, theirs -> [WeightTable.Layer] in
      [.init(.kernels, ours, "\(theirs).conv"), .init(.norm, "\(ours).norm", "\(theirs).bn")]
    }
    var table = WeightTable.torch(origin, layers + [.init(.dense, "fc", "fc")])
    table.ignoredBeginnings = ["AuxLogits."]
    return table
  }

  /// Lasagne's recipe, in the order of use, which is that of modules and branches here.
  private static func lasagne(_ prefix: String) -> WeightTable {
    var names = ["conv1a.conv", "conv2a.conv", "conv2b.conv", "conv3b.conv", "conv4a.conv"]
    for (name, branches) in modules {
      names += branches.flatMap { $0.steps + $0.ends }.map { "mixed\(name).\($0.name)" }
    }
    let layers = names.flatMap { name -> [WeightTable.Layer] in
      [.init(.kernels, name, ""), .init(.norm, "\(name).norm", "")]
    }
    return .lasagne(layers + [.init(.dense, "fc", "")], prefix: prefix, epsilon: 1e-3)
  }

  static let all = [network, original]

  /// 1,008 scores, of which a thousand are ImageNet's classes in an order of TensorFlow's own, so that
  /// they have numbers here, not names.
  private static let original = ZooNetwork(
    name: "inception-v3-lasagne",
    summary: "ImageNet, TensorFlow's first form, 1,008 numbered classes",
    parameterCount: 23_885_392,
    classNames: (0..<1008).map { "class \($0)" },
    preprocessing: PicturePreprocessing(
      resizing: .exact(width: 299, height: 299), filter: .bilinear),
    scaling: .centred(at: 128, deviation: 128), height: 299, width: 299,
    licence: WeightLicence("Apache 2.0", "Inception v3, Google; converted by Lasagne's recipes"),
    tables: [lasagne("param values/"), lasagne("arr_"), table("PyTorch")]
  ) { build($0, classes: $1, isOriginal: true) }

  private static let network = ZooNetwork(
    name: "inception-v3", summary: "ImageNet, 77.3 % right, 23.8 million parameters, 299 × 299",
    parameterCount: 23_869_000,
    classNames: ImageNet.classNames, classIdentifiers: ImageNet.identifiers,
    preprocessing: PicturePreprocessing(
      resizing: .shortSide(342), filter: .bilinear, cropWidth: 299, cropHeight: 299),
    scaling: .centred(at: 127.5, deviation: 127.5), height: 299, width: 299,
    licence: WeightLicence("Apache 2.0", "Inception v3, Google; converted by torchvision"),
    sources: [.torchvision("inception_v3_google-0cc3c7bd.pth")], tables: [table("torchvision")]
  ) { build($0, classes: $1) }
}
