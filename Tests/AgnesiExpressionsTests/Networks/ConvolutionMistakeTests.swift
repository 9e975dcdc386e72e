import AgnesiArrays
import AgnesiExpressions
import Testing

@Suite struct ConvolutionMistakeTests {
  private let x = Tensor.input("x", [.batch, 4, 9, 8])
  private let k = Tensor.input("k", [6, 4, 3, 3])

  private func text(_ operands: String, _ message: String) -> String {
    "convolution2D: \(message)\n\(operands)"
  }

  private let both = """
      input    "x" float32[batch, 4, 9, 8]
      kernels  "k" float32[6, 4, 3, 3]
    """

  @Test func channelsDisagree() {
    let other = Tensor.input("k", [6, 3, 3, 3])
    #expect(
      convolution2D(x, other).failureText == """
        convolution2D: the input has 4 channels, each kernel takes 3
          input    "x" float32[batch, 4, 9, 8]
          kernels  "k" float32[6, 3, 3, 3]
        """)
    #expect(
      convolution2D(x, k, groups: 2).failureText
        == text(both, "the input has 4 channels in 2 groups, each kernel takes 4"))
  }

  @Test func groupsDoNotDivide() {
    #expect(
      convolution2D(x, k, groups: 3).failureText
        == text(both, "3 groups do not divide 4 channels"))
    let few = Tensor.input("k", [5, 2, 3, 3])
    #expect(
      convolution2D(x, few, groups: 2).failureText == """
        convolution2D: 2 groups do not divide 5 filters
          input    "x" float32[batch, 4, 9, 8]
          kernels  "k" float32[5, 2, 3, 3]
        """)
    #expect(
      convolution2D(x, k, groups: 0).failureText
        == text(both, "the number of groups is at least 1, got 0"))
  }

  @Test func theKernelIsTooLarge() {
    #expect(
      convolution2D(x, k, padding: .symmetric(0, 1), dilation: [4, 5]).failureText
        == text(
          both,
          "the kernel spans 11 along axis 3, the padded input only 10"
        ) + "\n  hint: padding of 1 more makes it fit")
  }

  @Test func evenKernelsHaveNoMiddle() {
    let even = Tensor.input("k", [6, 4, 2, 3])
    #expect(
      convolution2D(x, even, padding: .same).failureText == """
        convolution2D: padding: .same needs kernels of odd sizes, got 2×3
          input    "x" float32[batch, 4, 9, 8]
          kernels  "k" float32[6, 4, 2, 3]
          hint: say how much on each side with .explicit(…)
        """)
  }

  @Test func numbersThatAreNone() {
    #expect(
      convolution2D(x, k, stride: [0, 1]).failureText
        == text(both, "strides are at least 1, got [0, 1]"))
    #expect(
      convolution2D(x, k, dilation: [1, 0]).failureText
        == text(both, "dilations are at least 1, got [1, 0]"))
    #expect(
      convolution2D(x, k, padding: .symmetric(-1, 0)).failureText
        == text(both, "padding is at least 0, got [-1, 0] before and [-1, 0] behind"))
    #expect(
      convolution2D(x, k, stride: [2]).failureText
        == text(both, "needs a stride of 2 numbers, got [2]"))
  }

  @Test func operandsOfOtherKinds() {
    let flat = Tensor.input("x", [.batch, 784])
    #expect(
      convolution2D(flat, k).failureText == """
        convolution2D: needs two operands of 4 axes, got 2 and 4
          input    "x" float32[batch, 784]
          kernels  "k" float32[6, 4, 3, 3]
        """)
    let bytes = Tensor.input("x", [.batch, 4, 9, 8], .uint8)
    #expect(
      convolution2D(bytes, k).failureText == """
        convolution2D: needs two operands of one floating dtype, got uint8 and float32
          input    "x" uint8[batch, 4, 9, 8]
          kernels  "k" float32[6, 4, 3, 3]
        """)
  }

  @Test func anEarlierMistakeIsKept() {
    let broken = matmul(x, k)
    #expect(convolution2D(broken, k, padding: .same).failureText == broken.failureText)
    #expect(convolution2D(x, broken, padding: .same).failureText == broken.failureText)
  }

  @Test func transposed() {
    let y = Tensor.input("y", [.batch, 6, 4, 4])
    let operands = """
        input    "y" float32[batch, 6, 4, 4]
        kernels  "k" float32[6, 4, 3, 3]
      """
    #expect(
      transposedConvolution2D(y, k, outputPadding: [1, 0]).failureText
        == "transposedConvolution2D: output padding is at least 0 and smaller than the stride,"
        + " got [1, 0] for [1, 1]\n\(operands)")
    #expect(
      transposedConvolution2D(y, k, padding: .symmetric(3, 0)).failureText
        == "transposedConvolution2D: the padding leaves a result of size 0\n\(operands)")
    let other = Tensor.input("k", [5, 4, 3, 3])
    #expect(
      transposedConvolution2D(y, other).failureText == """
        transposedConvolution2D: 6 channels do not meet 5 filters
          input    "y" float32[batch, 6, 4, 4]
          kernels  "k" float32[5, 4, 3, 3]
        """)
  }
}
