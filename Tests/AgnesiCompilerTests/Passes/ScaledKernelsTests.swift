import Agnesi
import AgnesiCompiler
import AgnesiExpressions
import TestSupport
import Testing

/// What normalisation by running averages becomes: kernels and a bias.
@Suite struct ScaledKernelsTests {
  private let x = Tensor.input("x", [.batch, 16, 6, 6])

  private func normalized(_ x: Tensor, groups: Int = 1) -> Tensor {
    let kernels = Tensor.parameter("w", [32, Size(16 / groups), 3, 3], .heNormal)
    func vector(_ name: String, _ mean: Double, _ tags: ParameterTags = .trainable) -> Tensor {
      .parameter(name, [32], .normal(mean: mean, deviation: 0.2), tags)
    }
    return batchNormalized(
      convolution2D(x, kernels, padding: .same, groups: groups), scale: vector("scale", -0.5),
      offset: vector("offset", 0.5), runningMean: vector("mean", 0, .statistic),
      runningVariance: vector("variance", 2, .statistic)
    ).output
  }

  private func rewritten(_ outputs: [Tensor]) throws -> [Tensor] {
    try Pipeline(isVerifying: true).apply(to: outputs)
  }

  private func labels(_ outputs: [Tensor]) throws -> [String] {
    try rewritten(outputs).topologicalNodes().filter {
      !$0.results[0].shape.allSatisfy { $0.known != nil }
    }.map(\.operation.label)
  }

  @Test func onlyABiasIsLeftOfNormalisation() throws {
    let y = relu6(normalized(x)).specialized(for: .inference)
    let images = try labels([y]).filter { $0 != "broadcast" }
    #expect(images.prefix(3) == ["input", "convolution", "add"])
    #expect(!images.contains("multiply") && !images.contains("subtract"))
  }

  /// The sums themselves are asked for, so they stay what they are.
  @Test func whatOthersReadIsNotScaled() throws {
    let sums = convolution2D(x, .parameter("w", [32, 16, 3, 3], .heNormal))
    let scale = Tensor.parameter("scale", [32], .ones)
    let y = sums * scale.reshaped([32, 1, 1])
    #expect(try labels([y, sums]).contains("multiply"))
    #expect(try !labels([y]).contains("multiply"))
  }

  /// Kernels that come with each call would be scaled in each.
  @Test func kernelsThatAreHandedInAreNotScaled() throws {
    let w = Tensor.input("w", [32, 16, 3, 3])
    let scale = Tensor.parameter("scale", [32], .ones)
    let y = convolution2D(x, w) * scale.reshaped([32, 1, 1])
    #expect(try rewritten([y]).contains { $0.label == "multiply" })
  }

  @Test(arguments: [1, 2, 16]) func keepsTheNumbers(groups: Int) throws {
    let y = relu6(normalized(x, groups: groups)).specialized(for: .inference)
    let stream = Philox(key: 5)
    let pixels = NDArray(
      (0..<(3 * 576)).map { Float(stream.word(UInt64($0))) / 0x1p31 - 1 }, shape: [3, 16, 6, 6])
    let options = CompileOptions(rewriting: .none)
    let expected = try compile([x], to: [y], options: options, on: .reference)(pixels)[y].doubles
    let function = try compile([x], to: [y], on: .cpu)
    // The second time kernels are not scaled again.
    for _ in 0..<2 {
      let actual = try function(pixels)[y].doubles
      #expect(zip(actual, expected).allSatisfy { abs($0 - $1) <= 2e-5 })
    }
  }
}
