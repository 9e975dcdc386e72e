import Agnesi
import TestSupport
import Testing

/// What is written as ONNX and read back computes the same. That ONNX Runtime agrees too is what
/// `Scripts/check-onnx-export.py` looks at.
@Suite struct ExportTests {
  private let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private var path: String { folder.path("model.onnx") }

  /// The outputs of inference, on the reference.
  private func values(
    _ function: Model.Function, _ inputs: [NDArray]
  ) throws -> [(name: String, array: NDArray)] {
    let outputs = function.outputs.map(\.tensor).specialized(for: .inference)
    let compiled = try compile(
      function.inputs, to: outputs, options: CompileOptions(allowsUnusedInputs: true),
      on: .reference)
    let results = try compiled.call(inputs)
    return zip(function.outputs, outputs).map { ($0.name, results[$1]) }
  }

  /// Writes, reads and compares; `ulps` are of the largest magnitude.
  private func check(
    _ function: Model.Function, _ inputs: [NDArray], ulps: Double = 64, _ what: String = ""
  ) throws {
    try Model(functions: ["run": function]).writeONNX(to: path)
    let read = try ONNXModel(reading: path).model()
    let expected = try values(function, inputs)
    let actual = try values(try #require(read.functions["run"]), inputs)
    #expect(expected.map(\.name) == actual.map(\.name))
    for (one, other) in zip(expected, actual) {
      #expect(difference(one.array, other.array, ulps: ulps) == nil, "\(what)")
    }
  }

  private func drawn(_ shape: [Int]) -> NDArray {
    Example.Input(shape).array(stream: Philox(seed: 5, name: "picture"))
  }

  private func image(_ channels: Int, _ size: Int) -> Tensor {
    .input("pixels", [.batch, Size(channels), Size(size), Size(size)])
  }

  private func trained(_ x: Tensor, _ chain: Chain, seed: UInt64 = 1) -> Model.Function {
    Model.Function(
      inputs: [x],
      outputs: [("probabilities", Scope.seeded(seed) { softmax(chain.build(x)) })])
  }

  @Test(arguments: ["128FC D0.5 10FC", "8C3 MP2 16C3 MP2 32FC 10FC"])
  func notation(_ text: String) throws {
    let x = image(1, 12)
    let network = try Notation.parse(text)
    let function = Model.Function(inputs: [x], outputs: [("y", softmax(network.build(x)))])
    try check(function, [drawn([3, 1, 12, 12])])
  }

  @Test func residualNetwork() throws {
    let x = image(3, 8)
    let first = Scope.named("first") { normalized(convolution(x, 3, 6)) }
    let second = Scope.named("second") { normalized(convolution(relu(first), 6, 6)) }
    let narrow = convolution2D(
      relu(second + first), .parameter("depth", [6, 1, 3, 3], .glorotUniform), stride: [2, 2],
      padding: .same, groups: 6)
    let pooled = averagePool2D(narrow, window: [2, 2], padding: [1, 1])
    let features = pooled.mean(axes: [2, 3])
    let function = Model.Function(
      inputs: [x], outputs: [("features", features), ("pooled", relu6(pooled * 9))])
    try check(function, [drawn([2, 3, 8, 8])])
    // The statistics are values of the file, as all weights.
    let model = try ONNXModel(reading: path).model()
    #expect(try model.parameters().map(\.name).contains("first.mean"))
  }

  private func convolution(_ x: Tensor, _ channels: Size, _ filters: Size) -> Tensor {
    convolution2D(
      x, .parameter("kernels", [filters, channels, 3, 3], .glorotUniform), padding: .same)
  }

  private func normalized(_ x: Tensor) -> Tensor {
    let shape = [x.size(1)]
    return batchNormalized(
      x, scale: .parameter("scale", shape, .constant(1.5)),
      offset: .parameter("offset", shape, .constant(-0.25)),
      runningMean: .parameter("mean", shape, .constant(0.1), .statistic),
      runningVariance: .parameter("variance", shape, .constant(2), .statistic)
    ).output
  }

  /// ONNX says 1 − erf, in which the smallest numbers vanish, and gives NaN no place in an order.
  private static let different: Set = ["erfc: far out", "sort: NaN"]

  /// Each operation and composite on its own examples; what ONNX cannot say is refused by name.
  @Test func everyOperation() throws {
    var (written, refused): (Set<String>, Set<String>) = ([], [])
    let operations = Operations.all.flatMap { one in one.examples.map { (one.name, $0) } }
    let composites = CompositeExamples.all.map { ($0.name, $0.example) }
    for (name, example) in operations + composites
    where !Self.different.contains("\(name): \(example.title)") {
      let arrays = example.inputs.enumerated().map { number, input in
        input.array(stream: Philox(seed: UInt64(number), name: example.title))
      }
      let inputs = arrays.enumerated().map { number, array in
        Tensor.input("x\(number)", array.shape.map { Size($0) }, array.dtype)
      }
      let outputs = example.build(inputs).enumerated().map { (name: "y\($0)", tensor: $1) }
      do {
        try check(
          .init(inputs: inputs, outputs: outputs), arrays, ulps: 256, "\(name): \(example.title)")
        written.insert(name)
      } catch let error as ModelError {
        #expect(error.message.hasPrefix("cannot be written as ONNX: "), "\(name): \(example.title)")
        refused.insert(name)
      }
    }
    let wholly = Set(refused).subtracting(written)
    #expect(
      wholly.sorted() == [
        "atan2", "convolutionBackwardWeights", "lgamma", "maxPoolBackward", "maxPoolTaken",
        "randomWord", "rectifyGradient", "sumPoolBackward",
      ])
    // Forms of operations that are written otherwise; trigamma is an example of digamma's.
    #expect(
      Set(refused).intersection(written).sorted() == [
        "digamma", "maxPool", "normalisation", "pad", "pooling", "scatterAdd", "sumPool",
      ])
  }

  @Test func namesOfSizesStayFree() throws {
    let x = Tensor.input("x", [.batch, .symbol("length"), 4])
    let y = x.reshaped([.batch * .symbol("length"), 4]) + Tensor.range(4).cast(to: .float32)
    let z = y.reshaped([.batch, .symbol("length"), 4]) / Tensor.integer(.symbol("length"))
    let function = Model.Function(inputs: [x], outputs: [("z", z)])
    try check(function, [drawn([2, 3, 4])])
    try check(function, [drawn([5, 1, 4])])
  }

  @Test func whatTravelsAlong() throws {
    let x = image(3, 4)
    let logits = matmul(x.flattened(from: 1), .parameter("w", [48, 2], .glorotUniform))
    let outputs = [
      (name: "probabilities", tensor: softmax(logits)), (name: "logits", tensor: logits),
      (name: "doubled", tensor: logits * 2),
    ]
    let model = Model(
      functions: ["classify": .init(inputs: [x], outputs: outputs)],
      information: ["classes": "[\"ant\",\"bee\"]", "architecture": "tiny"])
    try model.writeONNX(to: path)
    let read = try ONNXModel(reading: path).model()
    #expect(read.functions.keys.sorted() == ["classify"])
    #expect(
      read.functions["classify"]?.outputs.map(\.name) == ["probabilities", "logits", "features"])
    #expect(read.information == model.information)
    try model.writeONNX(to: path, outputs: ["doubled"])
    #expect(
      try ONNXModel(reading: path).model().functions["classify"]?.outputs.map(\.name)
        == ["doubled"])
  }

  @Test func mistakesAreNamed() throws {
    let x = Tensor.input("x", [2])
    let model = Model(functions: ["run": .init(inputs: [x], outputs: [("y", lgamma(x))])])
    #expect(
      errorText { try model.writeONNX(to: path) }.replacing(path, with: "FILE") == """
        model FILE: cannot be written as ONNX: lgamma(float32[2]): ONNX has no such operator
        """)
    #expect(
      errorText { try model.writeONNX(to: path, function: "walk") }.replacing(path, with: "FILE")
        == """
        model FILE: the model has no function "walk"
          hint: its functions are run
        """)
    #expect(folder.names.isEmpty)
  }
}
