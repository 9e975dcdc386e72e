import Agnesi
import AgnesiArrays
import AgnesiExpressions
import AgnesiModels
import TestSupport
import Testing

/// Files of earlier versions, in which operations have names that are no longer written.
@Suite struct FormerNamesTests {
  private static let former = [
    "convolutionBackwardData": "convolutionToInput",
    "convolutionBackwardWeights": "convolutionToKernels",
    "maxPoolBackward": "maxPoolToInput",
    "sumPoolBackward": "sumPoolToInput",
  ]

  /// The gradients of a convolution, of a maximum and of a mean pool.
  private var model: Model {
    let x = Tensor.input("x", [1, 2, 8, 8])
    let w = Tensor.input("w", [3, 2, 3, 3])
    let y = convolution2D(x, w)
    let cost = (maxPool2D(y) * averagePool2D(y)).sum()
    let gradients = gradient(of: cost, withRespectTo: [x, w])
    return Model(
      functions: [
        "f": .init(inputs: [x, w], outputs: [("dx", gradients[0]), ("dw", gradients[1])])
      ])
  }

  private func labels(_ model: Model) throws -> [String] {
    let function = try #require(model.functions["f"])
    return function.outputs.map(\.tensor).topologicalNodes().map(\.operation.label)
  }

  @Test func filesOfEarlierVersionsAreRead() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("model.safetensors")
    try model.write(to: path)
    let file = try SafetensorsFile(reading: path)
    var functions = try #require(file.metadata["agnesi.functions"])
    for (new, old) in Self.former {
      #expect(functions.contains("\"\(new)\""), "\(new)")
      functions = functions.replacing("\"\(new)\"", with: "\"\(old)\"")
    }
    var metadata = file.metadata
    metadata["agnesi.functions"] = functions
    try SafetensorsFile(tensors: file.tensors, metadata: metadata).write(to: path)
    #expect(try labels(Model(reading: path)) == labels(model.stored(in: folder)))
  }
}
