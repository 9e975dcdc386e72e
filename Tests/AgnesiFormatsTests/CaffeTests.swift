import AgnesiArrays
import AgnesiFormats
import Foundation
import TestSupport
import Testing

/// Caffe's binary files, written here, and one whose bytes a Python script put together.
@Suite struct CaffeTests {
  private let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private static let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures/tiny.caffemodel").path

  private func shape(_ sizes: [Int]) -> ProtobufWriter {
    var message = ProtobufWriter()
    message.integers(1, sizes)
    return message
  }

  private func blob(_ values: [Float], _ sizes: [Int]) -> ProtobufWriter {
    var message = ProtobufWriter()
    message.floats(5, values)
    message.message(7, shape(sizes))
    return message
  }

  private func layer(_ name: String, _ blobs: [ProtobufWriter]) -> ProtobufWriter {
    var message = ProtobufWriter()
    message.text(1, name)
    message.text(2, "Convolution")
    for blob in blobs { message.message(7, blob) }
    return message
  }

  private func network(_ layers: [ProtobufWriter]) -> ProtobufWriter {
    var message = ProtobufWriter()
    message.text(1, "Tiny")
    for layer in layers { message.message(100, layer) }
    return message
  }

  @Test func currentForm() throws {
    let path = folder.path("net.caffemodel")
    let weights = blob([1, 2, 3, 4], [2, 1, 1, 2])
    try network([layer("data", []), layer("conv1", [weights, blob([5, 6], [2])])]).write(to: path)
    let file = try WeightFile(reading: path)
    #expect(file.format == .caffe)
    #expect(file.texts["name"] == ["Tiny"])
    #expect(file.arrays.map(\.name) == ["conv1/0", "conv1/1"])
    #expect(file["conv1/0"] == NDArray([1, 2, 3, 4] as [Float], shape: [2, 1, 1, 2]))
    #expect(file["conv1/1"] == NDArray([5, 6] as [Float]))
  }

  @Test func elementsInOtherForms() throws {
    let path = folder.path("net.caffemodel")
    // One number at a time, as the first versions wrote, and doubles.
    var single = ProtobufWriter()
    for (field, size) in zip(1...4, [1, 1, 1, 2]) { single.integer(field, size) }
    single.float(5, 7)
    single.float(5, 8)
    var doubles = ProtobufWriter()
    doubles.elements(8, NDArray([0.5, 0.25] as [Double]))
    try network([layer("a", [single, doubles])]).write(to: path)
    let file = try WeightFile(reading: path)
    #expect(file["a/0"] == NDArray([7, 8] as [Float], shape: [1, 1, 1, 2]))
    #expect(file["a/1"] == NDArray([0.5, 0.25] as [Double]))
  }

  @Test func firstForm() throws {
    let file = try WeightFile(reading: Self.fixture)
    #expect(file.arrays.map(\.name) == ["conv/0", "conv/1", "ip/0"])
    #expect(file["conv/0"] == NDArray([1, -2, 3, 0.5] as [Float], shape: [2, 1, 1, 2]))
    #expect(file["conv/1"] == NDArray([0.25, -0.25] as [Float], shape: [1, 1, 1, 2]))
    #expect(file["ip/0"] == NDArray([4, 5, 6] as [Float], shape: [1, 1, 1, 3]))
  }

  @Test func meanOfImages() throws {
    let path = folder.path("mean.binaryproto")
    var message = ProtobufWriter()
    for (field, size) in zip(1...4, [1, 3, 1, 2]) { message.integer(field, size) }
    message.floats(5, [1, 2, 3, 4, 5, 6])
    try message.write(to: path)
    #expect(
      try WeightFile(reading: path)["data"]
        == NDArray([1, 2, 3, 4, 5, 6] as [Float], shape: [1, 3, 1, 2]))
  }

  @Test func sizesMustFit() throws {
    let path = folder.path("net.caffemodel")
    try network([layer("a", [blob([1, 2, 3], [2, 2])])]).write(to: path)
    #expect(
      errorText { _ = try WeightFile(reading: path) }
        .contains("\"a/0\" is float32[2, 2] of 16 bytes, but has 12"))
    try network([layer("a", [blob([1], [Int.max, 2])])]).write(to: path)
    #expect(errorText { _ = try WeightFile(reading: path) }.contains("impossible shape"))
  }

  /// Ten thousand damaged files: each is read, or is an error.
  @Test func damagedFiles() throws {
    let path = folder.path("net.caffemodel")
    let whole = network([
      layer("conv1", [blob([1, 2, 3, 4], [2, 1, 1, 2]), blob([5, 6], [2])]), layer("ip", []),
    ]).bytes
    let files = [whole, Array(try Data(contentsOf: URL(fileURLWithPath: Self.fixture)))]
    var mutations = Mutations(seed: 3)
    var (sound, damaged) = (0, 0)
    for number in 0..<10_000 {
      try folder.write(mutations.of(files[number % 2], files), to: "net.caffemodel")
      do {
        _ = try WeightFile(reading: path)
        sound += 1
      } catch is FormatError {
        damaged += 1
      }
    }
    #expect(sound > 100)
    #expect(damaged > 1000)
  }
}

@Suite struct ProtobufWriterTests {
  /// As in the format's own documentation: 150 in field 1 is 08 96 01, "testing" in field 2.
  @Test func encodings() {
    var message = ProtobufWriter()
    message.integer(1, 150)
    message.text(2, "testing")
    message.integers(4, [3, 270, 86942])
    message.integer(5, -1)
    let text: [UInt8] = [0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67]
    let packed: [UInt8] = [0x22, 0x06, 0x03, 0x8e, 0x02, 0x9e, 0xa7, 0x05]
    let negative: [UInt8] = [0x28] + [UInt8](repeating: 0xff, count: 9) + [0x01]
    #expect(message.bytes == [0x08, 0x96, 0x01] + text + packed + negative)
    #expect(message.count == message.bytes.count)
  }

  @Test func messagesInMessages() {
    var inner = ProtobufWriter()
    inner.elements(1, NDArray([1] as [Float]))
    var outer = ProtobufWriter()
    outer.message(3, inner)
    #expect(outer.bytes == [0x1a, 0x06, 0x0a, 0x04, 0, 0, 0x80, 0x3f])
  }
}
