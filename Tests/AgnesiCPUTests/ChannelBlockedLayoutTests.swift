import Agnesi
import AgnesiArrays
import AgnesiCPU
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops
import TestSupport
import Testing

/// Networks of many channels: the graph in blocks, and the numbers it keeps.
@Suite struct ChannelBlockedLayoutTests {
  @Test(arguments: Self.networks) func keepsTheNumbersOfAStep(_ network: Network) throws {
    for batch in [1, 3, 9] {
      let step = network.step()
      let values = network.values(batch: batch)
      let plain = CompileOptions(rewriting: .none)
      let expected = try AgnesiCompiler.compile(
        step.inputs, to: step.outputs, options: plain, on: .reference
      ).call(values)
      let actual = try AgnesiCompiler.compile(step.inputs, to: step.outputs, on: .cpu).call(values)
      for index in step.outputs.indices {
        let (a, b) = (actual[index].doubles, expected[index].doubles)
        let scale = b.map(abs).max() ?? 1
        let worst = zip(a, b).map { abs($0 - $1) }.max() ?? 0
        #expect(a.count == b.count)
        #expect(worst <= 2e-4 * scale, "\(network.name), batch \(batch), output \(index)")
      }
    }
  }

  /// The rewritten graph means the same, operation by operation.
  @Test(arguments: Self.networks) func keepsTheMeaning(_ network: Network) throws {
    let step = network.step()
    let program = try Self.program(step)
    let laidOut = ChannelBlockedLayout.laidOut(program)
    #expect(laidOut.outputs.map(\.type) == program.outputs.map(\.type))
    let values = Dictionary(uniqueKeysWithValues: zip(step.inputs, network.values(batch: 2)))
    var before = ReferenceWalk(values, sizes: ["batch": 2])
    var after = ReferenceWalk(values, sizes: ["batch": 2])
    let expected = try before.values(of: program.outputs)
    let actual = try after.values(of: laidOut.outputs)
    for (a, b) in zip(actual, expected) {
      let scale = b.doubles.map(abs).max() ?? 1
      #expect(zip(a.doubles, b.doubles).allSatisfy { abs($0 - $1) <= 1e-5 * scale })
    }
  }

  /// Modules of branches and networks that go down and up again stay in blocks from end to end.
  @Test(arguments: ["branches that are joined", "encoder and decoder", "parts of the channels"])
  func nothingLeavesTheBlocksBetween(name: String) throws {
    guard ChannelBlocks.host?.width == 16 else { return }
    let network = try #require(Self.networks.first { $0.name == name })
    let x = Tensor.input("x", [.batch] + network.sample.map { Size($0) })
    let program = try Self.program((inputs: [x], outputs: [network.output(x)]))
    let nodes = ChannelBlockedLayout.laidOut(program).roots.topologicalNodes()
    // The image goes in and the result comes out.
    #expect(nodes.count { $0.operation.label == "transpose" } == 2)
  }

