import AgnesiArrays
import TestSupport
import Testing

@Suite struct SafetensorsFileTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private var everyType: SafetensorsFile {
    let tensors = DType.allCases.map { dtype in
      (
        name: "the \(dtype)",
        array: NDArray(rounding: [0, 1, -1, 100, 27.5, -3], shape: [2, 3], dtype)
      )
    }
    return SafetensorsFile(tensors: tensors, metadata: ["format": "pt", "é \"x\"": "line\nline"])
  }

  @Test func whatIsWrittenIsReadInOrder() throws {
    let path = folder.path("m.safetensors")
    try everyType.write(to: path)
    let file = try SafetensorsFile(reading: path)
    #expect(file.metadata == everyType.metadata)
    #expect(file.tensors.map(\.name) == everyType.tensors.map(\.name))
    for (read, written) in zip(file.tensors, everyType.tensors) {
      #expect(read.array.isIdentical(to: written.array), "\(read.name)")
    }
    #expect(file["the int32"]?.dtype == .int32)
    #expect(file["another"] == nil)
  }

  @Test func theSameContentGivesTheSameBytes() throws {
    try everyType.write(to: folder.path("a"))
    try everyType.write(to: folder.path("b"))
    #expect(try folder.read("a") == folder.read("b"))
  }

  @Test func theBytesAreThoseOfTheFormat() throws {
    let file = SafetensorsFile(
      tensors: [
        ("b", NDArray([1] as [UInt8])), ("w", NDArray([1.5, 2] as [Float], shape: [2, 1])),
      ],
      metadata: ["k": "v"])
    try file.write(to: folder.path("a"))
    let header =
      #"{"__metadata__":{"k":"v"},"b":{"dtype":"U8","shape":[1],"data_offsets":[8,9]},"#
      + #""w":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}}"#
    let padding = (120 - header.utf8.count % 64) % 64
    let length = header.utf8.count + padding
    #expect(
      try folder.read("a")
        == ByteOrder.littleEndian(UInt64(length)) + Array(header.utf8)
        + [UInt8](repeating: 0x20, count: padding) + [0, 0, 0xc0, 0x3f, 0, 0, 0, 0x40, 1])
  }

  @Test func emptyFilesScalarsAndEmptyTensorsSurvive() throws {
    try SafetensorsFile().write(to: folder.path("a"))
    let padding = [UInt8](repeating: 0x20, count: 54)
    #expect(try folder.read("a") == [56, 0, 0, 0, 0, 0, 0, 0] + Array("{}".utf8) + padding)
    #expect(try SafetensorsFile(reading: folder.path("a")).tensors.isEmpty)
    let tensors: [(name: String, array: NDArray)] = [
      ("none", NDArray(zeros: [0, 3])), ("one", NDArray(scalar: 2.5)),
      ("nothing", NDArray(zeros: [2, 0], .int8)),
    ]
    try SafetensorsFile(tensors: tensors).write(to: folder.path("b"))
    let file = try SafetensorsFile(reading: folder.path("b"))
    #expect(file.tensors.map(\.array.shape) == [[0, 3], [], [2, 0]])
    #expect(file["one"]?.scalar == 2.5)
  }

  @Test func aViewIsWrittenInItsOwnOrder() throws {
    let array = NDArray([1, 2, 3, 4, 5, 6] as [Int32], shape: [2, 3]).transposed()
    try SafetensorsFile(tensors: [("a", array)]).write(to: folder.path("a"))
    #expect(try SafetensorsFile(reading: folder.path("a"))["a"] == array)
  }

  @Test func theHeaderAndSingleTensorsCanBeReadAlone() throws {
    try everyType.write(to: folder.path("a"))
    let header = try SafetensorsHeader(reading: folder.path("a"))
    #expect(header.entries.map(\.dtype) == DType.allCases)
    #expect(header.entries.allSatisfy { $0.shape == [2, 3] })
    let file = try SafetensorsFile(reading: folder.path("a")) { $0.dtype == .float16 }
    #expect(file.tensors.map(\.name) == ["the float16"])
    #expect(file.tensors[0].array.doubles == [0, 1, -1, 100, 27.5, -3])
  }

  /// Two mebibytes, bools that are no bools, and elements at odd places, as other writers leave them.
  private func largeFile() throws -> String {
    let numbers = (0..<500_000).map { Float($0) }
    let header =
      #"{"w":{"dtype":"F32","shape":[500,1000],"data_offsets":[0,2000000]},"#
      + #""t":{"dtype":"BOOL","shape":[3],"data_offsets":[2000000,2000003]},"#
      + #""n":{"dtype":"I32","shape":[],"data_offsets":[2000003,2000007]},"#
      + #""e":{"dtype":"F32","shape":[0,2],"data_offsets":[2000007,2000007]}} "#
    let padding = [UInt8](repeating: 0x20, count: (120 - header.utf8.count % 64) % 64)
    var bytes = ByteOrder.littleEndian(UInt64(header.utf8.count + padding.count))
    bytes += Array(header.utf8) + padding
    numbers.withUnsafeBytes { bytes += $0 }
    return try folder.write(bytes + [0, 1, 7] + ByteOrder.littleEndian(Int32(-5)), to: "large")
  }

  @Test func largeFilesAreViewsWhereElementsAreAligned() throws {
    let file = try SafetensorsFile(reading: largeFile())
    let weights = try #require(file["w"])
    #expect(weights.storage.isForeign)
    #expect(weights.doubles[499_999] == 499_999)
    let flags = try #require(file["t"])
    #expect(!flags.storage.isForeign)
    #expect(flags.withUnsafeBytes { Array($0) } == [0, 1, 1])
    #expect(file["n"]?.storage.isForeign == false)
    #expect(file["n"]?.scalar == -5)
    #expect(file["e"]?.shape == [0, 2])
  }

  @Test func whatIsWrittenIntoAViewStaysInTheProcess() throws {
    let path = try largeFile()
    let before = try folder.read("large")
    var file = try SafetensorsFile(reading: path)
    let shared = try #require(file["w"])
    file.tensors[0].array.withUnsafeMutableBytes { $0.storeBytes(of: -1, as: Float.self) }
    #expect(file["w"]?.doubles[0] == -1)
    #expect(shared.doubles[0] == 0)
    // The only owner of its part of the mapping writes there.
    var alone = try SafetensorsFile(reading: path).tensors[0].array
    alone.withUnsafeMutableBytes { $0.storeBytes(of: -2, as: Float.self) }
    #expect(alone.storage.isForeign)
    #expect(alone.doubles[0..<2] == [-2, 1])
    #expect(try folder.read("large") == before)
  }

  @Test func aViewOutlivesItsFile() throws {
    let path = try largeFile()
    let file = try SafetensorsFile(reading: path)
    try SafetensorsFile(tensors: [("w", NDArray([3] as [Float]))]).write(to: path)
    #expect(file["w"]?.doubles[77_777] == 77_777)
    #expect(try SafetensorsFile(reading: path)["w"]?.doubles == [3])
  }

  @Test func whatIsWrittenIsAlignedForThoseWhoMapIt() throws {
    let tensors: [(name: String, array: NDArray)] = [
      ("byte", NDArray(zeros: [1], .uint8)), ("bias", NDArray(zeros: [10])),
      ("wide", NDArray(zeros: [3], .float64)), ("line", NDArray(zeros: [64], .uint8)),
      ("weights", NDArray(zeros: [300_000])),
    ]
    let path = folder.path("a")
    try SafetensorsFile(tensors: tensors).write(to: path)
    let header = try SafetensorsHeader(reading: path)
    #expect(header.entries.map(\.name) == tensors.map(\.name))
    #expect(header.dataStart % 64 == 0)
    for entry in header.entries {
      let isWhole = entry.range.count % 64 == 0
      #expect(entry.range.lowerBound % (isWhole ? 64 : entry.dtype.size) == 0, "\(entry)")
    }
    #expect(try SafetensorsFile(reading: path).tensors.allSatisfy { $0.array.storage.isForeign })
  }

  @Test func namesThatTheFormatCannotHoldAreNotWritten() throws {
    let path = try folder.write([1], to: "a")
    let zero = NDArray(zeros: [1])
    #expect(
      errorText { try SafetensorsFile(tensors: [("w", zero), ("w", zero)]).write(to: path) }
        == "cannot write \(path) as safetensors: two tensors are called \"w\"")
    #expect(
      errorText { try SafetensorsFile(tensors: [("__metadata__", zero)]).write(to: path) }
        == "cannot write \(path) as safetensors: a tensor is called \"__metadata__\", which the "
        + "format keeps for itself")
    #expect(try folder.read("a") == [1])
  }
}

