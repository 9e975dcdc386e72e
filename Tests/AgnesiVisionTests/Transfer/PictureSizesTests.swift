import Agnesi
import AgnesiExpressions
import TestSupport
import Testing

/// Networks made for pictures of one size, of pictures of another.
@Suite struct PictureSizesTests {
  /// U-Net as it is built for a size, and as it becomes when the size is another.
  @Test func theZoosSegmenterTakesMultiplesOfItsPoolings() throws {
    let model = try Zoo.known("unet").model()
    let function = try #require(model.functions["segment"])
    let logits = try #require(function.outputs.first { $0.name == "logits" }?.tensor)
    let other = Tensor.input("pixels", [.batch, 3, 48, 80])
    let resized = try #require(
      [logits.specialized(for: .inference)].resized(function.inputs[0], to: other))
    #expect(resized[0].shape == [.batch, 2, 48, 80])
    let odd = Tensor.input("pixels", [.batch, 3, 40, 80])
    #expect([logits.specialized(for: .inference)].resized(function.inputs[0], to: odd) == nil)
  }

  /// Windows, strides, biases, normalisation, enlarging and joining, with the numbers of the same layers
  /// built for the other size.
  @Test func numbersAreThoseOfTheSizeItself() throws {
    func network(_ x: Tensor) -> Tensor {
      let parameters = weights
      let wide = elu(convolution2D(x, parameters[0], padding: .same) + parameters[1])
      let coarse = relu(maxPool2D(wide) - 0.1)
      let grown = transposedConvolution2D(coarse, parameters[2], stride: [2, 2])
      return softmax(
        concatenated([grown, wide, upsampled2D(averagePool2D(wide))], axis: 1), axis: 1)
    }
    let (small, large) = (
      Tensor.input("x", [1, 2, 4, 6]), Tensor.input("x", [1, 2, 8, 10])
    )
    let resized = try #require([network(small)].resized(small, to: large))
    let values = NDArray((0..<160).map { Float($0 % 13) / 7 - 1 }, shape: [1, 2, 8, 10])
    let wanted = try compile([large], to: [network(large)], on: .reference)(values)[0]
    let got = try compile([large], to: resized, on: .reference)(values)[0]
    #expect(got == wanted)
  }

  private let weights: [Tensor] = [
    .constant(NDArray((0..<54).map { Float($0 % 5) - 2 }, shape: [3, 2, 3, 3])),
    .constant(NDArray([0.5, -1, 2] as [Float], shape: [3, 1, 1])),
    .constant(NDArray((0..<36).map { Float($0 % 7) / 3 - 1 }, shape: [3, 3, 2, 2])),
  ]

  @Test func whatIsMadeForASizeTakesNoOther() throws {
    let (x, other) = (Tensor.input("x", [1, 2, 4, 4]), Tensor.input("x", [1, 2, 8, 8]))
    let dense = matmul(x.reshaped([1, 32]), .constant(NDArray(zeros: [32, 3])))
    #expect([dense].resized(x, to: other) == nil)
    #expect([x - x.mean(axes: [2, 3], keepingAxes: true)].resized(x, to: other) == nil)
  }
}
