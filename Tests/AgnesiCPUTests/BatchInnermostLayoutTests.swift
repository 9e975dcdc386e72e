import Agnesi
import AgnesiCPU
import AgnesiCompiler
import AgnesiExpressions
import TestSupport
import Testing

extension Rewritten {
  fileprivate func laidOut(batch: Int, target: LanesTarget = .avx512) -> [Tensor] {
    BatchInnermostLayout.laidOut(program, expecting: ["batch": batch], target: target).outputs
  }
}

/// What batch-innermost networks are made of: an image and the numbers behind it, then all
/// gradients.
private struct Network: Sendable, CustomTestStringConvertible {
  var testDescription: String
  var shape: [Int]
  var body: @Sendable (Tensor) -> Tensor
  /// The operations of the laid out graph that are not plain, in order.
  var operations: [String]

  init(
    _ name: String, _ shape: [Int], _ operations: [String],
    body: @escaping @Sendable (Tensor) -> Tensor
  ) {
    (testDescription, self.shape, self.operations, self.body) = (name, shape, operations, body)
  }

  /// The loss, what the body gives, and the gradients of all parameters.
  func function() throws -> (input: Tensor, outputs: [Tensor]) {
    let image = Tensor.input("image", [.batch] + shape.map { Size($0) })
    let (result, loss) = Scope.named(testDescription) { () -> (Tensor, Tensor) in
      let result = body(image)
      // Every number has a gradient of its own.
      let weights = sin(Tensor.index(result.shape, axis: 1).cast(to: .float32) + result)
      return (result, (weights * result).sum())
    }
    let parameters = loss.parameters()
    return (image, [loss, result] + gradient(of: loss, withRespectTo: parameters))
  }

  func image(batch: Int) -> NDArray {
    let count = batch * shape.reduce(1, *)
    return NDArray(numbers(count, testDescription), shape: [batch] + shape)
  }
}

private func weights(_ name: String, _ shape: [Int]) -> Tensor {
  .parameter(name, shape.map { Size($0) }, .normal(mean: 0, deviation: 0.3))
}

/// A convolution with a bias.
private func layer(
  _ name: String, _ x: Tensor, _ filters: Int, kernel: Int = 3, stride: Int = 1,
  padding: Padding2D = .valid
) -> Tensor {
  let channels = x.shape[1].known ?? 0
  let kernels = weights("\(name).w", [filters, channels, kernel, kernel])
  let bias = weights("\(name).b", [filters, 1, 1])
  return convolution2D(x, kernels, stride: [stride, stride], padding: padding) + bias
}