  /// From the second convolution to the end of the windows nothing leaves the blocks.
  @Test func graph() throws {
    guard ChannelBlocks.host?.width == 16 else { return }
    let x = Tensor.input("x", [.batch, 3, 8, 8])
    let y = maxPool2D(relu(Self.convolution("a", x, 16)))
    let z = Self.convolution("b", y, 32)
    let program = try Self.program((inputs: [x], outputs: [z.sum(axes: [0, 2, 3])]))
    let labels = ChannelBlockedLayout.laidOut(program).roots.topologicalNodes().map(
      \.operation.label)
    #expect(
      labels.filter { !["constant", "reshape", "broadcast", "parameter"].contains($0) } == [
        "input", "channelBlockedConvolution.forward", "maxPool", "rectify",
        "channelBlockedConvolution.forward", "sum",
      ])
  }

  @Test func fewChannelsStayAsTheyAre() throws {
    let x = Tensor.input("x", [.batch, 1, 8, 8])
    let y = Self.convolution("a", x, 20)
    let program = try Self.program((inputs: [x], outputs: [y]))
    let laidOut = ChannelBlockedLayout.laidOut(program)
    #expect(laidOut.outputs == program.outputs)
  }

  /// NaN is the largest element of a window, and ReLU passes it on.
  @Test func poolingBeforeReLUKeepsNaN() throws {
    let x = Tensor.input("x", [1, 16, 4, 4])
    let w = Tensor.input("w", [16, 16, 1, 1])
    let y = maxPool2D(relu(convolution2D(x, w)))
    var pixels = [Float](repeating: -1, count: 256)
    pixels[5] = .nan
    let identity = (0..<256).map { Float($0 / 16 == $0 % 16 ? 1 : 0) }
    let result = try AgnesiCompiler.compile([x, w], to: [y], on: .cpu)(
      NDArray(pixels, shape: [1, 16, 4, 4]), NDArray(identity, shape: [16, 16, 1, 1]))[0].doubles
    // The convolution spreads NaN over the channels at one pixel, whose window is the first or second.
    #expect(result.enumerated().allSatisfy { $1.isNaN == ($0 % 4 == 0) })
    #expect(result.enumerated().allSatisfy { $0 % 4 == 0 || $1 == 0 })
  }

  // MARK: Networks

  struct Network: Sendable, CustomTestStringConvertible {
    var name: String
    var sample: [Int]
    var output: @Sendable (Tensor) -> Tensor
    var testDescription: String { name }

    func step() -> (inputs: [Tensor], outputs: [Tensor]) {
      let x = Tensor.input("x", [.batch] + sample.map { Size($0) })
      let y = output(x)
      let cost = (y * (y + 1)).mean()
      let variables = cost.parameters(.trainable) + [x]
      return ([x], [cost] + gradient(of: cost, withRespectTo: variables, disconnected: .zero))
    }

    func values(batch: Int) -> [NDArray] {
      let stream = Philox(seed: 7, name: name)
      let count = batch * sample.reduce(1, *)
      let numbers = (0..<count).map { Float(stream.word(UInt64($0))) / 0x1p31 - 1 }
      return [NDArray(numbers, shape: [batch] + sample)]
    }
  }

  private static func convolution(
    _ name: String, _ x: Tensor, _ filters: Int, _ size: Int = 3, stride: Int = 1, bias: Bool = true
  ) -> Tensor {
    let weight = Tensor.parameter(
      "\(name).weight", [Size(filters), x.shape[1], Size(size), Size(size)], .heNormal)
    let padding = Padding2D.symmetric(size / 2, size / 2)
    let y = convolution2D(x, weight, stride: [stride, stride], padding: padding)
    guard bias else { return y }
    let b = Tensor.parameter("\(name).bias", [Size(filters)], .uniform(range: 0.5))
    return y + b.reshaped([Size(filters), 1, 1])
  }

  private static func grouped(
    _ name: String, _ x: Tensor, filters: Int? = nil, groups: Int, size: Int = 3, stride: Int = 1,
    padding: Padding2D = .same
  ) -> Tensor {
    let channels = x.shape[1].known ?? 0
    let weight = Tensor.parameter(
      "\(name).weight",
      [Size(filters ?? channels), Size(channels / groups), Size(size), Size(size)], .heNormal)
    return convolution2D(
      x, weight, stride: [stride, stride], padding: padding, groups: groups)
  }

  /// Channels with a kernel of their own are the lanes of blocks.
  @Test func depthwiseConvolutionsStayInBlocks() throws {
    guard ChannelBlocks.host?.width == 16 else { return }
    let x = Tensor.input("x", [.batch, 16, 8, 8])
    let y = Self.grouped("b", relu(Self.convolution("a", x, 32, 1, bias: false)), groups: 32)
    let z = Self.convolution("c", y, 64, 1, bias: false)
    let program = try Self.program((inputs: [x], outputs: [z.sum(axes: [0, 2, 3])]))
    let labels = ChannelBlockedLayout.laidOut(program).roots.topologicalNodes().map(
      \.operation.label)
    #expect(
      labels.filter { !["constant", "reshape", "broadcast", "parameter"].contains($0) } == [
        "input", "transpose", "channelBlockedConvolution.forward", "rectify",
        "channelBlockedConvolution.forward", "channelBlockedConvolution.forward", "sum",
      ])
  }

  static let networks: [Network] = [
    Network(name: "convolution", sample: [16, 6, 5]) { convolution("a", $0, 32) },
    Network(name: "image to blocks, ReLU, maxima", sample: [3, 12, 12]) {
      let y = maxPool2D(relu(convolution("a", $0, 32)))
      return maxPool2D(relu(convolution("b", y, 32))).flattened(from: 1)
    },
    Network(name: "ReLU that others read", sample: [16, 8, 8]) {
      let y = relu(convolution("a", $0, 16))
      return maxPool2D(y).sum(axes: [2, 3]) + y.sum(axes: [2, 3])
    },
    Network(name: "strides, no bias, averages", sample: [16, 11, 9]) {
      let y = convolution("a", $0, 48, 4, stride: 2, bias: false)
      return averagePool2D(tanh(y), window: [2, 2]).max(axes: [2, 3])
    },
    Network(name: "overlapping windows", sample: [3, 13, 13]) {
      let y = relu(convolution("a", $0, 16, 5, stride: 2))
      return maxPool2D(y, window: [3, 3], stride: [2, 2], padding: [1, 1])
    },
    Network(name: "channels that fill no block", sample: [16, 6, 6]) {
      convolution("b", relu(convolution("a", $0, 20)), 16)
    },
    Network(name: "sums over channels", sample: [32, 5, 5]) {
      let y = convolution("a", $0, 32)
      return y / sqrt((y * y).sum(axes: [1], keepingAxes: true).broadcast(to: y.shape))
    },
    Network(name: "one kernel for each channel", sample: [32, 9, 8]) {
      grouped("b", relu(convolution("a", $0, 48)), groups: 48)
    },
    Network(
      name: "one kernel for each channel, strides, more below and right", sample: [16, 10, 12]
    ) {
      let padding = Padding2D.explicit(top: 1, bottom: 2, left: 1, right: 2)
      return convolution(
        "b", relu(grouped("a", $0, groups: 16, size: 5, stride: 2, padding: padding)), 24, 1)
    },
    Network(name: "groups of blocks", sample: [32, 6, 7]) {
      grouped("a", $0, filters: 64, groups: 2)
    },
    Network(name: "groups that fill no block", sample: [32, 6, 7]) {
      grouped("a", $0, filters: 64, groups: 8)
    },
    Network(name: "branches that are joined", sample: [16, 7, 7]) {
      let branches = [convolution("a", $0, 16, 1), relu(convolution("b", $0, 32)), $0]
      return convolution("c", concatenated(branches, axis: 1), 16, 1)
    },
    Network(name: "encoder and decoder", sample: [16, 8, 8]) {
      let y = relu(convolution("a", $0, 32))
      let z = relu(convolution("b", maxPool2D(y), 32))
      let joined = concatenated([upsampled2D(z), y], axis: 1)
      return convolution("c", joined.padded([(0, 0), (0, 0), (0, 1), (0, 1)]), 16)
    },
    Network(name: "parts of the channels", sample: [16, 6, 6]) {
      let parts = convolution("a", $0, 64).split(into: 2, axis: 1)
      return convolution("b", parts[0] * sigmoid(parts[1]), 16)
    },
    Network(name: "a part that fills no block", sample: [16, 6, 6]) {
      let y = convolution("a", $0, 32)
      return y.sliced([0, 4, 0, 0], [nil, 28, nil, nil])
    },
    Network(name: "Winograd", sample: [32, 16, 16]) {
      convolution("b", relu(convolution("a", $0, 64)), 64)
    },
  ]

  private static func program(
    _ step: (inputs: [Tensor], outputs: [Tensor])
  ) throws -> GraphProgram {
    try Rewritten(step.inputs, step.outputs).program
  }
}
