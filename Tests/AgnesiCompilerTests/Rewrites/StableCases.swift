import AgnesiArrays
import AgnesiExpressions

private let positive: [Example.Input] = [.init([3, 4], .uniform(0.1...3))]
private let fraction: [Example.Input] = [.init([3, 4], .uniform(-0.9...0.9))]
private let two: [Example.Input] = [.init([3, 4]), .init([3, 4])]

let stableCases = logarithmCases + sigmoidCases + gradientCases + lossCases

private let logarithmCases = cases {
  RuleCase("log of one plus", fraction) {
    log(1 + $0[0])
  } becomes: {
    log1p($0[0])
  }
  RuleCase("log of one plus", fraction) {
    log($0[0] + 1)
  } becomes: {
    log1p($0[0])
  }
  RuleCase("log of one minus", fraction) {
    log(1 - $0[0])
  } becomes: {
    log1p(-$0[0])
  }
  RuleCase("exponential minus one") {
    exp($0[0]) + -1
  } becomes: {
    expm1($0[0])
  }
  RuleCase("one minus exponential") {
    1 - exp($0[0])
  } becomes: {
    -expm1($0[0])
  }
  RuleCase("log of one plus exponential") {
    log1p(exp($0[0]))
  } becomes: {
    softplus($0[0])
  }
  RuleCase("log of a sum of two exponentials", two) {
    log(exp($0[0]) + exp($0[1]))
  } becomes: {
    logAddExp($0[0], $0[1])
  }
  RuleCase("root of a square") {
    sqrt(square($0[0]))
  } becomes: {
    abs($0[0])
  }
  RuleCase("log of a sum of exponentials") {
    log(exp($0[0]).sum(axes: [1]))
  } becomes: {
    logSumExp($0[0], axes: [1])
  }
  RuleCase(declining: "log of a sum of exponentials") {
    log(exp($0[0] - $0[0].max(axes: [1], keepingAxes: true)).sum(axes: [1]))
  }
  RuleCase("log of a sum of exponentials, kept axes") {
    log(exp($0[0]).sum(axes: [0], keepingAxes: true))
  } becomes: {
    logSumExp($0[0], axes: [0], keepingAxes: true)
  }
  RuleCase("logarithm of an exponential") {
    log(exp($0[0]))
  } becomes: {
    $0[0]
  }
}

private let sigmoidCases = cases {
  RuleCase("log of sigmoid") {
    log(sigmoid($0[0]))
  } becomes: {
    -softplus(-$0[0])
  }
  RuleCase("one minus sigmoid") {
    1 - sigmoid($0[0])
  } becomes: {
    sigmoid(-$0[0])
  }
  RuleCase("sigmoid written out") {
    1 / (1 + exp($0[0]))
  } becomes: {
    sigmoid(-$0[0])
  }
  RuleCase("sigmoid as a fraction") {
    exp($0[0]) / (exp($0[0]) + 1)
  } becomes: {
    sigmoid($0[0])
  }
  RuleCase(declining: "sigmoid as a fraction", two) { exp($0[0]) / (exp($0[1]) + 1) }
  RuleCase("log of one minus sigmoid") {
    log1p(-sigmoid($0[0]))
  } becomes: {
    -softplus($0[0])
  }
}

private let labelled: [Example.Input] = [.init([3, 4]), .init([3], .whole(0...3), .int32)]
private let targets: [Example.Input] = [.init([5]), .init([5], .uniform(0.1...0.9))]

