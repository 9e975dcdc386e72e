import AgnesiArrays
import AgnesiFormats
import TestSupport
import Testing

@Suite struct TorchFileTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder(inMemory: true) }

  @Test(arguments: ["state.pth", "legacy.pth"]) func stateDictionaries(name: String) throws {
    let file = try Fixtures.read(name)
    #expect(file.format == .pytorch)
    let base = Fixtures.ramp([4, 6])
    let expected: [(name: String, array: NDArray)] = [
      ("plain", Fixtures.ramp([2, 3, 4])), ("transposed", base.transposed().contiguous()),
      ("part", NDArray([2.5, 4.25, 0.25, 1.5, 3.25, 5].map { Float($0) }, shape: [2, 3])),
      ("tied", base), ("half", Fixtures.ramp([9])), ("brain", Fixtures.ramp([9])),
      ("double", Fixtures.ramp([3], .float64)), ("steps", NDArray(scalar: 12)),
      ("flags", NDArray([true, false, true])), ("bytes", Fixtures.ramp([5], .uint8)),
      ("expanded", NDArray([2.5, 2.5, 2.5] as [Float])), ("empty", NDArray(zeros: [0, 3])),
      ("parameter", Fixtures.ramp([5])),
    ]
    #expect(file.arrays.map(\.name) == expected.map(\.name))
    for (name, array) in expected {
      #expect(file[name] == array, "\(name)")
      #expect(file[name]?.isContiguous == true)
    }
    #expect(file.texts.isEmpty)
  }

  @Test func tiedTensorsAreValues() throws {
    let file = try Fixtures.read("state.pth")
    var tied = try #require(file["tied"])
    tied.withUnsafeMutableBytes { $0.storeBytes(of: 99, as: Float.self) }
    #expect(file["tied"]?.doubles[0] == 0)
  }

  @Test func checkpointsGiveTheirWeights() throws {
    let file = try Fixtures.read("checkpoint.pth")
    #expect(file.arrays.map(\.name) == ["weight", "bias"])
    #expect(file["weight"] == Fixtures.ramp([2, 3]))
    #expect(
      file.texts == [
        "epoch": ["3"], "arch": ["small"],
        WeightFile.otherArrays: ["optimizer/state/0/momentum"],
      ])
  }

  @Test func wholeModulesAreRefused() {
    #expect(
      problem(Fixtures.path("module.pth"), as: "a file of PyTorch")
        == "\"module/data.pkl\": it names \"torch.nn.modules.linear.Linear\", and a class or function from a "
        + "file would run code; only arrays, numbers, texts, lists and dictionaries are read "
        + "(torch.save(model.state_dict(), …) writes these alone), at byte 2 (GLOBAL)")
  }

  @Test(arguments: DType.allCases) func whatIsWrittenIsRead(dtype: DType) throws {
    let arrays: [(name: String, array: NDArray)] = [
      ("b", Fixtures.ramp([2, 3], dtype).transposed()), ("a.é", Fixtures.ramp([], dtype)),
      ("none", NDArray(zeros: [0, 2], dtype)),
    ]
    let path = folder.path("a.pth")
    if [.uint16, .uint32, .uint64].contains(dtype) {
      #expect(
        errorText { try TorchFile.write(arrays, to: path) }
          == "cannot write \(path) as a file of PyTorch: array \"b\" has elements of \(dtype), which PyTorch "
          + "cannot store")
      return
    }
    try TorchFile.write(arrays, to: path)
    let file = try WeightFile(reading: path)
    #expect(file.format == .pytorch)
    #expect(file.arrays.map(\.name) == arrays.map(\.name))
    for (name, array) in arrays {
      #expect(file[name]?.isIdentical(to: array.cast(to: dtype.computed)) == true)
    }
  }

  // MARK: Hostile files

  /// A file whose one tensor has this offset, these sizes and strides; its storage has four floats.
  private func file(
    offset: Int, sizes: [Int], strides: [Int], announced: Int = 4, key: String = "0"
  ) throws -> String {
    func tuple(_ numbers: [Int]) -> String { "(" + numbers.map { "I\($0)\n" }.joined() + "t" }
    let storage = "(S'storage'\nctorch\nFloatStorage\nS'\(key)'\nS'cpu'\nI\(announced)\ntQ"
    let pickle =
      "(dS'w'\nctorch._utils\n_rebuild_tensor_v2\n(\(storage)I\(offset)\n\(tuple(sizes))\(tuple(strides))"
      + "I00\nNtRs."
    let zip = TestZip([
      .init(name: "x/data.pkl", data: Array(pickle.utf8)),
      .init(name: "x/data/0", data: [UInt8](repeating: 0, count: 16)),
    ])
    return try folder.write(zip.bytes, to: "hostile.pth")
  }

  @Test func tensorsStayInTheirStorage() throws {
    let good = try file(offset: 1, sizes: [3], strides: [1])
    #expect(try WeightFile(reading: good)["w"] == NDArray(zeros: [3]))
    let outside: [(offset: Int, sizes: [Int], strides: [Int])] = [
      (2, [3], [1]), (0, [2, 2], [4, 1]), (.max, [1], [1]), (0, [3], [.max / 2]), (5, [1], [1]),
    ]
    for (offset, sizes, strides) in outside {
      let path = try file(offset: offset, sizes: sizes, strides: strides)
      #expect(
        problem(path, as: "a file of PyTorch")
          == "\"tensor w\": a tensor of sizes \(sizes) and strides \(strides) from element \(offset) "
          + "leaves its storage of 4 elements")
    }
  }

  @Test func repeatedElementsAreBounded() throws {
    let path = try file(offset: 0, sizes: [1_000_000, 1_000_000], strides: [0, 0])
    #expect(
      problem(path, as: "a file of PyTorch")
        == "\"tensor w\": a copy of float32[1000000, 1000000] in row-major order takes 4000000000000 "
        + "bytes, which with 0 bytes before is more than the 67108864 bytes that are allowed for a file "
        + "of this size")
  }

  @Test func storagesMustBeThere() throws {
    #expect(
      problem(try file(offset: 0, sizes: [1], strides: [1], key: "9"), as: "a file of PyTorch")
        == "\"tensor w\": its storage \"9\" is missing")
    #expect(
      problem(
        try file(offset: 0, sizes: [1], strides: [1], announced: 1000), as: "a file of PyTorch")
        == "\"tensor w\": storage \"0\" has 16 bytes, 1000 elements of float32 are announced")
    #expect(
      problem(try file(offset: 0, sizes: [-1], strides: [1]), as: "a file of PyTorch").contains(
        "a tensor has the sizes [-1], strides [1] and begins at element 0"))
  }

  @Test(arguments: ["state.pth", "legacy.pth"]) func everyTruncationIsAnError(name: String) throws {
    let bytes = try Fixtures.bytes(name)
    for count in 0..<bytes.count {
      let path = try folder.write(bytes[..<count], to: "cut")
      #expect(throws: FormatError.self) { _ = try WeightFile(reading: path) }
    }
  }
}
