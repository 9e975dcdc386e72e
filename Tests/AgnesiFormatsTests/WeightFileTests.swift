import AgnesiArrays
import AgnesiFormats
import TestSupport
import Testing

@Suite struct WeightFileTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func safetensorsAreReadToo() throws {
    let path = folder.path("a")
    let file = SafetensorsFile(tensors: [("w", Fixtures.ramp([2, 3]))], metadata: ["key": "value"])
    try file.write(to: path)
    let read = try WeightFile(reading: path)
    #expect(read.format == .safetensors)
    #expect(read.path == path)
    #expect(read["w"] == Fixtures.ramp([2, 3]))
    #expect(read["v"] == nil)
    #expect(read.texts == ["key": ["value"]])
  }

  @Test func otherFilesAreNamedByTheirFirstBytes() throws {
    #expect(
      problem(try folder.write(Array("hello, world".utf8), to: "a"), as: "weights")
        == "it begins with the bytes 68 65 6c 6c 6f 2c 20 77, as no file of safetensors, NumPy, PyTorch, "
        + "HDF5 or pickle does")
    #expect(
      problem(try folder.write([], to: "a"), as: "weights")
        == "it is empty, as no file of safetensors, NumPy, PyTorch, HDF5 or pickle does")
    let archive = TestZip([.init(name: "readme.txt", data: [1])])
    #expect(
      problem(try folder.write(archive.bytes, to: "a"), as: "weights")
        == "it is a zip archive without arrays (.npy), a data.pkl of PyTorch or a model.weights.h5 of Keras"
    )
  }

  @Test func missingFilesAreErrorsOfTheSystem() {
    let path = folder.path("nowhere")
    #expect(
      errorText { _ = try WeightFile(reading: path) }
        == "cannot read \(path): No such file or directory")
    #expect(
      errorText { _ = try WeightFile(reading: folder.path) }
        == "cannot read \(folder.path): Is a directory")
  }
}
