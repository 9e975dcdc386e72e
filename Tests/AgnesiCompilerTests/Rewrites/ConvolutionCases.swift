import AgnesiExpressions
import AgnesiLoops

private func geometry(_ padBegin: [Int], _ padEnd: [Int], stride: [Int] = [1, 1])
  -> ConvolutionGeometry
{
  ConvolutionGeometry(stride: stride, padBegin: padBegin, padEnd: padEnd, dilation: [1, 1])
}

private let bordered = geometry([1, 0], [2, 1])
private let bare = geometry([0, 0], [0, 0])
private let (images, points) = (Example.Input([2, 3, 4, 5]), Example.Input([6, 3, 1, 1]))
private let gradients = Example.Input([2, 6, 7, 6])

let convolutionCases = cases {
  RuleCase("border behind kernels of one point", [images, points]) {
    Tensor(ConvolutionForward(geometry: bordered), $0[0], $0[1])
  } becomes: {
    Tensor(ConvolutionForward(geometry: bare), $0[0], $0[1])
      .padded([(0, 0), (0, 0), (1, 2), (0, 1)])
  }
  RuleCase(
    declining: "border behind kernels of one point", [images, points]
  ) {
    // Steps of two: border and image alternate otherwise.
    Tensor(
      ConvolutionForward(geometry: geometry([1, 1], [1, 1], stride: [2, 2])), $0[0], $0[1])
  }
  RuleCase(
    declining: "border behind kernels of one point", [images, .init([6, 3, 2, 1])]
  ) {
    Tensor(ConvolutionForward(geometry: bordered), $0[0], $0[1])
  }
  RuleCase("backward-data without a border", [gradients, points]) {
    Tensor(ConvolutionBackwardData(geometry: bordered, size: [4, 5]), $0[0], $0[1])
  } becomes: {
    Tensor(
      ConvolutionBackwardData(geometry: bare, size: [4, 5]),
      $0[0].padded([(0, 0), (0, 0), (-1, -2), (0, -1)]), $0[1])
  }
  RuleCase("backward-weights without a border", [images, gradients]) {
    Tensor(ConvolutionBackwardWeights(geometry: bordered, size: [1, 1]), $0[0], $0[1])
  } becomes: {
    Tensor(
      ConvolutionBackwardWeights(geometry: bare, size: [1, 1]), $0[0],
      $0[1].padded([(0, 0), (0, 0), (-1, -2), (0, -1)]))
  }
}
