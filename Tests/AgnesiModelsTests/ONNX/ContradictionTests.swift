import Agnesi
import TestSupport
import Testing

/// Attributes and inputs that contradict what the shapes of others say.
@Suite struct ContradictionTests {
  private let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  /// What is wrong with the only node of a graph.
  private func text(
    _ operation: String, _ inputs: [String], of sizes: [String] = ["n", "4", "8", "8"],
    _ attributes: KeyValuePairs<String, [Int]> = [:], numbers: KeyValuePairs<String, Int> = [:],
    version: Int = 17, outputs: [String] = ["y"], _ fill: (inout TestGraph) -> Void = { _ in }
  ) throws -> String {
    var graph = TestGraph(input: ("x", sizes), output: "y", version: version)
    fill(&graph)
    graph.add(operation, inputs, outputs, attributes, numbers: numbers)
    let path = try folder.write(graph.bytes, to: "model.onnx")
    let text = errorText { _ = try ONNXModel(reading: path).model() }
    let start = "model \(path): node 0 (\(operation), operator set \(version)): "
    return text.hasPrefix(start) ? String(text.dropFirst(start.count)) : text
  }

  @Test(arguments: ["Conv", "ConvTranspose"]) func kernelShapes(_ operation: String) throws {
    func found(_ stated: [Int]) throws -> String {
      try text(operation, ["x", "w"], ["kernel_shape": stated]) {
        $0.addWeights("w", [4, 4, 5, 5])
      }
    }
    #expect(try found([5, 5]) == "nothing was thrown")
    #expect(try found([3, 3]) == "its kernel_shape is [3, 3], its weights float32[4, 4, 5, 5]")
    #expect(try found([5]) == "its kernel_shape is [5], its weights float32[4, 4, 5, 5]")
  }

  @Test func groups() throws {
    func found(_ groups: Int) throws -> String {
      try text("Conv", ["x", "w"], numbers: ["group": groups]) { $0.addWeights("w", [6, 2, 3, 3]) }
    }
    #expect(try found(2) == "nothing was thrown")
    #expect(try found(1).contains("the input has 4 channels, each kernel takes 2"))
    #expect(try found(0).contains("the number of groups is at least 1, got 0"))
  }

  @Test func pads() throws {
    func found(_ pads: [Int]) throws -> String {
      try text("Conv", ["x", "w"], ["pads": pads]) { $0.addWeights("w", [6, 4, 3, 3]) }
    }
    #expect(try found([1, 1]) == "its pads are [1, 1] for 2 axes")
    #expect(try found([-1, 0, 0, 0]).contains("padding is at least 0"))
  }

  /// A vector of one element was added to all channels.
  @Test(arguments: ["Conv", "ConvTranspose"]) func biases(_ operation: String) throws {
    let found = try text(operation, ["x", "w", "b"]) {
      $0.addWeights("w", [4, 4, 3, 3])
      $0.addWeights("b", [1])
    }
    #expect(found == "its bias is float32[1], there are 4 channels of its result")
  }

  @Test func statistics() throws {
    let found = try text("BatchNormalization", ["x", "a", "b", "c", "d"]) {
      for name in ["a", "b", "c"] { $0.addWeights(name, [4]) }
      $0.addWeights("d", [1])
    }
    #expect(found == "its input 4 is float32[1], there are 4 channels of its input")
  }

  /// What broadcasts over a tensor must not make it larger.
  @Test func largerOperands() throws {
    #expect(
      try text("PRelu", ["x", "w"], of: ["n", "1"]) { $0.addWeights("w", [3]) }
        == "its operands would make float32[batch, 3] of float32[batch, 1]")
    #expect(
      try text("Gemm", ["x", "w", "c"], of: ["n", "4"]) {
        $0.addWeights("w", [4, 1])
        $0.addWeights("c", [5])
      } == "its operands would make float32[batch, 5] of float32[batch, 1]")
  }

  @Test func axes() throws {
    #expect(
      try text("ReduceSum", ["x", "axes"]) { $0.add("axes", [4]) } == "axis 4 of a tensor of 4 axes"
    )
    #expect(
      try text("ReduceSum", ["x", "axes"]) { $0.add("axes", [1, -3]) }
        == "its axes [1, -3] name one twice")
    #expect(
      try text("CumSum", ["x", "axis"]) { $0.add("axis", [1_000_000]) }
        == "axis 1000000 of a tensor of 4 axes")
  }

  @Test func parts() throws {
    #expect(
      try text("Split", ["x", "split"], numbers: ["axis": 1], outputs: ["y", "z"]) {
        $0.add("split", [1, 1, 2])
      } == "its split [1, 1, 2] is for 2 outputs")
  }

  /// A number that is told is the file's own.
  @Test func largestElements() throws {
    func found(_ k: Int) throws -> String {
      try text("TopK", ["x", "k"], of: ["n", "192"], outputs: ["y", "places"]) { $0.add("k", [k]) }
    }
    #expect(
      try found(1 << 40)
        == "its k is 1099511627776, the size of axis 1 of float32[batch, 192] is 192")
    #expect(try found(-7) == "its k is -7, the size of axis 1 of float32[batch, 192] is 192")
    #expect(try found(192) == "nothing was thrown")
  }

  /// Elements of places that are not there became NaN, and the weights were blamed.
  @Test func indices() throws {
    func found(_ operation: String, _ place: Int, shape: [Int] = [1]) throws -> String {
      try text(operation, ["x", "places"], of: ["3", "4"], numbers: ["axis": 1]) {
        $0.add("places", [place], shape: shape)
      }
    }
    let wrong = "its index 4 lies outside of axis 1, whose size is 4"
    #expect(try found("Gather", 4) == wrong)
    #expect(try found("Gather", 3) == "nothing was thrown")
    #expect(try found("Gather", -4) == "nothing was thrown")
    #expect(try found("Gather", -5) == "its index -5 lies outside of axis 1, whose size is 4")
    #expect(try found("GatherElements", 4, shape: [1, 1]) == wrong)
    #expect(
      try text("GatherND", ["x", "places"], of: ["3", "4"]) {
        $0.add("places", [2, 4], shape: [1, 2])
      } == wrong)
  }
}
