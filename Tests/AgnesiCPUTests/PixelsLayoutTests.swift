import Agnesi
import AgnesiCPU
import AgnesiCompiler
import AgnesiExpressions
import TestSupport
import Testing

/// A convolution with what follows it.
private struct Layer: Sendable, CustomTestStringConvertible {
  var channels = 3
  var filters = 5
  var size = [12, 13]
  var kernel = [3, 3]
  var stride = [1, 1]
  var padding = Padding2D.valid
  var dilation = [1, 1]
  var hasBias = true
  var hasRectifier = true
  var pool: [Int]?

  var testDescription: String {
    "\(channels)x\(size) to \(filters), kernel \(kernel), stride \(stride), \(padding), "
      + "dilation \(dilation), bias \(hasBias), relu \(hasRectifier), pool \(pool ?? [])"
  }

  func result(_ image: Tensor) -> Tensor {
    let shape = ([filters, channels] + kernel).map { Size($0) }
    let kernels = Tensor.parameter("kernels", shape, .normal(mean: 0, deviation: 0.3))
    var result = convolution2D(
      image, kernels, stride: stride, padding: padding, dilation: dilation)
    if hasBias {
      result =
        result
        + .parameter("bias", [Size(filters), 1, 1], .normal(mean: 0, deviation: 1))
    }
    if hasRectifier { result = relu(result) }
    if let pool { result = maxPool2D(result, window: pool, stride: pool) }
    return result
  }

  var image: Tensor {
    .input("image", [.batch, Size(channels), Size(size[0]), Size(size[1])])
  }

  func value(batch: Int, special: Double? = nil) -> NDArray {
    let shape = [batch, channels] + size
    var numbers = numbers(shape.reduce(1, *), testDescription).map(Double.init)
    if let special { numbers[numbers.count / 2] = special }
    return NDArray(rounding: numbers, shape: shape, .float32)
  }
}

private let layers = [
  Layer(channels: 1, filters: 20, size: [28, 28], kernel: [5, 5], pool: [2, 2]),
  Layer(channels: 20, filters: 50, size: [12, 12], kernel: [5, 5], pool: [2, 2]),
  // Rows and filters that fill no tile, windows that fill no image.
  Layer(filters: 7, size: [11, 21], pool: [2, 3]),
  Layer(channels: 2, filters: 63, size: [9, 10], pool: [3, 1]),
  Layer(filters: 1, size: [8, 7], kernel: [1, 1], hasBias: false),
  Layer(channels: 63, filters: 3, size: [7, 6], kernel: [2, 3], hasRectifier: false),
  Layer(size: [14, 40], padding: .same, hasBias: false, hasRectifier: false),
  Layer(size: [9, 9], stride: [2, 1], padding: .symmetric(2, 1), pool: [2, 2]),
  Layer(size: [17, 18], dilation: [2, 3]),
  // Pooled rows shorter than a vector.
  Layer(size: [12, 7], pool: [1, 4]),
  Layer(size: [12, 8], kernel: [3, 2], pool: [2, 5]),
]

@Suite("Lanes of pixels in compiled graphs")
struct PixelsLayoutTests {
  /// The pass and the meaning of its operation: the same numbers as the graph before.
  @Test(arguments: layers, [1, 3])
  fileprivate func laidOutGraphMeansTheSame(_ layer: Layer, batch: Int) throws {
    let image = layer.image
    let graph = try Rewritten([image], [layer.result(image)])
    let laidOut = PixelsLayout.laidOut(graph.program, expecting: ["batch": 1]).outputs
    try laidOut.verify()
    let labels = Set(laidOut.topologicalNodes().map(\.operation.label))
    #expect(labels.contains("pixelsConvolution"))
    #expect(labels.isDisjoint(with: ["select", "maxPool", "add"]))
    let values = [layer.value(batch: batch)]
    let expected = try graph.reference(graph.program.outputs, values, batch: batch)[0]
    let found = try graph.reference(laidOut, values, batch: batch)[0]
    #expect(difference(expected, found, ulps: 64) == nil)
  }

  /// The code, for the batch that it was made for and for others.
  @Test(arguments: layers)
  fileprivate func compiledLayerEqualsTheReference(_ layer: Layer) throws {
    let image = layer.image
    let output = layer.result(image)
    let fast = try compile([image], to: [output], on: .cpu)
    let slow = try compile([image], to: [output], on: .reference)
    for batch in [1, 3, 20] {
      let value = layer.value(batch: batch)
      let (expected, found) = (try slow(value)[output], try fast(value)[output])
      #expect(difference(expected, found, ulps: 400) == nil, "batch \(batch)")
    }
  }

  /// NaN and infinity reach what they reach in the reference.
  @Test(arguments: [Double.nan, .infinity, -.infinity])
  func specialValues(_ special: Double) throws {
    for layer in layers {
      let image = layer.image
      let output = layer.result(image)
      let value = layer.value(batch: 2, special: special)
      let found = try compile([image], to: [output], on: .cpu)(value)[output].doubles
      let expected = try compile([image], to: [output], on: .reference)(value)[output].doubles
      for (found, expected) in zip(found, expected) {
        #expect(found.isNaN == expected.isNaN && found.isInfinite == expected.isInfinite)
      }
    }
  }

  /// The same bits for one thread and for two, and for a sample alone and among others.
  @Test func neitherThreadsNorOtherSamplesMatter() throws {
    let layer = layers[1]
    let image = layer.image
    let output = layer.result(image)
    let value = layer.value(batch: 3)
    let results = try [1, 2].map { threads -> [Double] in
      let old = CPU.threads
      defer { CPU.threads = old }
      CPU.threads = threads
      return try compile([image], to: [output], on: .cpu)(value)[output].doubles
    }
    #expect(results[0] == results[1])
    let last = value[rows: 2..<3].contiguous()
    let alone = try compile([image], to: [output], on: .cpu)(last)[output].doubles
    #expect(alone == Array(results[0].suffix(alone.count)))
  }

  /// Strides along rows, rows that are longer than the kernel's buffer, and what gradients look back at.
  @Test func whatStaysAsItIs() throws {
    func isLaidOut(_ layer: Layer, trains: Bool = false) throws -> Bool {
      let image = layer.image
      let result = layer.result(image)
      let loss = result.sum()
      let gradients = gradient(of: loss, withRespectTo: loss.parameters())
      let graph = try Rewritten([image], trains ? gradients : [result])
      let laidOut = PixelsLayout.laidOut(graph.program, expecting: ["batch": 1])
      return laidOut.outputs != graph.program.outputs
    }
    #expect(try isLaidOut(Layer()))
    #expect(try isLaidOut(Layer(channels: 16, filters: 32)))
    #expect(try !isLaidOut(Layer(stride: [1, 2])))
    #expect(try !isLaidOut(Layer(size: [8, 600])))
    #expect(try !isLaidOut(Layer(pool: [2, 2]), trains: true))
  }
}
