import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops
import TestSupport
import Testing

@Suite struct RandomTests {
  private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

  @Test func numbersAreAFunctionOfSeedNameAndCall() throws {
    func draw(seed: UInt64, name: String, call: Int) throws -> [Double] {
      let tensor = Scope.seeded(seed) { randomUniform([20], name: name) }
      return try computed(tensor, callNumber: call)
    }
    let first = try draw(seed: 1, name: "a", call: 0)
    #expect(try draw(seed: 1, name: "a", call: 0) == first)
    #expect(try draw(seed: 1, name: "a", call: 1) != first)
    #expect(try draw(seed: 1, name: "b", call: 0) != first)
    #expect(try draw(seed: 2, name: "a", call: 0) != first)
    let scoped = Scope.named("layer") { randomUniform([20], name: "a") }
    #expect(try computed(scoped) != draw(seed: 0, name: "a", call: 0))
    #expect(try computed(scoped) == draw(seed: 0, name: "layer.a", call: 0))
  }

  /// Element i of the first word is that of Philox's block i at the call's number.
  @Test func wordsAreThoseOfPhilox() throws {
    let stream = RandomStream("x")
    let words = try computed(.randomWord(stream, 2, [3, 2]), callNumber: 9)
    let philox = Philox(seed: 0, name: "x")
    #expect(words == (0..<6).map { Double(philox.block(low: $0, high: 9).2) })
  }

  @Test func uniform() throws {
    for dtype in [DType.float32, .float64] {
      let values = try computed(randomUniform([4000], dtype: dtype))
      #expect(values.allSatisfy { $0 >= 0 && $0 < 1 })
      // The deviation of the mean is 0.0046, that of a quarter's count 27.
      #expect(abs(mean(values) - 0.5) < 0.02)
      for quarter in 0..<4 {
        let count = values.count { Int($0 * 4) == quarter }
        #expect(abs(count - 1000) < 140)
      }
    }
    let wide = try computed(randomUniform([1000], in: -3...5))
    #expect(wide.allSatisfy { $0 >= -3 && $0 < 5 })
    #expect(abs(mean(wide) - 1) < 0.4)
  }

  @Test func normal() throws {
    let values = try computed(randomNormal([4000]))
    #expect(abs(mean(values)) < 0.08)
    #expect(abs(mean(values.map { $0 * $0 }) - 1) < 0.12)
    #expect(abs(mean(values.map { $0 * $0 * $0 * $0 }) - 3) < 0.8)
    // Neighbours and the halves of Box and Muller's pairs are independent.
    let neighbours = zip(values, values.dropFirst()).map(*)
    #expect(abs(mean(Array(neighbours))) < 0.08)
    #expect(values.allSatisfy { $0.isFinite })
  }

  @Test func bernoulliAndWholeNumbers() throws {
    let coins = try computed(randomBernoulli([4000], probability: 0.3))
    #expect(abs(mean(coins) - 0.3) < 0.04)
    #expect(try computed(randomBernoulli([100], probability: 0)).allSatisfy { $0 == 0 })
    #expect(try computed(randomBernoulli([100], probability: 1)).allSatisfy { $0 == 1 })
    let own = randomBernoulli(probability: .floats([0, 1, 0, 1]))
    #expect(try computed(own) == [0, 1, 0, 1])
    let dice = try computed(randomInteger([6000], in: 1..<7, dtype: .int32))
    #expect(Set(dice) == [1, 2, 3, 4, 5, 6])
    for side in 1...6 { #expect(abs(dice.count { $0 == Double(side) } - 1000) < 150) }
  }

  @Test func drawsOfOneNameGetNamesOfTheirOwn() throws {
    let a = randomUniform([8], name: "x")
    let b = randomNormal([8], name: "x")
    let c = randomUniform([8], name: "y")
    let d = randomUniform([8], name: "x.2")
    #expect(try computed(a) == computed(randomUniform([8], name: "x")))
    let renamed = renamedStreams([a, b, c, d])
    let names = renamed.map { tensor in
      Set([tensor].topologicalNodes().map { $0.operation.instanceName ?? "" }).subtracting([""])
    }
    // Both words of the normal keep one name.
    #expect(names == [["x"], ["x.2"], ["y"], ["x.2.2"]])
    #expect(try computed(renamed[0]) == computed(a))
    #expect(try computed(renamed[1]) != computed(b))
    #expect(try computed(renamed[2]) == computed(c))
  }

  @Test func renamingDependsOnlyOnTheGraph() throws {
    func twice() throws -> [[Double]] {
      let draws = (0..<2).map { _ in randomUniform([4], name: "x") }
      return try renamedStreams([draws[0] - draws[1], draws[1]]).map { try computed($0) }
    }
    #expect(try twice() == twice())
    let unique = [randomUniform([4], name: "a"), randomUniform([4], name: "b")]
    #expect(renamedStreams(unique) == unique)
  }

  @Test func renamingLeavesTheRestOfTheGraph() {
    let x = Tensor.input("x", [4])
    let w = Tensor.parameter("w", [4])
    let sum = (0..<2).reduce(x * w) { sum, _ in sum + randomUniform([4], name: "x") }
    let renamed = renamedStreams([sum, x * w])
    #expect(renamed[0] != sum)
    #expect(renamed[0].inputs == [x])
    #expect(renamed[0].parameters() == [w])
    #expect(renamed[0].node.location.description == sum.node.location.description)
  }

  @Test func gradientsDoNotDrawAgain() throws {
    let x = Tensor.floats([1, 2, 3, 4])
    let kept = randomBernoulli([4], probability: 0.5).cast(to: .float32)
    let outputs = renamedStreams([x * kept] + gradient(of: (x * kept).sum(), withRespectTo: [x]))
    let (values, gradients) = (try computed(outputs[0]), try computed(outputs[1]))
    #expect(values == zip([1, 2, 3, 4], gradients).map(*))
  }
}
