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

  /// One place of each sample's vector of so many is hot; the sum of the vector.
  private func hot(depth: Int) -> TestGraph {
    var graph = TestGraph(input: ("x", ["n", "1"]), output: "y")
    graph.add("depth", [depth])
    graph.add("ends", [0, 1])
    graph.add("axes", [1])
    graph.add("Cast", ["x"], ["whole"], numbers: ["to": 7])
    graph.add("OneHot", ["whole", "depth", "ends"], ["hot"], name: "wide")
    graph.add("ReduceSum", ["hot", "axes"], ["y"])
    return graph
  }

  /// Vectors of 2³⁰ places were made for minutes, though each is below the limit of one tensor.
  @Test func oneHotVectorsOutOfProportion() {
    #expect(text(hot(depth: 1 << 20)) == "nothing was thrown")
    let found = text(hot(depth: 1 << 30))
    #expect(
      found.hasPrefix("model FILE: node \"wide\" (OneHot, operator set 17): up to here "),
      "\(found)")
    #expect(
      found.contains("elements are computed, a file with inputs of 1 elements and "), "\(found)")
    #expect(text(hot(depth: 0)).hasSuffix("its depth is 0"))
    #expect(text(hot(depth: 1 << 40)).hasSuffix("its depth is 1099511627776"))
  }

  /// Many nodes of a size that one node may have.
  @Test func manyLargeNodes() {
    var graph = TestGraph(input: ("x", ["1"]), output: "y")
    graph.add("shape", [1 << 26])
    graph.add("Expand", ["x", "shape"], ["y0"])
    for number in 0..<40 { graph.add("Sin", ["y\(number)"], ["y\(number + 1)"]) }
    graph.add("Sin", ["y40"], ["y"])
    let found = text(graph)
    #expect(found.hasPrefix("model FILE: node 16 (Sin, operator set 17): up to here "), "\(found)")
  }

  /// Matrices that nobody handed in.
  @Test func productsOutOfProportion() {
    var graph = TestGraph(input: ("x", ["1", "1"]), output: "y")
    graph.add("shape", [1 << 14, 1 << 14])
    graph.add("Expand", ["x", "shape"], ["square"])
    graph.add("MatMul", ["square", "square"], ["y"])
    let found = text(graph)
    #expect(
      found.hasPrefix("model FILE: node 1 (MatMul, operator set 17): up to here "), "\(found)")
    #expect(found.contains(" products are computed"), "\(found)")
  }

  /// Each window looks at all that it covers.
  @Test func windowsOutOfProportion() {
    var graph = TestGraph(input: ("x", ["1", "1", "8", "8"]), output: "y")
    graph.add(
      "AveragePool", ["x"], ["y"],
      ["kernel_shape": [1 << 29, 1 << 29], "pads": [1 << 28, 1 << 28, 1 << 28, 1 << 28]])
    #expect(text(graph).hasPrefix("model FILE: node 0 (AveragePool, operator set 17): "))
  }

  /// Lists of sizes that double, and formulas whose length is squared.
  @Test(arguments: ["Concat", "Mul"]) func sizesWithoutEnd(_ operation: String) {
    var graph = TestGraph(input: ("x", ["a", "b"]), output: "y")
    graph.add("first", [0])
    graph.add("second", [1])
    graph.add("Shape", ["x"], ["sizes"])
    graph.add("Gather", ["sizes", "first"], ["a"])
    graph.add("Gather", ["sizes", "second"], ["b"])
    graph.add("Add", ["a", "b"], ["s0"])
    for number in 0..<40 {
      let (before, after) = ("s\(number)", "s\(number + 1)")
      graph.add(
        operation, [before, before], [after], numbers: operation == "Concat" ? ["axis": 0] : [:])
    }
    graph.add("Identity", ["s40"], ["y"])
    let found = text(graph)
    #expect(
      operation == "Mul" ? found == "nothing was thrown" : found.contains("(Concat"), "\(found)")
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
    #expect(
      error.hasSuffix("  asked for by node 0 (Expand) of \(folder.path("model.onnx"))"), "\(error)")
    #expect(try compiled(value)[0].shape == [1 << 16])
  }

  /// The largest int64 as a place ended the process.
  @Test func placesBeyondAllNumbers() {
    var graph = TestGraph(input: ("x", ["n", "4"]), output: "y")
    graph.add("place", [Int.max])
    graph.add("Shape", ["x"], ["sizes"])
    graph.add("Gather", ["sizes", "place"], ["y"])
    // More than 2⁶² is no place that anybody counts to.
    #expect(
      text(graph)
        == "model FILE: node 1 (Gather, operator set 17): its index 4611686018427387904 lies outside of "
        + "axis 0, whose size is 2")
  }
}
