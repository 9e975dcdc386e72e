import Agnesi
import AgnesiCPU
import AgnesiCompiler
import AgnesiExpressions
import TestSupport
import Testing

/// Which layouts the search gives to networks, by the costs of two kinds of processors.
@Suite struct CPULayoutsTests {
  enum Processor: CaseIterable {
    case avx512, avx2

    var target: LanesTarget { self == .avx512 ? .avx512 : .avx2 }
    var blocks: ChannelBlocks { ChannelBlocks(width: target.lanes) }
  }

  private func program(_ network: String, _ shape: [Int], trains: Bool) throws -> GraphProgram {
    let image = Tensor.input("image", [.batch] + shape.map { Size($0) })
    let scores = try Notation.parse(network)(image)
    guard trains else {
      return try Rewritten([image], [scores.specialized(for: .inference)]).program
    }
    let label = Tensor.input("label", [.batch], .int32)
    let loss = softmaxCrossEntropy(scores, label).mean()
    let gradients = gradient(of: loss, withRespectTo: loss.parameters(.trainable))
    return try Rewritten([image, label], [loss] + gradients).program
  }

  /// The layout of each convolution, by its kernels' shape, pass by pass.
  private func layouts(
    _ network: String, _ shape: [Int], batch: Int, trains: Bool, on processor: Processor
  ) throws -> [String] {
    let roots = try program(network, shape, trains: trains).roots
    let costs = CPULayouts(
      for: roots, expecting: ["batch": batch], target: processor.target,
      blocks: processor.blocks)
    let assignment = LayoutSearch.assignment(roots, costs)
    return roots.topologicalNodes().compactMap { assignment.layout(of: $0) }
  }

  private static let lenet = "20C5 MP2 50C5 MP2 64FC 10FC"

  /// Few and uneven channels of many samples: no channel is filled up.
  @Test(arguments: Processor.allCases) func samplesInLanes(_ processor: Processor) throws {
    let found = try layouts(Self.lenet, [1, 28, 28], batch: 64, trains: true, on: processor)
    #expect(found == Array(repeating: "batch-innermost", count: 5))
  }

  /// One sample fills no lanes.
  @Test(arguments: Processor.allCases) func oneSample(_ processor: Processor) throws {
    let found = try layouts(Self.lenet, [1, 28, 28], batch: 1, trains: false, on: processor)
    #expect(found == ["row vectors", "row vectors"])
  }

  /// Many channels; the first convolution has few.
  @Test(arguments: Processor.allCases, [1, 64])
  func channelsInBlocks(_ processor: Processor, batch: Int) throws {
    let network = "64C3p1 64C3p1 MP2 128C3p1 128C3p1 MP2 10FC"
    for trains in [false, true] {
      let found = try layouts(
        network, [3, 32, 32], batch: batch, trains: trains, on: processor)
      let others = found.filter { $0 != "channel-blocked" }
      #expect(others.count <= 2, "\(found)")
    }
  }

  /// Convolutions of other dtypes and of named channels have no choice.
  @Test func whatHasNoChoice() throws {
    let kernels = Tensor.parameter("kernels", [8, 8, 3, 3], .normal(mean: 0, deviation: 1))
    let image = Tensor.input("image", [.batch, 8, 9, 9], .float64)
    let result = convolution2D(image, kernels.cast(to: .float64))
    let costs = CPULayouts(for: [result], expecting: [:])
    #expect(LayoutSearch.assignment([result], costs).lines.isEmpty)
  }

  /// The same sizes are laid out in the same way, whatever was compiled before, and the dump says how.
  @Test func choicesAreOfSizesAlone() throws {
    let image = Tensor.input("image", [.batch, 1, 28, 28])
    let scores = try Notation.parse(Self.lenet)(image)
    func choices(_ batches: [Int]) throws -> [String] {
      let function = try compile([image], to: [scores], on: .cpu)
      for batch in batches.dropLast() { _ = try function.passes(for: ["batch": batch]) }
      return try function.passes(for: ["batch": batches[batches.count - 1]]).flatMap(\.choices)
    }
    let once = try choices([100])
    #expect(once.count == 2)
    #expect(once[0].hasPrefix("1 × convolution [batch, 1, 28, 28] by [20, 1, 5, 5]: "))
    #expect(try choices([1, 7, 100]) == once)
    #expect(try choices([100, 2, 64]) == once)
    #expect(try choices([1]) != once)
  }

  /// Without the pass that chooses, everything stays in row-major order.
  @Test func withoutAChoice() throws {
    let image = Tensor.input("image", [.batch, 1, 28, 28])
    let scores = try Notation.parse(Self.lenet)(image)
    let function = try compile(
      [image], to: [scores], options: .init(excluding: ["layouts"]), on: .cpu)
    let records = try function.passes(for: ["batch": 100])
    #expect(records.allSatisfy { $0.choices.isEmpty })
    let layouts = records.filter { $0.pass.contains("layout") }
    #expect(layouts.allSatisfy { $0.nodes.before == $0.nodes.after })
  }

  /// Whatever is chosen, side by side in one network, forward and backward: the reference's numbers.
  @Test(arguments: 0..<8 as Range<UInt64>) func anyMixtureIsRight(_ seed: UInt64) throws {
    let image = Tensor.input("image", [.batch, 3, 12, 12])
    func layer(_ name: String, _ x: Tensor, _ filters: Int, dilation: Int = 1) -> Tensor {
      let kernels = Tensor.parameter(
        name, [Size(filters), x.shape[1], 3, 3], .normal(mean: 0, deviation: 0.2))
      return convolution2D(x, kernels, padding: .same, dilation: [dilation, dilation])
    }
    let first = relu(layer("a", image, 16))
    let pooled = maxPool2D(relu(layer("b", first, 16) + first), window: [2, 2])
    let joined = concatenated([pooled, tanh(layer("c", pooled, 12, dilation: 2))], axis: 1)
    let last = relu(layer("d", joined, 32))
    let scaled = last - last.mean(axes: [0, 2, 3], keepingAxes: true)
    let loss = (scaled * layer("e", scaled, 32)).mean()
    let outputs = [loss] + gradient(of: loss, withRespectTo: loss.parameters() + [image])
    let count = 9 * 3 * 144
    let values = NDArray(numbers(count, "image \(seed)"), shape: [9, 3, 12, 12])
    let stream = Philox(key: seed)
    let mixed = CPU(layouts: { node, candidates in
      let name = "\(node.operation.label) \(node.operands.map(\.type.shape))"
      let place = name.utf8.reduce(UInt64(7)) { $0 &* 31 &+ UInt64($1) }
      return Int(stream.word(place)) % candidates.count
    })
    let expected = try compile([image], to: outputs, on: .reference)(values).arrays
    let actual = try compile([image], to: outputs, on: mixed)(values).arrays
    for (a, b) in zip(actual, expected) {
      #expect(difference(a.scalars(), b.scalars()) < 1e-4)
    }
  }
}
