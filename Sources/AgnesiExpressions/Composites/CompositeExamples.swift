import AgnesiArrays

/// Composites with inputs: what the generic tests run beside the examples of operations.
package enum CompositeExamples {
  package static let all: [(name: String, example: Example)] =
    named("activations", activations) + named("softmax", softmaxes) + named("losses", losses)
    + named("binary losses", binaryLosses) + named("normalisation", normalisations)
    + named("pooling", poolings) + named("upsampled2D", upsamplings)

  private static func named(_ name: String, _ examples: [Example]) -> [(String, Example)] {
    examples.map { (name, $0) }
  }

  private static let matrix: [Example.Input] = [.init([3, 5], .distinct)]
  private static let extremes: [Example.Input] = [
    .init([7], .given([0, -0.0, 90, -90, .infinity, -.infinity, .nan]))
  ]

  private static let activations = [
    Example("relu", matrix) { relu($0[0]) },
    Example("relu at extremes", extremes, differentiable: false) { relu($0[0]) },
    Example("relu, empty", [.init([0, 3])]) { relu($0[0]) },
    Example("relu, not contiguous", matrix) { relu($0[0].transposed()) },
    Example("relu6", [.init([4, 5], .distinct)]) { relu6($0[0] * 9) },
    Example("relu6 at extremes", extremes, differentiable: false) { relu6($0[0]) },
    Example("leaky ReLU", matrix) { leakyReLU($0[0], slope: 0.1) },
    Example("elu", matrix) { elu($0[0], alpha: 0.7) },
    Example("elu at extremes", extremes, differentiable: false) { elu($0[0]) },
    Example("selu", matrix) { selu($0[0]) },
    Example("gelu", matrix) { gelu($0[0]) },
    Example("softsign", matrix) { softsign($0[0]) },
    Example("dropout", [.init([5, 7])]) { dropout($0[0], rate: 0.3) },
    Example("dropout of maps", [.init([4, 3, 2, 2])]) { dropout($0[0], sharedAxes: [2, 3]) },
    Example("hard sigmoid", [.init([4, 5], .uniform(-4...4))], smooth: false) {
      hardSigmoid($0[0])
    },
  ]

  private static let large: [Example.Input] = [
    .init([3, 3], .given([1000, -1000, 0, -1000, -1000, -1000, 1000, 999, 1000]))
  ]

  private static let softmaxes = [
    Example("softmax", [.init([3, 5])]) { softmax($0[0]) },
    Example("softmax of columns", [.init([3, 4, 2])]) { softmax($0[0], axis: 1) },
    Example("softmax of large scores", large, differentiable: false) { softmax($0[0]) },
    Example("softmax of one class", [.init([3, 1])]) { softmax($0[0]) },
    Example("softmax, empty", [.init([0, 3])]) { softmax($0[0]) },
    Example("softmax, not contiguous", [.init([5, 3])]) { softmax($0[0].transposed()) },
    Example("log-softmax", [.init([3, 5])]) { logSoftmax($0[0]) },
    Example("log-softmax of columns", [.init([3, 4])]) { logSoftmax($0[0], axis: 0) },
    Example("log-softmax of large scores", large, differentiable: false) { logSoftmax($0[0]) },
    Example("log-sum-exp", [.init([3, 5])]) { logSumExp($0[0], axes: [1]) },
    Example("log-sum-exp of all", [.init([3, 4])]) { logSumExp($0[0]) },
    Example("log-sum-exp, axes kept", [.init([2, 3, 4])]) {
      logSumExp($0[0], axes: [0, 2], keepingAxes: true)
    },
    Example(
      "log-sum-exp of infinities",
      [
        .init([3, 2], .given([-.infinity, -.infinity, .infinity, 0, -.infinity, 1000]))
      ], differentiable: false
    ) { logSumExp($0[0], axes: [1]) },
  ]

  private static let labels = Example.Input([4], .whole(0...4), .int32)

  private static let losses = [
    Example("softmax cross-entropy", [.init([4, 5]), labels]) { softmaxCrossEntropy($0[0], $0[1]) },
    Example(
      "softmax cross-entropy of maps", [.init([2, 3, 4]), .init([2, 3], .whole(0...3), .uint8)]
    ) {
      softmaxCrossEntropy($0[0], $0[1])
    },
    Example("softmax cross-entropy with distributions", [.init([4, 5]), .init([4, 5])]) {
      softmaxCrossEntropy($0[0], softmax($0[1]))
    },
    Example(
      "softmax cross-entropy of large scores",
      large + [.init([3], .whole(0...2), .int64)], differentiable: false
    ) { softmaxCrossEntropy($0[0], $0[1]) },
    Example(
      "labels outside", [.init([3, 2]), .init([3], .given([-1, 1, 2]), .int32)],
      differentiable: false
    ) { softmaxCrossEntropy($0[0], $0[1]) },
    Example("no samples", [.init([0, 5]), .init([0], .whole(0...4), .int32)]) {
      softmaxCrossEntropy($0[0], $0[1])
    },
    Example("cross-entropy", [.init([4, 5], .uniform(0.1...0.9)), labels]) {
      crossEntropy($0[0], $0[1])
    },
    Example("cross-entropy of softmax", [.init([4, 5]), labels]) {
      crossEntropy(softmax($0[0]), $0[1])
    },
    Example(
      "cross-entropy with distributions",
      [.init([2, 3], .uniform(0.1...0.9)), .init([2, 3], .uniform(0.1...0.9))]
    ) { crossEntropy($0[0], $0[1]) },
    Example("multiclass hinge", [.init([4, 5], .distinct), labels], smooth: false) {
      multiclassHingeLoss($0[0], $0[1])
    },
  ]

  private static let pair: [Example.Input] = [.init([3, 4], .distinct), .init([3, 4])]
  private static let fractions: [Example.Input] = [
    .init([3, 4], .uniform(0.1...0.9)), .init([3, 4], .uniform(0.1...0.9)),
  ]

  private static let binaryLosses = [
    Example("sigmoid cross-entropy", [pair[0], fractions[1]]) {
      sigmoidCrossEntropy($0[0], $0[1])
    },
    Example(
      "sigmoid cross-entropy of large scores",
      [.init([4], .given([1000, -1000, 30, -30])), .init([4], .given([1, 1, 1, 0]))],
      differentiable: false
    ) { sigmoidCrossEntropy($0[0], $0[1]) },
    Example("binary cross-entropy", fractions) { binaryCrossEntropy($0[0], $0[1]) },
    Example(
      "binary cross-entropy at the ends",
      [.init([4], .given([0, 0, 1, 1])), .init([4], .given([0, 1, 0, 1]))], differentiable: false
    ) { binaryCrossEntropy($0[0], $0[1]) },
    Example("squared error", pair) { squaredError($0[0], $0[1]) },
    Example("squared error of a column", [.init([4, 1]), .init([4])]) {
      squaredError($0[0], $0[1])
    },
    Example("absolute error", pair, smooth: false) { absoluteError($0[0], $0[1]) },
    Example("huber", [.init([9], .distinct), .init([])], smooth: false) {
      huberLoss($0[0], $0[1], delta: 0.4)
    },
    Example(
      "binary hinge", [.init([8], .distinct), .init([8], .whole(0...1), .int32)], smooth: false
    ) {
      binaryHingeLoss($0[0], $0[1])
    },
    Example("penalties", pair, smooth: false) { l1Penalty($0[0]) + l2Penalty($0) },
  ]

  private static let normalisations = [
    Example("standardised rows", [.init([3, 5])], tolerance: 64) {
      standardized($0[0], axes: [-1])
    },
    // The sum of squares, whose gradient is compared, is nearly constant: its parts cancel.
    Example("standardised planes", [.init([2, 3, 3, 2])], tolerance: 512) {
      standardized($0[0], axes: [2, 3])
    },
    Example("layer normalisation", [.init([3, 5]), .init([5]), .init([5])], tolerance: 64) {
      layerNormalized($0[0], scale: $0[1], offset: $0[2])
    },
    Example("batch normalisation", batch([4, 3]), tolerance: 64, results: normalised),
    Example(
      "batch normalisation of maps", batch([2, 3, 4, 2]), tolerance: 64, results: normalised),
    Example("batch normalisation of a single value", batch([1, 3]), differentiable: false) {
      normalised($0)[2]
    },
    Example("batch normalisation without scale", batch([4, 3]), tolerance: 64) {
      batchNormalized($0[0], offset: $0[4], runningMean: $0[1], runningVariance: $0[2]).output
    },
    Example("batch normalisation in inference", batch([4, 3]), tolerance: 64) {
      normalised($0).specialized(for: .inference)[0]
    },
    Example("local response", [.init([2, 7, 2, 3])], tolerance: 64) {
      localResponseNormalized($0[0], alpha: 0.5)
    },
    Example("local response of vectors", [.init([2, 3])], tolerance: 64) {
      localResponseNormalized($0[0], alpha: 0.5, size: 3)
    },
  ]

  private static func batch(_ shape: [Int]) -> [Example.Input] {
    let channels = [shape[1]]
    return [
      .init(shape), .init(channels), .init(channels, .uniform(0.5...2)), .init(channels),
      .init(channels),
    ]
  }

  @Sendable private static func normalised(_ operands: [Tensor]) -> [Tensor] {
    let result = batchNormalized(
      operands[0], scale: operands[3], offset: operands[4], runningMean: operands[1],
      runningVariance: operands[2], epsilon: 1e-3, weightOfNew: 0.3)
    return [result.output, result.runningMean, result.runningVariance]
  }

  private static let poolings = [
    Example("average", [.init([2, 3, 6, 5])]) { averagePool2D($0[0]) },
    Example("average, padded", [.init([1, 2, 7, 6])]) {
      averagePool2D($0[0], window: [3, 3], stride: [2, 2], padding: [1, 1])
    },
    Example("average, counting padding", [.init([1, 2, 7, 6])]) {
      averagePool2D(
        $0[0], window: [3, 3], stride: [2, 2], padding: [1, 1], countingPadding: true)
    },
    Example("average, partial windows", [.init([1, 2, 7, 6])]) {
      averagePool2D(
        $0[0], window: [3, 4], stride: [2, 3], padding: [1, 1], partialWindows: true,
        countingPadding: true)
    },
    Example("average, partial windows without padding", [.init([2, 2, 7, 5])]) {
      averagePool2D($0[0], partialWindows: true)
    },
    Example("average of one axis", [.init([2, 7])]) { averagePool1D($0[0], window: 3, stride: 1) },
    Example("average of three axes", [.init([1, 2, 4, 3, 2])]) { averagePool3D($0[0]) },
  ]

  private static let upsamplings = [
    Example("repeated", [.init([2, 1, 3, 2])]) { upsampled2D($0[0], by: [2, 3]) },
    Example("dilated", [.init([2, 1, 3, 2])]) {
      upsampled2D($0[0], by: [3, 2], mode: .dilated)
    },
    Example("by nothing", [.init([1, 2, 3])]) { upsampled2D($0[0], by: [1, 1]) },
  ]
}
