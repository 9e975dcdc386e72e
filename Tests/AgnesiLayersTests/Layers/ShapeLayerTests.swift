import AgnesiArrays
import AgnesiExpressions
import AgnesiLayers
import Testing

@Suite struct ShapeLayerTests {
  private let image = Tensor.input("image", [.batch, 3, 7, 8], .float64)

  private func shape(_ layer: some Layer) -> [Size] { layer(image).shape }

  @Test func shapes() {
    #expect(shape(MaxPool2D(2)) == [.batch, 3, 3, 4])
    #expect(shape(MaxPool2D([3, 2], stride: 1)) == [.batch, 3, 5, 7])
    #expect(shape(MaxPool2D(3, stride: 2, padding: 1)) == [.batch, 3, 4, 4])
    #expect(shape(MaxPool2D(2, partialWindows: true)) == [.batch, 3, 4, 4])
    #expect(shape(AveragePool2D(2)) == [.batch, 3, 3, 4])
    #expect(shape(GlobalAveragePool2D()) == [.batch, 3])
    #expect(shape(Flatten()) == [.batch, 168])
    #expect(shape(Reshape([8, 21])) == [.batch, 8, 21])
    #expect(shape(Reshape([4, -1])) == [.batch, 4, 42])
    #expect(shape(Upsample2D(by: [2, 3])) == [.batch, 3, 14, 24])
    #expect(shape(Dropout(0.3)) == [.batch, 3, 7, 8])
    #expect(shape(ActivationLayer(.tanh)) == [.batch, 3, 7, 8])
    #expect(shape(BatchNormalization()) == [.batch, 3, 7, 8])
  }

  @Test func valuesOfThePools() throws {
    let x = Tensor.input("x", [1, 1, 2, 4], .float64)
    let pixels = NDArray([1.0, 5, 2, 0, 3, 3, -4, 6], shape: [1, 1, 2, 4])
    #expect(try value(MaxPool2D(2)(x), [x: pixels]).doubles == [5, 6])
    #expect(try value(AveragePool2D(2)(x), [x: pixels]).doubles == [3, 1])
    #expect(try value(GlobalAveragePool2D()(x), [x: pixels]).doubles == [2])
    #expect(
      try value(AveragePool2D(2, padding: 1)(x), [x: pixels]).doubles
        == [1, 3.5, 0, 3, -0.5, 6])
    #expect(
      try value(AveragePool2D(2, padding: 1, countingPadding: true)(x), [x: pixels]).doubles
        == [0.25, 1.75, 0, 0.75, -0.25, 1.5])
  }

  @Test func mistakes() {
    #expect(
      failureText(Reshape([5, 5])(image)) == """
        reshape1: 168 elements of a sample do not fill the shape [5, 5]
          input  "image" float64[batch, 3, 7, 8]
        """)
    #expect(
      failureText(Reshape([5, -1])(image)) == """
        reshape1: 168 elements of a sample do not fill the shape [5, -1]
          input  "image" float64[batch, 3, 7, 8]
        """)
    #expect(
      failureText(Reshape([-1, -1])(image)) == """
        reshape1: the shape may hold one -1 and no other negative number, got [-1, -1]
          input  "image" float64[batch, 3, 7, 8]
        """)
    #expect(
      failureText(GlobalAveragePool2D()(.input("x", [.batch, 5]))) == """
        globalAveragePool1: needs images [batch, channels, height, width], got float32[batch, 5]
          input  "x" float32[batch, 5]
          hint: put a Reshape([channels, height, width]) before it
        """)
    #expect(
      failureText(BatchNormalization()(.input("x", [.batch]))) == """
        batchNormalization1: needs at least 2 axes, [batch, channels, …], got float32[batch]
          input  "x" float32[batch]
        """)
  }
}
