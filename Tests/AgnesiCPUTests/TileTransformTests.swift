import Agnesi
import AgnesiArrays
import AgnesiCPU
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops
import TestSupport
import Testing

/// Convolutions of 4×4 kernels that move by two pixels, by fewer products.
@Suite struct TileTransformTests {
  /// Sizes of one convolution.
  struct Sizes: Sendable, CustomTestStringConvertible {
    var batch: Int
    var channels: Int
    var filters: Int
    var image: [Int]
    var testDescription: String { "\(batch) × \(channels) → \(filters), \(image)" }

    var shape: [Int] { [batch, channels] + image }
    var result: [Int] { [batch, filters] + image.map { $0 / 2 } }
  }

  /// Whole tiles, parts of tiles, odd images, one tile; one sample, three, more.
  static let all = [
    Sizes(batch: 1, channels: 64, filters: 32, image: [48, 40]),
    Sizes(batch: 3, channels: 32, filters: 48, image: [39, 47]),
    Sizes(batch: 3, channels: 48, filters: 32, image: [46, 25]),
    Sizes(batch: 40, channels: 64, filters: 64, image: [8, 8]),
  ]

  fileprivate static let stride = ConvolutionGeometry(
    stride: [2, 2], padBegin: [1, 1], padEnd: [1, 1], dilation: [1, 1])

  /// A convolution and its adjoints, each of plain operands.
  private struct Passes {
    var inputs: [Tensor]
    var outputs: [Tensor]
    var arrays: [NDArray]

    init(_ sizes: Sizes) {
      func input(_ name: String, _ shape: [Int]) -> (Tensor, NDArray) {
        let stream = Philox(seed: 3, name: name)
        let count = shape.reduce(1, *)
        let numbers = (0..<count).map { Float(stream.word(UInt64($0))) / 0x1p31 - 1 }
        return (.input(name, shape.map { Size($0) }), NDArray(numbers, shape: shape))
      }
      let (x, image) = input("x", sizes.shape)
      let (w, kernels) = input("w", [sizes.filters, sizes.channels, 4, 4])
      let (s, gradients) = input("s", sizes.result)
      (inputs, arrays) = ([x, w, s], [image, kernels, gradients])
      outputs = [
        Tensor(ConvolutionForward(geometry: TileTransformTests.stride), x, w),
        Tensor(
          ConvolutionBackwardData(
            geometry: TileTransformTests.stride, size: sizes.image.map { Size($0) }), s, w),
        Tensor(
          ConvolutionBackwardWeights(geometry: TileTransformTests.stride, size: [4, 4]), x, s),
      ]
    }

    /// As the compiler hands it to a backend.
    func program() throws -> GraphProgram { try Rewritten(inputs, outputs).program }
  }

  private static func count(_ label: String, _ program: GraphProgram) -> Int {
    program.roots.topologicalNodes().count { $0.operation.label.hasPrefix(label) }
  }

  /// The largest difference, in parts of the largest number.
  private static func error(_ actual: NDArray, _ expected: NDArray) -> Double {
    let (a, b) = (actual.doubles, expected.doubles)
    guard a.count == b.count, let largest = b.map(abs).max() else { return .infinity }
    return (zip(a, b).map { ($0 - $1).magnitude }.max() ?? .infinity) / largest
  }

  /// The rewritten graph means the same, by the references of its operations; and the code computes
  /// what double precision gives, to a few roundings.
  @Test(arguments: all) func keepsTheNumbers(_ sizes: Sizes) throws {
    guard ChannelBlocks.host != nil else { return }
    let passes = Passes(sizes)
    let program = try passes.program()
    let laidOut = ChannelBlockedLayout.laidOut(program)
    #expect(laidOut.outputs.map(\.type) == program.outputs.map(\.type))
    #expect(Self.count("channelBlockedConvolution", laidOut) == 0)
    // Image and gradients each once, kernels in both orders; one way back for each pass.
    #expect(Self.count("tileTransform", laidOut) == 7)
    let values = Dictionary(uniqueKeysWithValues: zip(passes.inputs, passes.arrays))
    func reference(_ outputs: [Tensor]) throws -> [NDArray] {
      try ReferenceExecutor.run(outputs: outputs, inputs: values, sizes: [:])
    }
    let expected = try reference(program.outputs)
    let meant = try reference(laidOut.outputs)
    let compiled = try AgnesiCompiler.compile(passes.inputs, to: passes.outputs, on: .cpu)
    let actual = try compiled.call(passes.arrays)
    for index in expected.indices {
      #expect(Self.error(meant[index], expected[index]) < 1e-5, "meaning of pass \(index)")
      #expect(Self.error(actual[index], expected[index]) < 2e-5, "code of pass \(index)")
    }
  }

