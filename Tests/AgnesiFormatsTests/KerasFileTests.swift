import AgnesiArrays
import AgnesiFormats
import TestSupport
import Testing

@Suite struct KerasFileTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder(inMemory: true) }

  @Test func datasetsOfAllKinds() throws {
    let file = try Fixtures.read("plain.h5")
    #expect(file.format == .hdf5)
    let expected: [(name: String, array: NDArray)] = [
      ("a/big", Fixtures.ramp([5], .float64)), ("a/double", Fixtures.ramp([5], .float64)),
      ("a/half", Fixtures.ramp([2, 3], .float16)), ("a/packed", Fixtures.ramp([10, 100])),
      ("checked", Fixtures.ramp([10], .int64)), ("empty", NDArray(zeros: [0, 3])),
      ("flags", NDArray([false, false, true, true, false])),
      ("narrow", Fixtures.ramp([3], .uint16)), ("never", NDArray(zeros: [4], .int32)),
      ("one", NDArray(scalar: Float(2.5))),
    ]
    #expect(file.arrays.map(\.name) == expected.map(\.name))
    for (name, array) in expected { #expect(file[name] == array, "\(name)") }
    #expect(file.texts == [WeightFile.otherArrays: ["words"]])
  }

  @Test func attributesTellTheOrder() throws {
    let file = try Fixtures.read("keras2.h5")
    #expect(
      file.arrays.map(\.name) == [
        "second/second/kernel:0", "second/second/bias:0", "first/first/kernel:0",
        "first/first/bias:0",
      ])
    #expect(file["second/second/kernel:0"] == Fixtures.ramp([3, 3, 2, 4], first: 1))
    #expect(file.texts["layer_names"] == ["second", "first", "flatten"])
    #expect(file.texts["backend"] == ["tensorflow"])
  }

  /// Kernel and bias, then scale, shift, mean and variance, and so on.
  private static let shapes = [
    [3, 3, 2, 3], [3], [3], [3], [3], [3], [3, 3, 3, 3], [3], [12, 2], [2],
  ]

  @Test func wholeModels() throws {
    let file = try Fixtures.read("model.h5")
    let weights = ["kernel", "bias"]
    let moments = ["gamma", "beta", "moving_mean", "moving_variance"]
    let layers = [("one", weights), ("norm", moments), ("two", weights), ("last", weights)]
    let names = layers.flatMap { layer, parts in
      parts.map { "\(layer)/sequential/\(layer)/\($0)" }
    }
    #expect(file.arrays.map(\.name) == names)
    for (item, shape) in zip(file.arrays, Self.shapes) {
      #expect(item.array == Fixtures.ramp(shape), "\(item.name)")
    }
    #expect(file.texts["keras_version"] == ["3.15.1"])
    #expect(file.texts["model_config"]?.first?.hasPrefix(#"{"class_name": "Sequential""#) == true)
  }

  @Test func archivesNameTheirLayers() throws {
    let file = try Fixtures.read("model.keras")
    #expect(file.format == .hdf5)
    let counts = [("one", 2), ("norm", 4), ("two", 2), ("last", 2)]
    #expect(
      file.arrays.map(\.name)
        == counts.flatMap { layer, count in (0..<count).map { "\(layer)/vars/\($0)" } })
    for (item, shape) in zip(file.arrays, Self.shapes) {
      #expect(item.array == Fixtures.ramp(shape), "\(item.name)")
    }
  }

  @Test func weightsWithoutAModelCountLayers() throws {
    let file = try Fixtures.read("model.weights.h5")
    #expect(
      file.arrays.map(\.name).filter { $0.hasSuffix("/0") } == [
        "layers/batch_normalization/vars/0", "layers/conv2d/vars/0", "layers/conv2d_1/vars/0",
        "layers/dense/vars/0",
      ])
    #expect(file["layers/conv2d_1/vars/0"] == Fixtures.ramp([3, 3, 3, 3]))
  }

  @Test(arguments: ["plain.h5", "keras2.h5"]) func truncationsAreErrors(name: String) throws {
    let bytes = try Fixtures.bytes(name)
    for count in stride(from: 8, to: bytes.count - 1, by: 101) {
      let path = try folder.write(bytes[..<count], to: "cut")
      #expect(
        problem(path, as: "HDF5") == "it is no HDF5 file, is damaged, or is cut short", "\(count)")
    }
  }
}