private let networks = [
  Network(
    "lenet", [1, 14, 15],
    [
      "batchInnermostPack", "batchInnermostConvolution", "batchInnermostConvolution",
      "batchInnermostUnpack", "batchInnermostPack", "batchInnermostBackwardData",
      "batchInnermostBackwardWeights", "batchInnermostBackwardWeights",
    ]
  ) { image in
    let first = maxPool2D(relu(layer("1", image, 5)))
    let second = maxPool2D(relu(layer("2", first, 7)))
    return matmul(second.flattened(from: 1), weights("dense", [28, 3]))
  },
  Network(
    "padding, stride, no pooling", [2, 9, 8],
    [
      "batchInnermostPack", "batchInnermostConvolution", "batchInnermostConvolution",
      "batchInnermostUnpack", "batchInnermostPack", "batchInnermostBackwardData",
      "batchInnermostBackwardWeights", "batchInnermostBackwardWeights",
    ]
  ) { image in
    let first = relu(layer("1", image, 3, padding: .same))
    return relu(layer("2", first, 5, stride: 2, padding: .symmetric(2, 1)))
  },
  Network(
    "padding and pooling", [2, 8, 9],
    [
      "batchInnermostPack", "batchInnermostConvolution", "batchInnermostConvolution",
      "batchInnermostUnpack", "batchInnermostPack", "batchInnermostUnpool", "batchInnermostUnpool",
      "batchInnermostBackwardData", "batchInnermostBackwardWeights",
      "batchInnermostBackwardWeights",
    ]
  ) { image in
    let first = maxPool2D(relu(layer("1", image, 3, padding: .same)))
    return maxPool2D(relu(layer("2", first, 5, padding: .same)))
  },
  Network(
    "no bias, no rectifier", [3, 8, 8],
    [
      "batchInnermostPack", "batchInnermostConvolution", "batchInnermostUnpack",
      "batchInnermostPack", "batchInnermostBackwardWeights",
    ]
  ) { image in
    maxPool2D(convolution2D(image, weights("w", [6, 3, 3, 3])), window: [3, 2], stride: [3, 2])
  },
  Network(
    "other activations", [2, 7, 7],
    [
      "batchInnermostPack", "batchInnermostConvolution", "batchInnermostConvolution",
      "batchInnermostUnpack", "batchInnermostPack", "batchInnermostBackwardData",
      "batchInnermostBackwardWeights", "batchInnermostBackwardWeights",
    ]
  ) { image in
    let first = tanh(layer("1", image, 3))
    let second = layer("2", first * first, 4)
    return log(second * second + 0.1)
  },
  Network(
    "lenet of 1998: tanh and mean pooling", [1, 12, 12],
    [
      "batchInnermostPack", "batchInnermostConvolution", "batchInnermostConvolution",
      "batchInnermostUnpack", "batchInnermostPack", "batchInnermostBackwardData",
      "batchInnermostBackwardWeights", "batchInnermostBackwardWeights",
    ]
  ) { image in
    let first = averagePool2D(tanh(layer("1", image, 6, kernel: 5, padding: .symmetric(2, 2))))
    let second = averagePool2D(tanh(layer("2", first, 9)))
    return matmul(second.flattened(from: 1), weights("dense", [36, 3]))
  },
  Network(
    "overlapping maxima and a mean over all places", [2, 9, 9],
    [
      "batchInnermostPack", "batchInnermostConvolution", "batchInnermostUnpack",
      "batchInnermostPack", "batchInnermostBackwardWeights",
    ]
  ) { image in
    let y = relu(layer("1", image, 5, padding: .same))
    return maxPool2D(y, window: [3, 3], stride: [2, 2], padding: [1, 1]).mean(axes: [2, 3])
  },
  Network(
    "branches that are joined", [3, 7, 6],
    [
      "batchInnermostPack", "batchInnermostConvolution", "batchInnermostConvolution",
      "batchInnermostConvolution", "batchInnermostUnpack", "batchInnermostPack",
      "batchInnermostBackwardData", "batchInnermostBackwardWeights",
      "batchInnermostBackwardWeights", "batchInnermostBackwardWeights",
    ]
  ) { image in
    let branches = [
      tanh(layer("1", image, 5, padding: .same)), layer("2", image, 3, padding: .same),
    ]
    let joined = concatenated(branches, axis: 1)
    return layer("3", joined.padded([(0, 0), (0, 0), (1, 0), (0, 2)]), 4)
  },
  Network(
    "batch normalisation", [2, 6, 6],
    [
      "batchInnermostPack", "batchInnermostConvolution", "batchInnermostUnpack",
      "batchInnermostPack", "batchInnermostBackwardWeights",
    ]
  ) { image in
    let x = convolution2D(image, weights("w", [3, 2, 3, 3]))
    let mean = x.mean(axes: [0, 2, 3], keepingAxes: true)
    let centred = x - mean
    let variance = (centred * centred).mean(axes: [0, 2, 3], keepingAxes: true)
    return relu(centred / sqrt(variance + 0.1))
  },
]

@Suite("Lanes of samples in compiled graphs")
struct BatchInnermostLayoutTests {
  /// The pass and the meanings of its operations: the same numbers as the graph before.
  @Test(arguments: networks, [1, 5, 16, 19])
  fileprivate func laidOutGraphMeansTheSame(_ network: Network, batch: Int) throws {
    let (image, outputs) = try network.function()
    let graph = try Rewritten([image], outputs)
    let values = [network.image(batch: batch)]
    let expected = try graph.reference(graph.program.outputs, values, batch: batch)
    // With few registers, gradients are unpooled before convolutions.
    for target in [LanesTarget.avx512, .avx2] {
      let laidOut = graph.laidOut(batch: 16, target: target)
      try laidOut.verify()
      let found = try graph.reference(laidOut, values, batch: batch)
      for (expected, found) in zip(expected, found) {
        #expect(difference(expected, found, ulps: 64) == nil)
      }
    }
  }

  @Test func fewRegisters() throws {
    let (image, outputs) = try networks[0].function()
    let laidOut = try Rewritten([image], outputs).laidOut(batch: 16, target: .avx2)
    let labels = laidOut.topologicalNodes().map(\.operation.label)
    #expect(labels.count { $0 == "batchInnermostUnpool" } == 2)
  }

