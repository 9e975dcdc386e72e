import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLayers
import AgnesiReference
import TestSupport
import Testing

@Suite struct UpdateStateTests {
  private let weight = Scope.named("dense1") { Tensor.parameter("weight", [2], .ones) }
  private var cost: Tensor { square(weight).sum() }

  @Test func stateIsNamedAfterItsParameter() {
    // The scope in which the rule is built adds nothing: the name is complete.
    let updates = Scope.named("elsewhere") { amsgrad(cost, [weight]) }
    #expect(
      updates.pairs.map(\.parameter.name) == [
        "dense1.weight.step", "dense1.weight.mean", "dense1.weight.meanSquare",
        "dense1.weight.largestMeanSquare", "dense1.weight",
      ])
    for pair in updates.pairs.dropLast() {
      #expect(pair.parameter.parameter?.tags == .updateState)
    }
    #expect(
      momentum(cost, [weight], rate: 0.1).pairs.map(\.parameter.name)
        == ["dense1.weight.velocity", "dense1.weight"])
  }

  @Test func theRateMayBeAParameter() throws {
    let rate = Tensor.parameter("rate", [], .constant(0.25), [])
    let updates = sgd(cost, [weight], rate: rate)
    try step(updates)
    #expect(weight.parameter?.value.doubles == [0.5, 0.5])
    try rate.parameter?.assign(NDArray(scalar: Float(0.125)))
    try step(updates)
    #expect(weight.parameter?.value.doubles == [0.375, 0.375])
  }

  @Test func theRateMayBeAnInputOfACompiledStep() throws {
    let rate = Tensor.input("rate", [])
    let function = try compile(
      [rate], to: [cost], updates: sgd(cost, [weight], rate: rate), on: .reference)
    #expect(try function(NDArray(scalar: Float(0.25)))[0].scalar == 2)
    #expect(weight.parameter?.value.doubles == [0.5, 0.5])
  }

  @Test func gradientsOfASharedParameterAddUp() throws {
    guard let parameter = weight.parameter else { return }
    let cost = (weight * 3).sum() + (Tensor.parameter(parameter) * 4).sum()
    #expect(cost.parameters() == [weight])
    let gradients = Gradients(of: cost, withRespectTo: cost.parameters(.trainable))
    #expect(try value(gradients.pairs[0].gradient).doubles == [7, 7])
    try step(sgd(cost, [.parameter(parameter)], rate: 0.5))
    #expect(parameter.value.doubles == [-2.5, -2.5])
  }

  @Test func mistakes() {
    let rates = Tensor.input("rates", [3])
    #expect(
      sgd(cost, [weight], rate: rates).failure?.text(withLocations: false) == """
        sgd: the rate must be one number, got float32[3]
          rate  "rates" float32[3]
        """)
    let other = Tensor.parameter("other", [2])
    #expect(
      adam(cost, [weight, other]).failure?.text(withLocations: false) == """
        gradient: the cost does not depend on this variable in a differentiable way
          variable  "other" float32[2]
          hint: pass disconnected: .zero where a gradient of zero is meant
        """)
    let table = Tensor.input("table", [2, 2])
    #expect(
      sgd(table, [weight], rate: 0.1).failure?.text(withLocations: false) == """
        gradient: the cost must be one floating value, got float32[2, 2]
          hint: reduce it with mean() or sum()
        """)
  }

  @Test func mistakesAreThrownByCompile() {
    let text = errorText {
      _ = try compile(
        [], to: [cost], updates: Updates([(cost, cost)]), on: .reference)
    }
    #expect(text.hasPrefix("updates: the target is no parameter"))
  }
}
