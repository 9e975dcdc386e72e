import AgnesiExpressions

private func rectified(_ x: Tensor) -> Tensor { Tensor(Rectify(), x) }

let rectifierCases = cases {
  RuleCase("ReLU as a choice") {
    select($0[0] .<= 0, .zeros(like: $0[0]), $0[0])
  } becomes: {
    rectified($0[0])
  }
  // NaN would become 0.
  RuleCase(declining: "ReLU as a choice") { select($0[0] .> 0, $0[0], .zeros(like: $0[0])) }
  RuleCase(declining: "ReLU as a choice", [.init([3, 4]), .init([3, 4])]) {
    select($0[0] .<= 0, .zeros(like: $0[1]), $0[1])
  }
  RuleCase("ReLU as a maximum") {
    maximum($0[0], 0)
  } becomes: {
    rectified($0[0])
  }
  RuleCase(declining: "ReLU as a maximum") { maximum($0[0], 1) }
  RuleCase(declining: "ReLU as a maximum", [.init([5], .whole(-9...9), .int32)]) {
    maximum($0[0], 0)
  }
  RuleCase("gradient of ReLU", [.init([3, 4]), .init([3, 4])]) {
    select($0[0] .> 0, $0[1], .zeros(like: $0[1]))
  } becomes: {
    Tensor(RectifyGradient(), $0[0], $0[1])
  }
  RuleCase(declining: "gradient of ReLU", [.init([3, 4]), .init([3, 4])]) {
    select($0[0] .> 0, .zeros(like: $0[1]), $0[1])
  }
}
