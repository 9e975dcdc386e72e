import Agnesi
import Foundation
import TestSupport
import Testing

/// Files in the layouts of Lasagne's recipes: pickles of Python 2 whose values have no names, but an
/// order.
@Suite struct LasagneFileTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// For each recipe: our network, the key of its values, and how many there are.
  static let recipes = [
    ("nin-cifar10", "param values", 18), ("googlenet-caffe", "param values", 116),
    ("resnet50-caffe", "values", 268), ("inception-v3-lasagne", "param values", 472),
  ]

  /// What the network computes from the pickle is what it computes from the same weights by name.
  @Test(arguments: recipes) func values(name: String, key: String, count: Int) throws {
    let network = try Zoo.known(name)
    let size = name == "nin-cifar10" ? 32 : name.hasPrefix("inception") ? 299 : 224
    let expected = try network.model()
    let named = try network.fileArrays(of: expected, origin: "PyTorch")
    let arrays = named.map {
      (name: $0.name, array: GeneratedWeights.array($0.name, $0.shape, seed: 5))
    }
    try network.fill(expected, from: arrays, of: "a generator")
    let values = try RecipeOrder.parameters(of: name).map { try recipeValue($0, expected) }
    #expect(values.count == count)
    var pickle = PickleBytes()
    pickle.dictionary([
      (key, .arrays(values)), ("synset words", .texts(["tench", "goldfish"])),
      ("mean value", .array(NDArray([104, 117, 123] as [Float]))),
    ])
    let path = try folder.write(pickle.bytes, to: "\(name).pkl")
    let model = try network.model(weights: path)
    let pixels = GeneratedWeights.pixels([1, 3, size, size], seed: 5)
    let logits = try [expected, model].map {
      try #require(try $0.run("classify", pixels, outputs: ["logits"])["logits"]).doubles
    }
    let largest = logits[0].map(abs).max() ?? 0
    let error = zip(logits[0], logits[1]).map { abs($0 - $1) }.max() ?? .infinity
    #expect(largest > 0 && error <= 1e-4 * largest)
  }

  /// What a recipe holds for a parameter: for the variance, `1 / √(variance + ε)`.
  private func recipeValue(_ name: String, _ model: Model) throws -> NDArray {
    let parameters = try model.parameters()
    let value = try #require(parameters.first { $0.name == name }?.value, "\(name)")
    guard name.hasSuffix("runningVariance") else { return value }
    let epsilon = model.information["architecture"]?.hasPrefix("inception") == true ? 1e-3 : 1e-5
    return NDArray(
      rounding: value.doubles.map { 1 / ($0 + epsilon).squareRoot() }, shape: value.shape, .float32)
  }
}

/// The parameters in the order in which the recipes' layers follow each other.
private enum RecipeOrder {
  static func parameters(of name: String) -> [String] {
    switch name {
    case "nin-cifar10":
      return ["conv1", "cccp1", "cccp2", "conv2", "cccp3", "cccp4", "conv3", "cccp5", "cccp6"]
        .flatMap(plain)
    case "googlenet-caffe":
      let parts = ["conv1x1", "reduce3x3", "conv3x3", "reduce5x5", "conv5x5", "project"]
      let modules = ["3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"]
      return
        (["conv1.conv", "conv2.reduce", "conv2.conv"]
        + modules.flatMap { module in parts.map { "inception\(module).\($0)" } } + ["fc"])
        .flatMap(plain)
    case "resnet50-caffe": return residual
    default: return inception
    }
  }

  private static func plain(_ layer: String) -> [String] { ["\(layer).weight", "\(layer).bias"] }

  private static func norm(_ layer: String) -> [String] {
    ["offset", "scale", "runningMean", "runningVariance"].map { "\(layer).norm.\($0)" }
  }

  private static func normalized(_ layer: String) -> [String] {
    ["\(layer).weight"] + norm(layer)
  }

