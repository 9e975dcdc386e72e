import AgnesiExpressions
import AgnesiLayers
import Testing

@Suite struct SummaryTests {
  @Test func lenet() throws {
    let summary = Summary(try Notation.parse("20C5 MP2 50C5 MP2 256FC 10FC"), input: [1, 28, 28])
    #expect(
      summary.description == """
        layer                          output    parameters  multiply-adds  receptive field
        convolution1  20 of 5×5, relu  20×24×24         520        288,000  5×5, step 1
        maxPool1      2×2              20×12×12           0              0  6×6, step 2
        convolution2  50 of 5×5, relu  50×8×8        25,050      1,600,000  14×14, step 2
        maxPool2      2×2              50×4×4             0              0  16×16, step 4
        dense1        256 units, relu  256          205,056        204,800  28×28
        dense2        10 units         10             2,570          2,560  28×28
        total                                       233,196      2,095,360
        """)
    #expect(summary.parameterCount == 233_196)
    #expect(summary.multiplyAdds == 2_095_360)
    #expect(summary.failure == nil)
  }

  @Test func vectorsHaveNoReceptiveField() throws {
    let summary = Summary(try Notation.parse("256FC D0.5 10FC"), input: [784])
    #expect(summary.rows.map(\.layer) == ["dense1", "dropout1", "dense2"])
    #expect(summary.rows.map(\.parameterCount) == [200_960, 0, 2_570])
    #expect(summary.rows.map(\.receptiveField) == [nil, nil, nil])
    #expect(summary.rows.map(\.outputShape) == [[256], [256], [10]])
  }

  @Test func normalizationIsVisible() {
    let chain = Chain {
      Convolution2D(
        filters: 4, kernel: [3, 1], stride: [2, 1], padding: .symmetric(1, 0), dilation: 2,
        groups: 2,
        activation: .relu, name: "stem")
      BatchNormalization()
      GlobalAveragePool2D()
    }
    let summary = Summary(chain, input: [2, 8, 8])
    #expect(
      summary.rows.map(\.layer)
        == ["stem", "batchNormalization1", "activation1", "globalAveragePool1"])
    #expect(
      summary.rows[0].details
        == "4 of 3×1, stride 2×1, padding 1×0, dilation 2, 2 groups, no bias")
    #expect(summary.rows[2].details == "relu")
    #expect(summary.rows.map(\.outputShape) == [[4, 3, 8], [4, 3, 8], [4, 3, 8], [4]])
    #expect(summary.rows.map(\.parameterCount) == [12, 8, 0, 0])
    #expect(summary.rows.map(\.statisticCount) == [0, 8, 0, 0])
    #expect(summary.multiplyAdds?.known == 4 * 3 * 8 * 3)
    #expect(
      summary.rows.map { $0.field?.description }
        == ["5×1, step 2×1", "5×1, step 2×1", "5×1, step 2×1", "8×8"])
    #expect(summary.description.hasSuffix("\nand 8 running statistics"))
  }

  @Test func enlargingLayersHaveSmallerSteps() {
    let chain = Chain {
      MaxPool2D(4)
      Upsample2D(by: 2)
      TransposedConvolution2D(filters: 1, kernel: 4, stride: 8, name: "up")
      TransposedConvolution2D(filters: 1, kernel: 4, stride: 2)
    }
    let fields = Summary(chain, input: [1, 16, 16]).rows.map { $0.field?.description }
    #expect(fields == ["4×4, step 4", "4×4, step 2", "4×4, step 0.25", "5×5, step 0.125"])
  }

  /// A layer of one's own needs to say nothing: its graph does.
  struct Doubling: Layer {
    func build(_ input: Tensor) -> Tensor { input * 2 }
  }

  /// Rows and columns change places.
  struct Turning: Layer {
    func build(_ input: Tensor) -> Tensor { input.transposed([0, 1, 3, 2]) }
  }

  @Test func whatIsUnknownIsNotClaimed() {
    let known = Chain([MaxPool2D(2), Doubling(), MaxPool2D(2)])
    #expect(Summary(known, input: [1, 8, 8]).rows.map(\.receptiveField) == [2, 2, 4])
    let unknown = Chain([MaxPool2D(2), Turning(), MaxPool2D(2)])
    #expect(Summary(unknown, input: [1, 8, 8]).rows.map(\.receptiveField) == [2, nil, nil])
  }

  @Test func sharedParametersCountOnce() {
    let weight = Tensor.parameter("w", [4, 4])
    let chain = Chain {
      Dense(units: 4, weight: .shared(weight), bias: nil)
      Dense(units: 4, weight: .shared(weight), bias: nil)
    }
    let summary = Summary(chain, input: [4])
    #expect(summary.rows.map(\.parameterCount) == [16, 0])
    #expect(summary.rows.map(\.sharedWith) == [nil, "dense1"])
    #expect(
      summary.description == """
        layer                                           output  parameters  multiply-adds  \
        receptive field
        dense1  4 units, no bias                        4               16             16  –
        dense2  4 units, no bias, parameters of dense1  4                0             16  –
        total                                                           16             32
        """)
    // Memory counts them once, too.
    #expect(summary.memory.parameters == 64)
  }

  @Test func theListEndsAtAMistake() throws {
    let summary = Summary(try Notation.parse("MP2 256FC MP2 10FC"), input: [1, 4, 4])
    #expect(summary.rows.map(\.layer) == ["maxPool1", "dense1"])
    #expect(summary.failure != nil)
    let lines = summary.description.split(separator: "\n").map(String.init)
    #expect(lines[3].hasPrefix("total"))
    #expect(lines[4].hasPrefix("notation: token 3, \"MP2\", of the network "))
  }

  @Test func fullyConvolutionalNetworksTakeAnySize() throws {
    let chain = try Notation.parse("4C3 MP2 4C3 GAP 10FC")
    let (height, width) = (Size.symbol("height"), Size.symbol("width"))
    let summary = Summary(chain, input: [3, height, width])
    #expect(summary.failure == nil)
    #expect(summary.rows.last?.outputShape == [10])
    #expect(summary.rows[0].multiplyAdds?.evaluated(["height": 5, "width": 6]) == 3 * 4 * 4 * 27)
  }
}
