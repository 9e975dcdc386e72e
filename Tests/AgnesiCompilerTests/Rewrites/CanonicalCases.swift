import AgnesiArrays
import AgnesiExpressions

private let two: [Example.Input] = [.init([3, 4]), .init([3, 4], .uniform(0.5...2))]
private let whole: [Example.Input] = [.init([5], .whole(-9...9), .int32)]
private let unsigned: [Example.Input] = [.init([5], .whole(0...9), .uint8)]

let canonicalCases = signCases + numberCases

private let signCases = cases {
  RuleCase("negative of a negative") {
    -(-$0[0])
  } becomes: {
    $0[0]
  }
  RuleCase("negative of a negative", whole) {
    -(-$0[0])
  } becomes: {
    $0[0]
  }
  RuleCase("plus a negative", two) {
    $0[0] + -$0[1]
  } becomes: {
    $0[0] - $0[1]
  }
  RuleCase("plus a negative", two) {
    -$0[0] + $0[1]
  } becomes: {
    $0[1] - $0[0]
  }
  RuleCase("minus a negative", two) {
    $0[0] - -$0[1]
  } becomes: {
    $0[0] + $0[1]
  }
  RuleCase("negative of a difference", two) {
    -($0[0] - $0[1])
  } becomes: {
    $0[1] - $0[0]
  }
  RuleCase("negative of a sum") {
    -($0[0] + 3)
  } becomes: {
    -3 - $0[0]
  }
  RuleCase("stopGradient after differentiation") {
    stopGradient($0[0])
  } becomes: {
    $0[0]
  }
  RuleCase("gradientScale after differentiation") {
    gradientScaled($0[0], by: -1)
  } becomes: {
    $0[0]
  }
  RuleCase("gradientClip after differentiation") {
    gradientClipped($0[0], -1, 1)
  } becomes: {
    $0[0]
  }
  RuleCase("minus from zero") {
    0 - $0[0]
  } becomes: {
    -$0[0]
  }
  RuleCase("minus one times") {
    $0[0] * -1
  } becomes: {
    -$0[0]
  }
  RuleCase("minus one times", whole) {
    -1 * $0[0]
  } becomes: {
    -$0[0]
  }
  RuleCase("sign of a scaled value") {
    -($0[0] * 3)
  } becomes: {
    $0[0] * -3
  }
  RuleCase(declining: "sign of a scaled value", unsigned) { -($0[0] * 3) }
  RuleCase("sign of a factor", two) {
    -$0[0] * $0[1]
  } becomes: {
    -($0[0] * $0[1])
  }
  RuleCase("sign of a factor", two) {
    $0[0] * -$0[1]
  } becomes: {
    -($0[1] * $0[0])
  }
  RuleCase("sign of a dividend", two) {
    -$0[0] / $0[1]
  } becomes: {
    -($0[0] / $0[1])
  }
  RuleCase("sign of a divisor", two) {
    $0[0] / -$0[1]
  } becomes: {
    -($0[0] / $0[1])
  }
  RuleCase("sum of negatives") {
    (-$0[0]).sum(axes: [1])
  } becomes: {
    -$0[0].sum(axes: [1])
  }
}

private let numberCases = cases {
  RuleCase("minus a number") {
    $0[0] - 3
  } becomes: {
    $0[0] + -3
  }
  RuleCase(declining: "minus a number", unsigned) { $0[0] - 3 }
  RuleCase("over a power of two") {
    $0[0] / 4
  } becomes: {
    $0[0] * 0.25
  }
  RuleCase("over a power of two") {
    $0[0] / -0.5
  } becomes: {
    $0[0] * -2
  }
  RuleCase(declining: "over a power of two") { $0[0] / 3 }
  RuleCase(declining: "over a power of two") { $0[0] / 0 }
  RuleCase("sum of numbers") {
    (1.5 + $0[0]) + 2
  } becomes: {
    $0[0] + 3.5
  }
  RuleCase("sum of numbers", whole) {
    ($0[0] + 3) + -3
  } becomes: {
    $0[0] + 0
  }
  RuleCase(declining: "sum of numbers") { ($0[0] + 12_582_912) + -12_582_911 }
  RuleCase("numbers around a difference") {
    (1.5 - $0[0]) + 2
  } becomes: {
    3.5 - $0[0]
  }
  RuleCase("number minus a sum") {
    1.5 - ($0[0] + 2)
  } becomes: {
    -0.5 - $0[0]
  }
  RuleCase("number minus a difference") {
    1.5 - (2 - $0[0])
  } becomes: {
    $0[0] + -0.5
  }
  RuleCase("product of numbers") {
    3 * ($0[0] * 0.5)
  } becomes: {
    $0[0] * 1.5
  }
  RuleCase("product of numbers", whole) {
    3 * ($0[0] * 5)
  } becomes: {
    $0[0] * 15
  }
  RuleCase(declining: "product of numbers") { ($0[0] * 1e30) * 1e30 }
  RuleCase(declining: "product of numbers") { ($0[0] * 2) * 0 }
  RuleCase("scaled and divided") {
    ($0[0] * 3) / 6
  } becomes: {
    $0[0] * 0.5
  }
  RuleCase("divided and scaled") {
    ($0[0] / 6) * 3
  } becomes: {
    $0[0] * 0.5
  }
  RuleCase("divided twice") {
    ($0[0] / 3) / 2
  } becomes: {
    $0[0] / 6
  }
}