  /// The code: the same numbers as the reference, whatever batch it was laid out for.
  @Test(arguments: networks)
  fileprivate func compiledStepEqualsTheReference(_ network: Network) throws {
    let (image, outputs) = try network.function()
    let fast = try compile([image], to: outputs, on: .cpu)
    let slow = try compile([image], to: outputs, on: .reference)
    // The first call decides for lanes.
    for batch in [16, 5, 1, 100] {
      let values = network.image(batch: batch)
      let (found, expected) = (try fast(values), try slow(values))
      for (position, output) in outputs.enumerated() {
        let difference = difference(expected[output], found[output], ulps: 400)
        #expect(difference == nil, "output \(position) of batch \(batch)")
      }
    }
  }

  @Test(arguments: networks)
  fileprivate func operations(of network: Network) throws {
    let (image, outputs) = try network.function()
    let laidOut = try Rewritten([image], outputs).laidOut(batch: 16)
    let labels = laidOut.topologicalNodes().map(\.operation.label)
    #expect(
      labels.filter { $0.hasPrefix("batchInnermost") }.sorted() == network.operations.sorted())
  }

  /// Pooling that others look into stays outside of the convolution.
  @Test func rectifiedImageThatIsRead() throws {
    let image = Tensor.input("image", [.batch, 1, 6, 6])
    let rectified = relu(layer("read", image, 3))
    let graph = try Rewritten([image], [maxPool2D(rectified), rectified.sum(axes: [1])])
    let text = graph.laidOut(batch: 16).listing()
    #expect(text.contains("batchInnermostConvolution"))
    #expect(text.contains("maxPool("))
  }

  /// Groups and other dtypes are a library's.
  @Test func whatStaysAsItIs() throws {
    func isLaidOut(
      _ channels: Int, _ filters: Int, groups: Int = 1, _ dtype: DType = .float32
    ) throws -> Bool {
      let image = Tensor.input("image", [.batch, Size(channels), 6, 6], dtype)
      let shape = [filters, channels / groups, 3, 3].map { Size($0) }
      let kernels = Tensor.parameter(
        "kernels", shape, .normal(mean: 0, deviation: 0.3), dtype: dtype)
      let graph = try Rewritten([image], [convolution2D(image, kernels, groups: groups)])
      return graph.laidOut(batch: 16) != graph.program.outputs
    }
    #expect(try isLaidOut(3, 5))
    #expect(try isLaidOut(16, 32))
    #expect(try !isLaidOut(2, 6, groups: 2))
    #expect(try !isLaidOut(3, 5, .float64))
  }

  /// NaN and infinity in one sample reach the results that they reach in the reference, and nothing
  /// that they do not.
  @Test(arguments: [Double.nan, .infinity, -.infinity])
  func specialValues(_ special: Double) throws {
    let network = networks[0]
    let (image, outputs) = try network.function()
    let fast = try compile([image], to: outputs, on: .cpu)
    let slow = try compile([image], to: outputs, on: .reference)
    let clean = network.image(batch: 18)
    var numbers = clean.doubles
    numbers[17 * clean.shape.dropFirst().reduce(1, *) + 40] = special
    let values = NDArray(rounding: numbers, shape: clean.shape, .float32)
    let (found, expected) = (try fast(values), try slow(values))
    for (position, output) in outputs.enumerated() {
      let (found, expected) = (found[output].doubles, expected[output].doubles)
      let isGradient = position > 1
      for (found, expected) in zip(found, expected) {
        // Behind pooling, 0 · NaN of places that no gradient goes to stays out of the sums.
        if isGradient, expected.isNaN { continue }
        #expect(found.isNaN == expected.isNaN && found.isInfinite == expected.isInfinite)
      }
    }
  }

  /// The same bits for one thread and for two.
  @Test func threadsDoNotMatter() throws {
    let network = networks[0]
    let (image, outputs) = try network.function()
    let values = network.image(batch: 100)
    let results = try [1, 2].map { threads -> [NDArray] in
      let old = CPU.threads
      defer { CPU.threads = old }
      CPU.threads = threads
      let results = try compile([image], to: outputs, on: .cpu)(values)
      return outputs.map { results[$0] }
    }
    for (one, two) in zip(results[0], results[1]) { #expect(one.doubles == two.doubles) }
  }
}
