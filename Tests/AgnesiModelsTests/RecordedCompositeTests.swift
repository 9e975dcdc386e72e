import Agnesi
import AgnesiExpressions
import AgnesiModels
import TestSupport
import Testing

/// What a file says about composites is what their bodies say.
@Suite struct RecordedCompositeTests {
  private let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func read(_ output: Tensor, _ input: Tensor) throws -> Tensor {
    let model = Model(
      functions: ["f": .init(inputs: [input], outputs: [(name: "y", tensor: output)])])
    return try #require(model.stored(in: folder).functions["f"]?.outputs.first?.tensor)
  }

  @Test func ownCompositesAreWhatTheyWere() throws {
    let x = Tensor.input("x", [.batch, 4, 6, 6])
    let mean = Tensor.parameter("mean", [4], .zeros, .statistic)
    let variance = Tensor.parameter("variance", [4], .ones, .statistic)
    let outputs = [
      softmax(x, axis: 1), relu(x), leakyReLU(x, slope: 0.2), averagePool2D(x),
      standardized(x, axes: [1]), localResponseNormalized(x),
      batchNormalized(x, runningMean: mean, runningVariance: variance).output,
    ]
    for output in outputs {
      let name = output.label
      #expect(try read(output, x).isKind(name), "\(name)")
    }
  }

  /// A file may call anything by any name.
  @Test func aNameInAFileMakesNoSoftmax() throws {
    let x = Tensor.input("x", [.batch, 4])
    let other = Tensor.composite("softmax", [x], attributes: ["axis": .integers([1])]) {
      $0[0] * 0 + 0.5
    }
    let found = try read(other, x)
    #expect(!found.isKind("softmax"))
    let cost = crossEntropy(found, .constant(NDArray([1, 2] as [Int32])))
    let input = try #require(found.inputs.first)
    let values = try compile([input], to: [cost], on: .reference)(
      NDArray(filled: 3, shape: [2, 4]))[0]
    #expect(values.doubles.allSatisfy { abs($0 - 0.693_147_2) < 1e-6 })
  }
}
