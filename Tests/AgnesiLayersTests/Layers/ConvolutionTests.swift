import AgnesiArrays
import AgnesiExpressions
import AgnesiLayers
import Testing

@Suite struct ConvolutionTests {
  private let image = Tensor.input("image", [.batch, 2, 8, 9])

  @Test func shapesAndParameters() {
    let y = Convolution2D(
      filters: 6, kernel: [3, 2], stride: 2, padding: .symmetric(1, 0), groups: 2)(image)
    #expect(y.type == TensorType(.float32, [.batch, 6, 4, 4]))
    #expect(y.parameters().map(\.name) == ["convolution1.weight", "convolution1.bias"])
    #expect(y.parameters()[0].shape == [6, 1, 3, 2])
    #expect(y.parameters()[1].shape == [6])
  }

  @Test func itIsTheFormula() throws {
    let x = Tensor.input("x", [1, 1, 2, 3], .float64)
    let y = Convolution2D(filters: 2, kernel: [1, 2], activation: .relu)(x)
    let weights = y.parameters()
    try weights[0].parameter?.assign(NDArray([1.0, -1, 2, 0], shape: [2, 1, 1, 2]))
    try weights[1].parameter?.assign(NDArray([0.5, -3]))
    let pixels = NDArray([1.0, 2, 4, 3, 0, 1], shape: [1, 1, 2, 3])
    // differences -1, -2, 3, -1 plus 0.5; twice the left pixel, 2, 4, 6, 0, less 3
    #expect(try value(y, [x: pixels]).doubles == [0, 0, 3.5, 0, 0, 1, 3, 0])
  }

  @Test func transposedShapes() {
    let y = TransposedConvolution2D(
      filters: 6, kernel: 4, stride: 2, padding: .symmetric(1, 1), groups: 2)(image)
    #expect(y.type == TensorType(.float32, [.batch, 6, 16, 18]))
    #expect(y.parameters()[0].shape == [2, 3, 4, 4])
    let more = TransposedConvolution2D(filters: 1, kernel: 3, stride: 2, outputPadding: 1)(image)
    #expect(more.shape == [.batch, 1, 18, 20])
  }

  @Test func mistakesNameTheLayer() {
    let flat = Tensor.input("x", [.batch, 784])
    #expect(
      failureText(Convolution2D(filters: 20, kernel: 5)(flat)) == """
        convolution1: needs images [batch, channels, height, width], got float32[batch, 784]
          input  "x" float32[batch, 784]
          hint: put a Reshape([channels, height, width]) before it
        """)
    #expect(
      failureText(Convolution2D(filters: 3, kernel: 5, groups: 2)(image)) == """
        convolution1: 2 channels and 3 filters do not fall into 2 equal groups
          input  "image" float32[batch, 2, 8, 9]
        """)
    #expect(
      failureText(Convolution2D(filters: 3, kernel: [1, 2, 3])(image)) == """
        convolution1: the kernel must be one number or two, got [1, 2, 3]
          input  "image" float32[batch, 2, 8, 9]
        """)
    #expect(
      failureText(Convolution2D(filters: 3, kernel: 3, stride: 0)(image)) == """
        convolution1: the stride must be at least 1, got 0×0
          input  "image" float32[batch, 2, 8, 9]
        """)
    #expect(
      failureText(Convolution2D(filters: 0, kernel: 3)(image)) == """
        convolution1: needs at least 1 filter, got 0
          input  "image" float32[batch, 2, 8, 9]
        """)
    #expect(
      failureText(
        TransposedConvolution2D(filters: 3, kernel: 3)(.input("x", [1, .symbol("c"), 4, 4])))
          == """
          transposedConvolution1: needs a known number of channels, got c
            input  "x" float32[1, c, 4, 4]
          """)
  }
}
