import AgnesiExpressions
import AgnesiLayers
import Testing

@Suite struct GraphSummaryTests {
  /// Two blocks with a shortcut, in scopes, and a classifier.
  private func residual() -> (image: Tensor, logits: Tensor) {
    let image = Tensor.input("image", [.batch, 3, 16, 16])
    var x = Scope.named("stem") {
      relu(Convolution2D(filters: 8, kernel: 3, padding: .symmetric(1, 1), name: "conv")(image))
    }
    x = MaxPool2D(2)(x)
    for number in 1...2 {
      let input = x
      x = Scope.named("block\(number)") {
        let first = Convolution2D(
          filters: 8, kernel: 3, padding: .symmetric(1, 1), bias: nil, name: "conv1")(input)
        let norm = relu(BatchNormalization(name: "norm1")(first))
        return relu(
          input
            + Convolution2D(filters: 8, kernel: 3, padding: .symmetric(1, 1), name: "conv2")(norm))
      }
    }
    let features = GlobalAveragePool2D()(x)
    return (image, softmax(Dense(units: 10, name: "fc")(features)))
  }

  @Test func layersStandInGroups() {
    let (image, output) = residual()
    let summary = Summary(inputs: [image], outputs: [output])
    #expect(
      summary.rows.map(\.layer) == [
        "stem.conv", "maxPool1", "block1.conv1", "block1.norm1", "block1.conv2", "block2.conv1",
        "block2.norm1", "block2.conv2", "globalPool1", "fc",
      ])
    #expect(
      summary.rows.map(\.details) == [
        "8 of 3×3, relu", "2×2", "8 of 3×3", "relu", "8 of 3×3, sum, relu", "8 of 3×3", "relu",
        "8 of 3×3, sum, relu", "", "10 units, softmax",
      ])
    #expect(
      summary.rows.map(\.parameterCount) == [224, 0, 576, 16, 584, 576, 16, 584, 0, 90])
    #expect(summary.rows.map(\.statisticCount).reduce(0, +) == 32)
    #expect(
      summary.rows.map { $0.field?.description } == [
        "3×3, step 1", "4×4, step 2", "8×8, step 2", "8×8, step 2", "12×12, step 2",
        "16×16, step 2", "16×16, step 2", "20×20, step 2", "16×16", "16×16",
      ])
    #expect(summary.multiplyAdds?.known == 16 * 16 * 8 * 27 + 4 * 64 * 8 * 72 + 80)
  }

  @Test func groupsUnfold() {
    let (image, output) = residual()
    let summary = Summary(inputs: [image], outputs: [output])
    #expect(
      summary.text(depth: 1) == """
        layer                           output   parameters  multiply-adds  receptive field
        stem.conv    8 of 3×3, relu     8×16×16         224         55,296  3×3, step 1
        maxPool1     2×2                8×8×8             0              0  4×4, step 2
        block1       3 layers           8×8×8         1,176         73,728  12×12, step 2
        block2       3 layers           8×8×8         1,176         73,728  20×20, step 2
        globalPool1                     8                 0              0  16×16
        fc           10 units, softmax  10               90             80  16×16
        total                                         2,666        202,832
        and 32 running statistics
        """)
    #expect(summary.text() == summary.text(depth: 2))
    #expect(summary.depth(ofAtMost: 24) == 2)
    #expect(summary.depth(ofAtMost: 9) == 1)
    #expect(summary.depth(ofAtMost: 2) == 1)
    for width in [80, 90] {
      for line in summary.text(depth: nil, width: width).split(separator: "\n") {
        #expect(line.count <= width, "\(line)")
      }
    }
  }

  /// Frameworks part names by dots, by slashes, or make them up: a bias belongs to its product all the same.
  @Test(arguments: [
    (["conv1/w", "conv1/b"], "conv1"), (["onnx::Conv_321", "onnx::Conv_322"], "convolution1"),
    (["17", "18"], "convolution1"), (["conv1_w_0", "conv1_b_0"], "conv1_w_0"),
    (["a.conv.weight", "a.conv.bias"], "a.conv"),
  ])
  func namesOfOthers(names: [String], layer: String) {
    let x = Tensor.input("x", [.batch, 3, 8, 8])
    let bias = Tensor.parameter(names[1], [4]).reshaped([4, 1, 1])
    let y = relu(convolution2D(x, .parameter(names[0], [4, 3, 3, 3])) + bias)
    let summary = Summary(inputs: [x], outputs: [y])
    #expect(summary.rows.map(\.layer) == [layer])
    #expect(summary.rows.map(\.details) == ["4 of 3×3, relu"])
    #expect(summary.rows.map(\.parameterCount) == [112])
  }

  /// What a layer called twice makes is visible: two sets, unless their parameters are shared.
  @Test func aLayerThatIsCalledTwiceIsTwoLayers() {
    let x = Tensor.input("x", [.batch, 4])
    let cell = Dense(units: 4, activation: .tanh)
    let twice = Summary(inputs: [x], outputs: [cell(cell(x))])
    #expect(twice.rows.map(\.layer) == ["dense1", "dense2"])
    #expect(twice.rows.map(\.parameterCount) == [20, 20])
    #expect(twice.rows.map(\.sharedWith) == [nil, nil])

    let weight = Tensor.parameter("cell.weight", [4, 4])
    func shared(_ x: Tensor) -> Tensor { tanh(matmul(x, weight)) }
    let once = Summary(inputs: [x], outputs: [shared(shared(shared(x)))])
    #expect(once.rows.map(\.layer) == ["cell", "cell (2)", "cell (3)"])
    #expect(once.rows.map(\.parameterCount) == [16, 0, 0])
    #expect(once.rows.map(\.sharedWith) == [nil, "cell", "cell"])
    #expect(once.parameterCount == 16)
    #expect(once.multiplyAdds?.known == 48)
  }

  /// Bytes of float32: parameters once; all outputs in training; what is needed at a time in inference.
  @Test func memory() throws {
    let summary = Summary(try Notation.parse("4FC 2FC 8FC"), input: [10])
    #expect(summary.memory.parameters == 4 * (44 + 10 + 24))
    #expect(summary.memory.training == 4 * (10 + 4 + 2 + 8))
    #expect(summary.memory.inference == 4 * (10 + 4))
    #expect(
      summary.text(batch: 100).hasSuffix(
        "\nmemory: parameters 312 B; outputs of layers for 100 samples 9.6 kB in training, "
          + "5.6 kB in inference"))
    // A shortcut keeps its operand for longer.
    let (image, output) = residual()
    let inference = Summary(inputs: [image], outputs: [output]).memory.inference
    #expect(inference == 4 * (8 * 256 + 8 * 64) || inference == 4 * (3 * 256 + 8 * 256))
  }

  @Test func mistakesAreTold() {
    let x = Tensor.input("x", [.batch, 4])
    let summary = Summary(inputs: [x], outputs: [MaxPool2D(2)(x)])
    #expect(summary.rows.isEmpty)
    #expect(
      summary.failure?.message
        == "needs images [batch, channels, height, width], got float32[batch, 4]")
  }
}
