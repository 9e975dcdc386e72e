import Agnesi
import AgnesiCPU
import TestSupport
import Testing

/// What a profile says of kernels that are written by hand, and how they are turned off.
@Suite struct LayoutSwitchTests {
  private func weights(_ name: String, _ shape: Shape) -> Tensor {
    .parameter(name, shape, .glorotUniform)
  }

  /// Who made the steps of a network and of its gradient.
  private func producers(
    _ shape: [Int], rewriting: RewriteLevel = .full, excluding: Set<String> = [],
    trains: Bool = true, _ build: (Tensor) -> Tensor
  ) throws -> Set<String> {
    let profiler = Profiler()
    let x = Tensor.input("x", shape.map { Size($0) })
    let y = build(x)
    let gradients = trains ? gradient(of: (y * y).sum(), withRespectTo: y.parameters()) : []
    let function = try compile(
      [x], to: [y] + gradients, options: .init(rewriting: rewriting, excluding: excluding),
      on: CPU(profiler: profiler))
    _ = try function(NDArray(filled: 0.5, shape: shape))
    return Set(profiler.steps.map(\.producer))
  }

  private static let written = [
    "batch-innermost", "pixels in vectors", "channel-blocked, depthwise",
    "channel-blocked, tile transform",
  ]

  private func digits(_ x: Tensor) -> Tensor {
    maxPool2D(relu(convolution2D(x, weights("a", [20, 1, 5, 5]))), window: [2, 2])
  }

  private func depthwise(_ x: Tensor) -> Tensor {
    // Between others in blocks, so that it is worth a reorder.
    let mixed = convolution2D(x, weights("m", [64, 64, 3, 3]), padding: .same)
    return convolution2D(mixed, weights("a", [64, 1, 3, 3]), padding: .same, groups: 64)
  }

  @Test func kernelsAreCalledByTheirLayouts() throws {
    func own(_ producers: Set<String>) -> [String] { Self.written.filter(producers.contains) }
    #expect(try own(producers([16, 1, 28, 28], digits)) == ["batch-innermost"])
    #expect(try own(producers([1, 1, 28, 28], trains: false, digits)) == ["pixels in vectors"])
    guard ChannelBlocks.host != nil else { return }
    #expect(try own(producers([4, 64, 8, 8], depthwise)) == ["channel-blocked, depthwise"])
    let halved = try producers([64, 64, 32, 32]) { x in
      convolution2D(
        x, weights("a", [128, 64, 4, 4]), stride: [2, 2], padding: .symmetric(1, 1))
    }
    #expect(own(halved) == ["channel-blocked, tile transform"])
  }

  @Test func withoutRewritingThereAreNoLayouts() throws {
    for (shape, trains) in [([16, 1, 28, 28], true), ([1, 1, 28, 28], false)] {
      let found = try producers(shape, rewriting: .none, trains: trains, digits)
      #expect(found.isDisjoint(with: Self.written), "\(found)")
    }
    let found = try producers([4, 64, 8, 8], rewriting: .none, depthwise)
    #expect(found.isDisjoint(with: Self.written), "\(found)")
    #expect(!found.contains { $0.hasSuffix(", channel-blocked") }, "\(found)")
  }

  @Test func eachLayoutIsSwitchedByItsName() throws {
    let found = try producers([16, 1, 28, 28], excluding: ["batch-innermost layout"], digits)
    #expect(!found.contains("batch-innermost"))
  }

  @Test func whatLaidOutTensorsIsRecorded() throws {
    let x = Tensor.input("x", [.batch, 1, 28, 28])
    let function = try compile([x], to: [digits(x)], on: .cpu)
    let passes = try function.passes(for: ["batch": 64]).map(\.pass)
    let own = CPU.cpu.passes.map(\.name)
    #expect(passes.suffix(own.count) == own[...])
    #expect(passes.dropLast(own.count) == function.passes.map(\.pass)[...])
  }

  @Test(arguments: [RewriteLevel.none, .fast, .full])
  func theValuesAreTheSame(level: RewriteLevel) throws {
    let x = Tensor.input("x", [.batch, 1, 12, 12])
    let y = convolution2D(digits(x), weights("b", [6, 20, 3, 3]))
    let gradients = gradient(of: (y * y).mean(), withRespectTo: y.parameters())
    let values = NDArray(numbers(20 * 144, "digits"), shape: [20, 1, 12, 12])
    let outputs = [y] + gradients
    let expected = try compile([x], to: outputs, on: .reference)(values)
    let options = CompileOptions(rewriting: level)
    let results = try compile([x], to: outputs, options: options, on: .cpu)(values)
    for (a, b) in zip(results.arrays, expected.arrays) {
      #expect(difference(a.scalars(), b.scalars()) < 1e-5)
    }
  }
}