private let lossCases = cases {
  for axis in [0, 1] {
    RuleCase("log of softmax") {
      log(softmax($0[0], axis: axis))
    } becomes: {
      logSoftmax($0[0], axis: axis)
    }
  }
  RuleCase("cross-entropy of softmax", labelled) {
    crossEntropy(softmax($0[0]), $0[1])
  } becomes: {
    softmaxCrossEntropy($0[0], $0[1])
  }
  RuleCase(
    "cross-entropy of softmax", [.init([3, 4]), .init([3, 4], .uniform(0...1))]
  ) {
    crossEntropy(softmax($0[0]), $0[1])
  } becomes: {
    softmaxCrossEntropy($0[0], $0[1])
  }
  RuleCase(declining: "cross-entropy of softmax", labelled) {
    crossEntropy(softmax($0[0], axis: 0), $0[1])
  }
  RuleCase("cross-entropy of sigmoid", targets) {
    binaryCrossEntropy(sigmoid($0[0]), $0[1])
  } becomes: {
    sigmoidCrossEntropy($0[0], $0[1])
  }
  RuleCase("cross-entropy of sigmoid, one column", targets) {
    binaryCrossEntropy(sigmoid($0[0].reshaped([5, 1])), $0[1])
  } becomes: {
    sigmoidCrossEntropy($0[0].reshaped([5, 1]).reshaped([5]), $0[1])
  }
  for axis in [0, 1] {
    RuleCase("softmax written out") {
      exp($0[0]) / exp($0[0]).sum(axes: [axis], keepingAxes: true)
    } becomes: {
      softmax($0[0], axis: axis)
    }
  }
  RuleCase(declining: "softmax written out", [.init([3, 3])]) {
    exp($0[0]) / exp($0[0]).sum(axes: [1]).reshaped([1, 3])
  }
  RuleCase(declining: "softmax written out") {
    let powers = exp($0[0] - $0[0].max(axes: [1], keepingAxes: true))
    return powers / powers.sum(axes: [1], keepingAxes: true)
  }
  RuleCase(declining: "softmax written out") {
    exp($0[0]) / exp($0[0]).sum(keepingAxes: true)
  }
  RuleCase("softmax written out, first axis") {
    exp($0[0]) / exp($0[0]).sum(axes: [0])
  } becomes: {
    softmax($0[0], axis: 0)
  }
  RuleCase(declining: "softmax written out, first axis", [.init([3, 3])]) {
    exp($0[0]) / exp($0[0]).sum(axes: [1])
  }
}

private let gradientCases = cases {
  RuleCase("product of a choice or 0", two) {
    $0[1] * select($0[0] .> 0, $0[0], .constant(0))
  } becomes: {
    select($0[0] .> 0, $0[0] * $0[1], .constant(0))
  }
  RuleCase(declining: "product of a choice or 0", two) {
    select($0[0] .> 0, $0[0], .constant(1)) * $0[1]
  }
  RuleCase("product of 0 or a choice", two) {
    select($0[0] .> 0, .constant(0), $0[0]) * $0[1]
  } becomes: {
    select($0[0] .> 0, .constant(0), $0[0] * $0[1])
  }
  RuleCase("quotient of a choice or 0", two) {
    select($0[0] .> 0, $0[0], .constant(0)) / $0[1]
  } becomes: {
    select($0[0] .> 0, $0[0] / $0[1], .constant(0))
  }
  RuleCase("quotient of 0 or a choice", two) {
    select($0[0] .> 0, .constant(0), $0[0]) / $0[1]
  } becomes: {
    select($0[0] .> 0, .constant(0), $0[0] / $0[1])
  }
}

private let functionInputs: [Example.Input] = [.init([3, 4], .uniform(0.5...2))]

/// The exponent is broadcast already: a plain number would make other nodes at once.
private func raised(_ x: Tensor, _ exponent: Double) -> Tensor {
  power(x, Tensor.filled(exponent, x.shape, x.dtype))
}

let functionCases = cases {
  RuleCase("power 0") {
    raised($0[0], 0)
  } becomes: {
    .ones(like: $0[0])
  }
  RuleCase("power 1") {
    raised($0[0], 1)
  } becomes: {
    $0[0]
  }
  RuleCase("power 2") {
    raised($0[0], 2)
  } becomes: {
    $0[0] * $0[0]
  }
  RuleCase("power 3") {
    raised($0[0], 3)
  } becomes: {
    ($0[0] * $0[0]) * $0[0]
  }
  RuleCase("power −1") {
    raised($0[0], -1)
  } becomes: {
    1 / $0[0]
  }
  RuleCase(declining: "power −1", [.init([4], .whole(1...3), .int32)]) {
    power($0[0], Tensor.filled(-1, [4], .int32))
  }
  RuleCase("power −2") {
    raised($0[0], -2)
  } becomes: {
    1 / ($0[0] * $0[0])
  }
  RuleCase("power ½", functionInputs) {
    raised($0[0], 0.5)
  } becomes: {
    sqrt($0[0])
  }
  RuleCase("power −½", functionInputs) {
    raised($0[0], -0.5)
  } becomes: {
    1 / sqrt($0[0])
  }
  RuleCase("square of a magnitude") {
    square(abs($0[0]))
  } becomes: {
    square($0[0])
  }
  RuleCase("magnitude of a negative") {
    abs(-$0[0])
  } becomes: {
    abs($0[0])
  }
  RuleCase("magnitude of a magnitude") {
    abs(abs($0[0]))
  } becomes: {
    abs($0[0])
  }
  RuleCase("log1p of expm1") {
    log1p(expm1($0[0]))
  } becomes: {
    $0[0]
  }
  RuleCase("the larger of the same") {
    maximum($0[0], $0[0])
  } becomes: {
    $0[0]
  }
  RuleCase("the smaller of the same") {
    minimum($0[0], $0[0])
  } becomes: {
    $0[0]
  }
}
