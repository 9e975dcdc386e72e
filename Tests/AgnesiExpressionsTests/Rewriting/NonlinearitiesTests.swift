import AgnesiArrays
import AgnesiExpressions
import Testing

@Suite struct NonlinearitiesTests {
  private let x = Tensor.input("x", [.batch, 4])

  /// The names of the nonlinearities found, in order.
  private func names(_ output: Tensor) -> [String] {
    var result: [String] = []
    _ = [output].replacingNonlinearities { nonlinearity, _ in
      result.append(nonlinearity.name)
      return nil
    }
    return result
  }

  @Test func functionsAreFoundHoweverTheyAreWritten() {
    #expect(names(relu(x)) == ["relu"])
    #expect(names(maximum(x, 0)) == ["relu"])
    #expect(names(maximum(0, x)) == ["relu"])
    #expect(names(clip(x, 0, 6)) == ["clippedReLU"])
    #expect(names(minimum(maximum(x, 0), 6)).last == "clippedReLU")
    #expect(names(leakyReLU(elu(selu(x)))) == ["selu", "elu", "leakyReLU"])
    #expect(names(tanh(sigmoid(x))) == ["sigmoid", "tanh"])
    #expect(names(maximum(x, 1)) == [])
    #expect(names(clip(x, -1, 1)) == [])
    #expect(names(minimum(x, 6)) == [])
    #expect(names(maximum(x, x * 2)) == [])
  }

  @Test func eachIsReplacedAndTheRestIsShared() {
    let hidden = relu(x * 2)
    let outputs = [hidden + 1, relu(hidden) * hidden]
    let new = outputs.replacingNonlinearities { _, operand in tanh(operand) }
    #expect(names(new[0]) == ["tanh"])
    #expect(names(new[1]) == ["tanh", "tanh"])
    // Both outputs are made of one hidden value, as before.
    let nodes = new.topologicalNodes()
    #expect(nodes.count { $0.operation.label == "tanh" } == 2)
    #expect(nodes.count { $0.operation.label == "multiply" } == 2)
  }

  @Test func whatIsLeftIsTheSameTensor() {
    let output = relu(x * 2) + 1
    #expect([output].replacingNonlinearities { _, _ in nil } == [output])
    let linear = x + 1
    #expect([linear].replacingNonlinearities { _, operand in operand * 2 } == [linear])
  }

  @Test func boundedRectifiersAreOneFunction() {
    for clipped in [clip(x * 3, 0, 6), minimum(maximum(x * 3, 0), 6)] {
      let new = [clipped].replacingNonlinearities { _, operand in operand }[0]
      #expect(new.formula() == (x * 3).formula())
    }
  }

  @Test func compositesAreOpened() {
    let block = Tensor.composite("block", [x]) { relu($0[0] * 2) + 1 }
    #expect(names(block) == ["relu"])
    let new = [block].replacingNonlinearities { _, operand in operand }[0]
    #expect(new.formula() == (x * 2 + 1).formula())
  }

  @Test func gradientsAreOverridden() {
    let y = relu(x * 2)
    let new = [y].replacingNonlinearities { nonlinearity, operand in
      nonlinearity.overriding(gradient: { upstream, _, _ in upstream * 100 }, name: "loud")(operand)
    }[0]
    #expect(new.node.operation.label == "loud")
    let gradient = gradient(of: new.sum(), withRespectTo: [x])[0]
    #expect(gradient.formula().contains("100"))
    #expect(!gradient.formula().contains("select"))
  }

  @Test func theirOwnGradientsAreKnown() {
    var own: Tensor?
    _ = [clip(x, 0, 6)].replacingNonlinearities { nonlinearity, operand in
      own = nonlinearity.gradient(.ones(like: operand), at: operand)
      return nil
    }
    let expected = gradient(of: clip(x, 0, 6).sum(), withRespectTo: [x])[0]
    #expect(own?.formula() == expected.formula())
  }
}
