import Agnesi
import Foundation
import TestSupport
import Testing

/// The zoo's networks and PyTorch's give the same activations from the same weights.
@Suite struct ZooEqualityTests {
  /// What `Fixtures/make.py` wrote.
  struct Fixture: Decodable, Sendable {
    var seed: UInt64
    var networks: [String: Network]

    struct Network: Decodable, Sendable {
      var size: Int
      var outputs: [String: Output]
    }

    /// Some of an output's values, evenly over all.
    struct Output: Decodable, Sendable {
      var shape: [Int]
      var largest: Double
      var values: [Double]
    }

    static func read() throws -> Fixture {
      let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      let file = folder.appendingPathComponent("Fixtures/zoo.json")
      return try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: file))
    }
  }

  static let names = [
    "resnet18", "resnet34", "resnet50", "resnet101", "resnet50-caffe",
    "efficientnet-lite0", "squeezenet1.0", "squeezenet1.0-torchvision", "squeezenet1.1",
    "inception-v3-lasagne", "vgg16", "cifar-resnet20", "mobilenet-v2", "googlenet",
    "googlenet-caffe",
    "inception-v3", "vgg16-torchvision", "vgg19-torchvision", "vgg19", "lenet5", "lenet-caffe",
    "unet", "nin-cifar10",
  ]

  @Test func everyNetworkOfTheFixtureIsTested() throws {
    #expect(Set(try Fixture.read().networks.keys) == Set(Self.names))
  }

  @Test(arguments: names) func equalsPyTorch(name: String) throws {
    let fixture = try Fixture.read()
    let expected = try #require(fixture.networks[name])
    let network = try #require(Zoo.network(name))
    let model = try network.model(height: expected.size, width: expected.size)
    let origins = network.parameterNames.map(\.origin)
    let origin = try #require(
      ["torchvision", "PyTorch", "efficientnet_lite_pytorch"].first { origins.contains($0) })
    let arrays = try network.fileArrays(of: model, origin: origin)
    try network.fill(
      model,
      from: arrays.map { row in
        (row.name, GeneratedWeights.array(row.name, row.shape, seed: fixture.seed))
      }, of: "a generator")
    let pixels = GeneratedWeights.pixels(
      [1, network.channels, expected.size, expected.size], seed: fixture.seed)
    let values = try model.run(
      network.functionName, pixels, outputs: expected.outputs.keys.sorted())
    for (output, numbers) in expected.outputs {
      let value = try #require(values[output])
      #expect(value.shape == numbers.shape, "\(name), \(output)")
      let flat = value.doubles
      let error =
        numbers.values.enumerated().map { place, number in
          abs(flat[place * flat.count / numbers.values.count] - number)
        }.max() ?? 0
      #expect(error <= 1e-4 * numbers.largest, "\(name), \(output): \(error / numbers.largest)")
      let largest = flat.lazy.map(abs).max() ?? 0
      #expect(abs(largest - numbers.largest) <= 1e-4 * numbers.largest, "\(name), \(output)")
    }
  }

  /// What `agnesi train --network lenet5` trains, with the weights of the zoo's network.
  @Test(arguments: Zoo.all.filter(\.isChain).map(\.name))
  func aChainIsTheSameNetwork(name: String) throws {
    let network = try Zoo.known(name)
    let model = try network.model()
    let chain = try #require(try network.chain(classes: network.classCount))
    let function = try #require(model.functions[network.functionName])
    let pixels = function.inputs[0]
    let logits = Scope.seeded(1) { chain(network.scaling(pixels)) }.specialized(for: .inference)
    let theirs = try model.parameters()
    let ours = logits.parameters().compactMap(\.parameter)
    #expect(ours.count == theirs.count)
    for own in ours {
      // Both count their layers; the kinds of theirs are not told by their names.
      let kind = own.shape
      let others = theirs.filter { $0.shape == kind }
      #expect(others.count == 1, "\(own.name)")
      for other in others { try own.assign(other.value) }
    }
    let sample = GeneratedWeights.pixels([2, network.channels, 28, 28], seed: 3)
    let expected = try #require(
      try model.run(network.functionName, sample, outputs: ["logits"])["logits"])
    let values = try compile([pixels], to: [logits], on: CPU())(sample)[0].doubles
    for (value, other) in zip(values, expected.doubles) { #expect(abs(value - other) < 1e-4) }
  }
}

extension Model {
  /// Some outputs of a function in inference, by name.
  func run(_ function: String, _ pixels: NDArray, outputs: [String]) throws -> [String: NDArray] {
    let function = try #require(functions[function])
    let wanted = try outputs.map { name in
      try #require(function.outputs.first { $0.name == name }?.tensor, "\(name) is no output")
    }
    let tensors = wanted.specialized(for: .inference)
    let compiled = try compile(function.inputs, to: tensors, on: CPU())
    let results = try compiled(pixels)
    return Dictionary(zip(outputs, tensors.map { results[$0] })) { first, _ in first }
  }
}
