import AgnesiArrays
import AgnesiExpressions
import AgnesiLayers
import Testing

@Suite struct DenseTests {
  private let x = Tensor.input("x", [.batch, 2], .float64)

  @Test func itIsTheFormula() throws {
    let y = Dense(units: 3, activation: .relu, bias: .constant(0.5), name: "head")(x)
    #expect(parameterNames(y) == ["head.weight", "head.bias"])
    #expect(y.type == TensorType(.float64, [.batch, 3]))
    let weight = y.parameters()[0]
    try weight.parameter?.assign(NDArray([1.0, -1, 2, 3, 0, -4], shape: [2, 3]))
    let result = try value(y, [x: NDArray([1.0, 2, -1, 0.25], shape: [2, 2])], batch: 2)
    // [1, 2]·W = [7, -1, -6]; [-1, 0.25]·W = [-0.25, 1, -3]
    #expect(result.doubles == [7.5, 0, 0, 0.25, 1.5, 0])
  }

  @Test func imagesAreFlattened() {
    let image = Tensor.input("image", [.batch, 3, 4, 5])
    let y = Dense(units: 7)(image)
    #expect(y.type == TensorType(.float32, [.batch, 7]))
    #expect(y.parameters()[0].type == TensorType(.float32, [60, 7]))
  }

  @Test(arguments: [2, -1]) func leadingAxesStay(_ count: Int) {
    let words = Tensor.input("words", [.batch, 9, 5])
    let y = Dense(units: 7, leadingAxes: count)(words)
    #expect(y.type == TensorType(.float32, [.batch, 9, 7]))
    #expect(y.parameters()[0].type == TensorType(.float32, [5, 7]))
  }

  @Test func weightsArePenalizedAndBiasesNot() {
    let y = Dense(units: 3)(x)
    #expect(y.parameters(.regularizable).map(\.name) == ["dense1.weight"])
    #expect(y.parameters(.trainable).map(\.name) == ["dense1.weight", "dense1.bias"])
  }

  @Test func initialValuesFitTheNonlinearity() {
    func initializer(_ layer: Dense) -> Initializer? {
      layer(x).parameters()[0].parameter?.initializer
    }
    #expect(initializer(Dense(units: 3)) == .glorotUniform)
    #expect(initializer(Dense(units: 3, activation: .relu)) == .heNormal)
    #expect(initializer(Dense(units: 3, activation: .selu)) == .lecunNormal)
    #expect(
      initializer(Dense(units: 3, activation: .leakyReLU(slope: 0.5)))
        == .he(uniform: false, gain: (2 / 1.25).squareRoot()))
    #expect(initializer(Dense(units: 3, activation: .relu, weight: .orthogonal)) == .orthogonal)
  }

  /// A sigmoid passes on a quarter of the differences: without larger weights several of them pass on
  /// nothing, and the network does not learn.
  @Test func weightsBetweenSigmoidsAreLarger() {
    func initializers(_ layers: [any Layer], of input: Tensor) -> [Initializer?] {
      Chain(layers)(input).parameters(.regularizable).map { $0.parameter?.initializer }
    }
    func glorot(_ gain: Double) -> Initializer { .glorot(uniform: true, gain: gain) }
    let dense = [Activation.sigmoid, .sigmoid, .hardSigmoid, .hardSigmoid, .identity]
    #expect(
      initializers(dense.map { Dense(units: 3, activation: $0) }, of: x)
        == [1, 4, 4, 5, 1].map(glorot))
    let between: [any Layer] = [
      MaxPool2D(2), AveragePool2D(2), Dropout(0.5), Upsample2D(), Flatten(),
    ]
    let first = Convolution2D(filters: 3, kernel: 3, activation: .sigmoid)
    #expect(
      initializers(
        [first] + between + [Dense(units: 2, activation: .sigmoid)],
        of: .input("image", [.batch, 1, 18, 18])) == [1, 4].map(glorot))
    // A normalisation brings the differences back.
    #expect(
      initializers(
        [
          first, BatchNormalization(), Dense(units: 2, activation: .relu),
          Dense(units: 2, activation: .sigmoid),
        ], of: .input("image", [.batch, 1, 8, 8])) == [glorot(1), .heNormal, glorot(1)])
  }

  @Test func aParameterIsShared() {
    let first = Dense(units: 2, bias: nil)(x)
    let weight = first.parameters()[0]
    let tied = Dense(units: 2, weight: .shared(weight.transposed()), bias: nil)(first)
    #expect(tied.parameters() == [weight])
    guard let parameter = weight.parameter else { return }
    let same = Dense(units: 2, weight: .shared(parameter), bias: nil)(first)
    #expect(same.parameters() == [weight])
  }

  @Test func mistakesNameTheLayer() {
    #expect(
      failureText(Dense(units: 0)(x)) == """
        dense1: needs at least 1 unit, got 0
          input  "x" float64[batch, 2]
        """)
    #expect(
      failureText(Dense(units: 3, name: "head")(.input("x", [.batch]))) == """
        head: needs at least one axis behind its 1 leading axes, got float32[batch]
          input  "x" float32[batch]
        """)
    #expect(
      failureText(Dense(units: 3)(.input("x", [.batch, 4], .int32))) == """
        dense1: needs floating input, got int32
          input  "x" int32[batch, 4]
          hint: convert it with cast(to: .float32)
        """)
    #expect(
      failureText(Dense(units: 3)(.input("x", [.batch, 4, .symbol("width")]))) == """
        dense1: needs a known number of inputs for each sample, got width * 4
          input  "x" float32[batch, 4, width]
        """)
    let weight = Tensor.parameter("w", [2, 5], dtype: .float64)
    #expect(
      failureText(Dense(units: 3, weight: .shared(weight))(x)) == """
        dense1.weight: must be float64[2, 3] here
          shared  "w" float64[2, 5]
        """)
  }

  @Test func aMistakeBeforeTheLayerIsPassedOn() {
    let failed = Dense(units: 0)(x)
    #expect(Dense(units: 3)(failed) == failed)
  }
}