  /// A sum's operands are the shortcut, then the other branch.
  private static var residual: [String] {
    var names = plain("conv1.conv") + norm("conv1.conv")
    for (stage, blocks) in [3, 4, 6, 3].enumerated() {
      for block in 1...blocks {
        let place = "stage\(stage + 1)_block\(block)"
        let layers = (block == 1 ? ["shortcut"] : []) + ["conv1", "conv2", "conv3"]
        names += layers.flatMap { normalized("\(place).\($0)") }
      }
    }
    return names + plain("fc")
  }

  private static var inception: [String] {
    let wide = [
      "branch1x1", "branch5x5_1", "branch5x5_2", "branch3x3dbl_1", "branch3x3dbl_2",
      "branch3x3dbl_3", "branch_pool",
    ]
    let long =
      ["branch1x1"] + (1...3).map { "branch7x7_\($0)" } + (1...5).map { "branch7x7dbl_\($0)" }
      + ["branch_pool"]
    let forked = [
      "branch1x1", "branch3x3_1", "branch3x3_2a", "branch3x3_2b", "branch3x3dbl_1",
      "branch3x3dbl_2", "branch3x3dbl_3a", "branch3x3dbl_3b", "branch_pool",
    ]
    let modules: [(String, [String])] =
      ["5b", "5c", "5d"].map { ($0, wide) }
      + [("6a", ["branch3x3"] + (1...3).map { "branch3x3dbl_\($0)" })]
      + ["6b", "6c", "6d", "6e"].map { ($0, long) }
      + [("7a", ["branch3x3_1", "branch3x3_2"] + (1...4).map { "branch7x7x3_\($0)" })]
      + ["7b", "7c"].map { ($0, forked) }
    let stem = ["conv1a", "conv2a", "conv2b", "conv3b", "conv4a"].map { "\($0).conv" }
    let layers = stem + modules.flatMap { name, parts in parts.map { "mixed\(name).\($0)" } }
    return layers.flatMap(normalized) + plain("fc")
  }
}

/// Writes pickles as Python 2 wrote dictionaries of NumPy's arrays, in protocol 2.
private struct PickleBytes {
  enum Value {
    case array(NDArray)
    case arrays([NDArray])
    case texts([String])
  }

  private(set) var bytes: [UInt8] = [0x80, 2]

  mutating func dictionary(_ entries: [(key: String, value: Value)]) {
    text("}(")
    for entry in entries {
      string(Array(entry.key.utf8))
      switch entry.value {
      case .array(let array): self.array(array)
      case .arrays(let arrays): list(arrays) { $0.array($1) }
      case .texts(let texts): list(texts) { $0.string(Array($1.utf8)) }
      }
    }
    text("u.")
  }

  private mutating func list<Item>(_ items: [Item], write: (inout PickleBytes, Item) -> Void) {
    text("](")
    for item in items { write(&self, item) }
    text("e")
  }

  private mutating func text(_ text: String) { bytes += Array(text.utf8) }

  private mutating func number(_ value: Int) {
    bytes += (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  private mutating func string(_ content: [UInt8]) {
    text("T")
    number(content.count)
    bytes += content
  }

  private mutating func array(_ array: NDArray) {
    text(
      "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n(K\u{0}tU\u{1}b\u{87}R(K\u{1}(".latin)
    for size in array.shape {
      text("J")
      number(size)
    }
    text("tcnumpy\ndtype\nU\u{2}f4K\u{0}K\u{1}\u{87}R(K\u{3}U\u{1}<NNN".latin)
    text("J")
    number(-1)
    text("J")
    number(-1)
    text("K\u{0}tb\u{89}".latin)
    string(array.contiguous().withUnsafeBytes { Array($0) })
    text("tb")
  }

  private mutating func text(_ latin: [UInt8]) { bytes += latin }
}

extension String {
  /// One byte for each character below 256.
  fileprivate var latin: [UInt8] { unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) } }
}
