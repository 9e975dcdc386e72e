import Agnesi
import Foundation
import TestSupport
import Testing

/// `agnesi evaluate` of networks that see pictures, and of ONNX files, over data sets in arrays.
@Suite struct DataSetEvaluationTests {
  private let place: PhotoWorkplace

  init() throws { place = try PhotoWorkplace() }

  /// Pictures of one colour each, as bytes or as floats.
  private func write(
    _ name: String, side: Int = 8, dtype: DType = .uint8, classes: String? = "red\ngreen\nblue\n"
  ) throws -> String {
    let folder = try place.folder.makeFolder(name)
    // The last one's label is wrong.
    let (colours, labels) = ([0, 1, 2, 1], [0, 1, 2, 0])
    let pixels = colours.flatMap { colour in
      (0..<3).flatMap { [Double](repeating: $0 == colour ? 200 : 10, count: side * side) }
    }
    let inputs = NDArray(rounding: pixels, shape: [4, 3, side, side], dtype)
    for part in ["train", "test"] {
      try NPYFile.write(inputs, to: "\(folder)/\(part)-inputs.npy")
      try NPYFile.write(
        NDArray(labels.map { Int64($0) }), to: "\(folder)/\(part)-labels.npy")
    }
    if let classes {
      try Data(classes.utf8).write(to: URL(fileURLWithPath: "\(folder)/classes.txt"))
    }
    return folder
  }

  private let counted = "1 of 4 wrong, 25.00 %, 95 % interval 0.6 to 80.6 %\n"

  @Test func aModelOfPixels() throws {
    let outcome = try place.agnesi("evaluate", place.model, try write("bytes"))
    #expect(outcome.output.hasPrefix(counted), "\(outcome.output)\(outcome.errors)")
    #expect(
      outcome.errors.contains(
        "the samples' bytes are pixels 0...255 for the network, which scales them itself\n"))
  }

  @Test func anONNXFileThatAgnesiWrote() throws {
    let path = place.folder.path("colours.onnx")
    try PhotoWorkplace.network().writeONNX(to: path)
    let outcome = try place.agnesi("evaluate", path, try write("bytes"), "--json")
    let object = try #require(outcome.objects.first, "\(outcome.errors)")
    #expect(object["mistakes"] as? Int == 1)
    #expect(object["count"] as? Int == 4)
    #expect(object["part"] as? String == "test")
  }

  /// Classes by name, whatever their order.
  @Test func classesInAnotherOrder() throws {
    let data = try write("turned", classes: "Blue\ngreen\nRED\n")
    let outcome = try place.agnesi("evaluate", place.model, data, "--json")
    // Red is called blue and the other way round; of two green ones one is called blue.
    #expect(outcome.objects.first?["mistakes"] as? Int == 3, "\(outcome.errors)")
    let other = try write("others", classes: "ant\nbee\nfly\nmoth\n")
    let refused = try place.agnesi("evaluate", place.model, other)
    #expect(
      refused.errors.hasSuffix(
        "model \(place.model): it tells 3 classes apart, others has 4, which are not among them by name:"
          + " ant, bee, fly and 1 more\n"), "\(refused.errors)")
  }

  @Test func whatDoesNotFit() throws {
    let small = try place.agnesi("evaluate", place.model, try write("small", side: 6))
    #expect(small.status == 1)
    #expect(
      small.errors.hasSuffix(
        """
        model \(place.model): it takes pictures of 3×8×8, those of small are 3×6×6
          hint: a folder of photos is brought to the network's size, a data set is not

        """), "\(small.errors)")
    let floats = try place.agnesi("evaluate", place.model, try write("floats", dtype: .float32))
    #expect(
      floats.errors.hasSuffix(
        """
        model \(place.model): it takes pictures of 3×8×8, pixels 0...255, those of floats are 3×8×8, float32

        """), "\(floats.errors)")
  }

  /// As many are right as by Lasagne, from which the weights are: see `RealWeightsTests`.
  @Test(.enabled(if: TestData.folder != nil)) func aNetworkOfTheZoo() throws {
    let outcome = try place.agnesi(
      "evaluate", "cifar-resnet32", "cifar10", "--data", TestData.path(""), "--weights",
      TestData.path("models/cifar_model_n5.npz"), "--json")
    let object = try #require(outcome.objects.first, "\(outcome.errors)")
    #expect(object["count"] as? Int == 1000)
    #expect(object["mistakes"] as? Int == 75)
  }
}
