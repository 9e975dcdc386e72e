import Agnesi
import TestSupport
import Testing

/// Files that ask for work without end, or for memory that nobody has.
@Suite struct EndlessWorkTests {
  private let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func model(_ graph: TestGraph) throws -> Model.Function? {
    let path = try folder.write(graph.bytes, to: "model.onnx")
    return try ONNXModel(reading: path).model().functions["run"]
  }

  private func text(_ graph: TestGraph) -> String {
    errorText { _ = try model(graph) }.replacing(folder.path("model.onnx"), with: "FILE")
  }

  /// Expand by `shape`, the largest of which are wanted.
  private func largest(of shape: [Int], input: [String] = ["1"]) -> TestGraph {
    var graph = TestGraph(input: ("x", input), output: "y")
    graph.add("shape", shape)
    graph.add("k", [2])
    graph.add("Expand", ["x", "shape"], ["wide"])
    graph.add("TopK", ["wide", "k"], ["y", "places"])
    return graph
  }

  /// Tile by `repeats` under a sum.
  private func sum(of repeats: [Int], input: [String]) -> TestGraph {
    var graph = TestGraph(input: ("x", input), output: "y")
    graph.add("repeats", repeats)
    graph.add("Tile", ["x", "repeats"], ["wide"])
    graph.add("ReduceSum", ["wide"], ["y"])
    return graph
  }

  @Test func largeExpansions() {
    #expect(
      text(largest(of: [1 << 40]))
        == "model FILE: node 0 (Expand, operator set 17): its result would be float32[1099511627776]"
    )
    #expect(
      text(largest(of: [1 << 40, 1 << 40])).contains(
        "operator set 17): its result would be float32["))
  }

  @Test func tilesOfKnownAndOfUnknownSizes() {
    let found = text(sum(of: [1 << 30, 1 << 30], input: ["1", "1"]))
    #expect(found.hasPrefix("model FILE: node 0 (Tile, operator set 17): "), "\(found)")
    #expect(found.contains("1073741824"))
    // What a name of a size stands for does not matter: it is 1 at least.
    let named = text(sum(of: [1 << 30, 1 << 30], input: ["rows", "columns"]))
    #expect(named.hasPrefix("model FILE: node 0 (Tile, operator set 17): "), "\(named)")
  }

  /// Within the limit of files it is a matter of memory.
  @Test(arguments: [CPU(), Reference()] as [any Backend])
  func whatIsAllowedMayStillBeTooMuch(_ backend: any Backend) throws {
    var graph = TestGraph(input: ("x", ["1"]), output: "y")
    graph.add("shape", [1 << 16])
    graph.add("Expand", ["x", "shape"], ["y"])
    let function = try #require(try model(graph))
    let compiled = try compile(
      function.inputs, to: function.outputs.map(\.tensor), on: backend)
    let value = NDArray([1 as Float])
    let error = Memory.$assumed.withValue(100_000) { errorText { _ = try compiled(value) } }
    #expect(error.contains("[65536]"), "\(error)")
    #expect(try compiled(value)[0].shape == [1 << 16])
  }

  /// The largest int64 as a place ended the process.
  @Test func placesBeyondAllNumbers() throws {
    var graph = TestGraph(input: ("x", ["n", "4"]), output: "y")
    graph.add("place", [Int.max])
    graph.add("Shape", ["x"], ["sizes"])
    graph.add("Gather", ["sizes", "place"], ["y"])
    let function = try #require(try model(graph))
    let compiled = try compile(
      function.inputs, to: function.outputs.map(\.tensor),
      options: CompileOptions(allowsUnusedInputs: true), on: Reference())
    // There is no such size; what stands in its place is whole.
    #expect(try compiled(NDArray(zeros: [2, 4]))[0].shape == [1])
  }
}
