import AgnesiArrays
import AgnesiExpressions
import AgnesiLayers
import Testing

/// Which running averages an update rule brings along.
@Suite struct CarriedUpdateTests {
  private let noise = Tensor.input("noise", [.batch, 3])

  private func block(_ name: String, _ norm: BatchNormalization = .init()) -> Chain {
    Chain([Dense(units: 2), norm], name: name)
  }

  private func statistics(_ updates: Updates) -> [String] {
    updates.pairs.map(\.parameter).filter { $0.parameter?.tags == .statistic }.map(\.name)
  }

  private func parameters(_ cost: Tensor, _ prefix: String) -> [Tensor] {
    cost.parameters(.trainable).filter { $0.name.hasPrefix(prefix) }
  }

  private let generatorNames = [
    "generator.batchNormalization1.runningMean", "generator.batchNormalization1.runningVariance",
  ]
  private let discriminatorNames = [
    "discriminator.batchNormalization1.runningMean",
    "discriminator.batchNormalization1.runningVariance",
  ]

  @Test func onlyThoseOfTheParametersThatChange() {
    let cost = square(block("discriminator")(block("generator")(noise))).mean()
    let discriminator = sgd(cost, parameters(cost, "discriminator"), rate: 0.1)
    #expect(statistics(discriminator) == discriminatorNames)
    let generator = sgd(cost, parameters(cost, "generator"), rate: 0.1)
    #expect(statistics(generator) == generatorNames)
    let both = sgd(cost, cost.parameters(.trainable), rate: 0.1)
    #expect(statistics(both) == generatorNames + discriminatorNames)
  }

  @Test func thoseWithoutParametersFollowWhatLeadsToThem() {
    let plain = BatchNormalization(scale: nil, offset: nil)
    let cost = square(block("discriminator", plain)(block("generator", plain)(noise))).mean()
    let discriminator = sgd(cost, parameters(cost, "discriminator"), rate: 0.1)
    #expect(statistics(discriminator) == discriminatorNames)
    let generator = sgd(cost, parameters(cost, "generator"), rate: 0.1)
    #expect(statistics(generator) == generatorNames)
  }

  @Test func thoseOfTheInputAloneAlwaysChange() {
    let standardized = BatchNormalization(scale: nil, offset: nil, name: "generator")(noise)
    let cost = square(Dense(units: 1)(standardized)).mean()
    let updates = sgd(cost, cost.parameters(.trainable), rate: 0.1)
    #expect(statistics(updates) == ["generator.runningMean", "generator.runningVariance"])
  }

  @Test func theAverageMoves() throws {
    let x = Tensor.input("x", [.batch, 1], .float64)
    let y = BatchNormalization(weightOfNew: 0.25)(x)
    let updates = sgd(y.sum(), y.parameters(.trainable), rate: 0.1)
    try step(updates, [x: NDArray([2.0, 6], shape: [2, 1])], batch: 2)
    let values = y.parameters(.statistic).compactMap(\.parameter?.value.scalar)
    // mean 4 and unbiased variance 8, a quarter each; the old ones are 0 and 1
    #expect(isClose(values, [1, 2.75]))
  }

  @Test func aLayerUsedTwiceMovesTwice() throws {
    let x = Tensor.input("x", [.batch, 1], .float64)
    let other = Tensor.input("other", [.batch, 1], .float64)
    let y = BatchNormalization(weightOfNew: 0.5)(x)
    let cost = y.sum() + y.replacing([x: other]).sum()
    let updates = sgd(cost, y.parameters(.trainable), rate: 0.1)
    #expect(statistics(updates).count == 2)
    let inputs = [x: NDArray([4.0, 4], shape: [2, 1]), other: NDArray([8.0, 8], shape: [2, 1])]
    try step(updates, inputs, batch: 2)
    // 0 → 2 → 5
    #expect(isClose([y.parameters(.statistic)[0].parameter?.value.scalar ?? 0], [5]))
  }

  @Test func aValueGivenByHandWins() {
    let y = BatchNormalization()(noise)
    let (scale, mean) = (y.parameters(.trainable)[0], y.parameters(.statistic)[0])
    let updates = Updates([(scale, scale * 2), (mean, mean)], bringing: [y])
    #expect(updates[mean] == mean)
    #expect(updates.failure == nil)
    #expect(updates.pairs.count == 3)
  }
}