  /// Each transform's code against its reference.
  @Test(arguments: all) func transforms(_ sizes: Sizes) throws {
    guard ChannelBlocks.host != nil else { return }
    let passes = Passes(sizes)
    let laidOut = ChannelBlockedLayout.laidOut(try passes.program())
    let values = Dictionary(uniqueKeysWithValues: zip(passes.inputs, passes.arrays))
    for node in laidOut.roots.topologicalNodes() {
      guard node.operation.label.hasPrefix("tileTransform"), let operand = node.operands.first,
        let type = node.types.first
      else { continue }
      let operands = try ReferenceExecutor.run(outputs: [operand], inputs: values, sizes: [:])
      let expected = try node.operation.reference(operands, types: [type])
      let input = Tensor.input("operand", operand.shape)
      let output = Tensor.make(node.operation, [input])
      let actual = try AgnesiCompiler.compile([input], to: output, on: .cpu).call(operands)
      #expect(Self.error(actual[0], expected[0]) < 2e-6, "\(node.operation.label)")
    }
  }

  /// Few channels, another kernel, stride or padding: the library's direct algorithm.
  @Test func othersStayDirect() throws {
    guard ChannelBlocks.host != nil else { return }
    func transforms(_ channels: Int, _ kernel: Int, stride: Int, padding: Int) throws -> Int {
      let x = Tensor.input("x", [2, Size(channels), 32, 32])
      let w = Tensor.input("w", [32, Size(channels), Size(kernel), Size(kernel)])
      let y = convolution2D(
        x, w, stride: [stride, stride], padding: .symmetric(padding, padding))
      let program = try Rewritten([x, w], [y]).program
      return Self.count("tileTransform", ChannelBlockedLayout.laidOut(program))
    }
    #expect(try transforms(64, 4, stride: 2, padding: 1) == 3)
    #expect(try transforms(16, 4, stride: 2, padding: 1) == 0)
    #expect(try transforms(64, 3, stride: 2, padding: 1) == 0)
    #expect(try transforms(64, 4, stride: 1, padding: 1) == 0)
    #expect(try transforms(64, 4, stride: 2, padding: 0) == 0)
  }

  /// The batch counts in the choice, and code for one batch is right for others.
  @Test func batches() throws {
    guard ChannelBlocks.host != nil else { return }
    let x = Tensor.input("x", [.batch, 64, 8, 8])
    let w = Tensor.parameter("w", [64, 64, 4, 4], .heNormal)
    let y = convolution2D(x, w, stride: [2, 2], padding: .symmetric(1, 1))
    let program = try Rewritten([x], [y]).program
    func transforms(_ batch: Int) -> Int {
      Self.count(
        "tileTransform", ChannelBlockedLayout.laidOut(program, expecting: ["batch": batch]))
    }
    #expect(transforms(64) == 3)
    #expect(transforms(1) == 0)
    let strict = ChannelBlockedLayout.laidOut(program, expecting: ["batch": 64], isStrict: true)
    #expect(Self.count("tileTransform", strict) == 0)
    let fast = try AgnesiCompiler.compile([x], to: [y], on: .cpu)
    let slow = try AgnesiCompiler.compile([x], to: [y], on: .reference)
    for batch in [20, 1, 3] {
      let stream = Philox(seed: 5, name: "batch")
      let numbers = (0..<batch * 64 * 64).map { Float(stream.word(UInt64($0))) / 0x1p31 - 1 }
      let image = NDArray(numbers, shape: [batch, 64, 8, 8])
      let (actual, expected) = (try fast.call([image])[0], try slow.call([image])[0])
      #expect(Self.error(actual, expected) < 1e-5, "batch \(batch)")
    }
  }
}