/// Files that were made to mislead.
@Suite struct HostileSafetensorsTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func problem(_ header: String, data: Int = 0, length: UInt64? = nil) throws -> String {
    let count = length ?? UInt64(header.utf8.count)
    let bytes = ByteOrder.littleEndian(count) + Array(header.utf8)
    return try problem(bytes + [UInt8](repeating: 0, count: data))
  }

  private func problem(_ bytes: [UInt8]) throws -> String {
    let path = try folder.write(bytes, to: "a")
    let text = errorText { _ = try SafetensorsFile(reading: path) }
    let prefix = "cannot read \(path) as safetensors: "
    return text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text
  }

  private func tensor(
    _ name: String, _ dtype: String, _ shape: String, _ range: String
  ) -> String {
    #""\#(name)":{"dtype":"\#(dtype)","shape":\#(shape),"data_offsets":\#(range)}"#
  }

  private func tensor(_ range: String) -> String { tensor("a", "F32", "[1]", range) }

  @Test func wrongLengthsOfTheHeaderAreNamed() throws {
    #expect(
      try problem([1, 2, 3])
        == "it ends after 3 of the 8 bytes that tell the header's length")
    #expect(
      try problem("{}", length: .max)
        == "its header would be 18446744073709551615 bytes long, at most 100000000 are allowed")
    #expect(
      try problem("{}", length: 100_000_001)
        == "its header would be 100000001 bytes long, at most 100000000 are allowed")
    #expect(
      try problem("{}", length: 3) == "its header would be 3 bytes long, 2 follow its length")
    #expect(
      try problem("{}", length: 1)
        == "its header is not valid JSON: a name in quotes is missing at byte 1")
    #expect(
      try problem("", length: 0) == "its header is not valid JSON: a value is missing at byte 0")
  }

  @Test func wrongStructuresAreNamed() throws {
    #expect(try problem("[]") == "its header is not a JSON object")
    #expect(try problem(#"{"a":3}"#) == "tensor \"a\" is not described by a JSON object")
    #expect(try problem(#"{"a":{}}"#) == "tensor \"a\" lacks \"dtype\"")
    #expect(try problem(#"{"a":{"dtype":1}}"#) == "the dtype of tensor \"a\" is not a string")
    #expect(
      try problem(#"{"a":{"dtype":"F32","shape":[]}}"#) == "tensor \"a\" lacks \"data_offsets\"")
    #expect(try problem(#"{"__metadata__":[]}"#) == "its metadata is not a JSON object")
    #expect(
      try problem(#"{"__metadata__":{"a":1}}"#) == "its metadata \"a\" is not a string")
    #expect(
      try problem("{\(tensor("a", "F32", "3", "[0,4]"))}", data: 4)
        == "the shape of tensor \"a\" is not an array")
    #expect(
      try problem("{\(tensor("a", "F32", "[true]", "[0,4]"))}", data: 4)
        == "the shape of tensor \"a\" holds something that is not a number")
  }

  @Test func namesThatOccurTwiceAreNamed() throws {
    let twice = "{\(tensor("[0,4]")),\(tensor("[4,8]"))}"
    #expect(
      try problem(twice, data: 8)
        == "its header is not valid JSON: the name \"a\" occurs twice at byte 54")
  }

  @Test func unknownTypesAreNamed() throws {
    #expect(
      try problem("{\(tensor("a", "C64", "[1]", "[0,8]"))}", data: 8)
        == "tensor \"a\" has the dtype \"C64\", known here are BOOL, I8, I16, I32, I64, U8, U16, "
        + "U32, U64, F16, BF16, F32, F64")
  }

  @Test(arguments: ["-1", "1.5", "1e3", "99999999999999999999"])
  func numbersThatAreNoSizesAreNamed(number: String) throws {
    #expect(
      try problem("{\(tensor("a", "F32", "[\(number)]", "[0,4]"))}", data: 4)
        == "the shape of tensor \"a\" holds \(number), which is not a size")
    #expect(
      try problem("{\(tensor("a", "F32", "[1]", "[0,\(number)]"))}", data: 4)
        == "the offsets of tensor \"a\" holds \(number), which is not a size")
  }

  @Test func sizesThatOverflowAreNamed() throws {
    let shape = "[4294967296,4294967296]"
    #expect(
      try problem("{\(tensor("a", "U8", shape, "[0,0]"))}")
        == "the product of the sizes [4294967296, 4294967296] of tensor \"a\" is too large")
    #expect(
      try problem("{\(tensor("a", "U8", "[9223372036854775807]", "[0,9223372036854775807]"))}")
        == "its tensors take 9223372036854775807 bytes, 0 follow the header")
  }

  @Test func offsetsThatDisagreeAreNamed() throws {
    #expect(
      try problem("{\(tensor("[4,0]"))}", data: 4)
        == "tensor \"a\" has the offsets [4, 0]: no begin and end")
    #expect(
      try problem("{\(tensor("[0]"))}", data: 4)
        == "tensor \"a\" has the offsets [0]: no begin and end")
    #expect(
      try problem("{\(tensor("[0,8]"))}", data: 8)
        == "tensor \"a\", float32[1], needs 4 bytes, its offsets span 8")
    #expect(
      try problem("{\(tensor("[0,4]")),\(tensor("b", "F32", "[1]", "[2,6]"))}", data: 6)
        == "tensor \"b\" begins at byte 2 of the data, tensor \"a\" ends at 4")
    #expect(
      try problem("{\(tensor("[0,4]")),\(tensor("b", "F32", "[1]", "[8,12]"))}", data: 12)
        == "tensor \"b\" begins at byte 8 of the data, tensor \"a\" ends at 4")
    #expect(
      try problem("{\(tensor("[4,8]"))}", data: 8)
        == "tensor \"a\" begins at byte 4 of the data, the header ends at 0")
  }

  @Test func missingAndSurplusDataAreNamed() throws {
    let header = "{\(tensor("[0,4]"))}"
    #expect(
      try problem(header, data: 3) == "its tensors take 4 bytes, 3 follow the header")
    #expect(
      try problem(header, data: 5) == "its tensors take 4 bytes, 5 follow the header")
  }

  @Test func everyCutIsRefused() throws {
    try SafetensorsFile(tensors: [("w", NDArray([1, 2] as [Float]))], metadata: ["a": "b"])
      .write(to: folder.path("whole"))
    let whole = try folder.read("whole")
    for count in 0..<whole.count {
      let text = try problem(Array(whole[..<count]))
      #expect(text.hasPrefix("it"), "cut to \(count): \(text)")
    }
  }
}
