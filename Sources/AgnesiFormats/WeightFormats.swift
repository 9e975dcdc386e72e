import AgnesiArrays

/// Finds out what a file is, and reads it.
enum WeightFormats {
  static func read(
    _ file: MappedFile, _ choice: WeightDictionaryChoice
  ) throws -> (WeightFile.Format, WeightContents) {
    let (format, contents) = try readAll(file, choice)
    // PyTorch's dictionaries are chosen before their tensors are made.
    guard let key = choice.key, format != .pytorch else { return (format, contents) }
    return (format, try named(file, "weights") { try contents.below(key) })
  }

  private static func readAll(
    _ file: MappedFile, _ choice: WeightDictionaryChoice
  ) throws -> (WeightFile.Format, WeightContents) {
    let bytes = FileBytes(file)
    let budget = MemoryBudget(fileSize: bytes.count)
    if bytes.starts(with: [0x93] + Array("NUMPY".utf8)) {
      return (.npy, try named(file, "npy") { try NPZFile.lone(bytes, budget) })
    }
    if bytes.starts(with: Array("PK".utf8) + [3, 4]) {
      return try readArchive(file, bytes, choice, budget)
    }
    if isSafetensors(bytes) { return (.safetensors, try readSafetensors(file.path)) }
    if HDF5File.isFound(in: bytes) {
      let contents = try named(file, "HDF5") {
        try KerasFile.contents(of: file.path, bytes, budget)
      }
      return (.hdf5, contents)
    }
    if TorchFile.isLegacy(bytes) {
      let contents = try named(file, "a file of PyTorch") {
        try TorchFile.legacyContents(of: bytes, choice, budget)
      }
      return (.pytorch, contents)
    }
    if CaffeFile.isNamed(file.path) {
      let contents = try named(file, "a file of Caffe") {
        try CaffeFile(bytes, name: file.path, budget).contents
      }
      return (.caffe, contents)
    }
    if file.path.hasSuffix(".onnx") {
      let contents = try named(file, "ONNX") {
        try ONNXFile(bytes, path: file.path, budget).weights
      }
      return (.onnx, contents)
    }
    if isPickle(bytes) {
      return (.pickle, try named(file, "a pickle") { try readPickle(bytes, budget) })
    }
    throw unknown(file)
  }

  private static func readArchive(
    _ file: MappedFile, _ bytes: FileBytes, _ choice: WeightDictionaryChoice,
    _ budget: MemoryBudget
  ) throws -> (WeightFile.Format, WeightContents) {
    let archive = try named(file, "a zip archive") { try ZipArchive(bytes) }
    let names = archive.members.map(\.name)
    if names.contains(where: TorchFile.isPickle) {
      let contents = try named(file, "a file of PyTorch") {
        try TorchFile.contents(of: archive, choice, budget)
      }
      return (.pytorch, contents)
    }
    if KerasFile.isFound(in: archive) {
      let contents = try named(file, "a file of Keras") {
        try KerasFile.contents(of: archive, budget)
      }
      return (.hdf5, contents)
    }
    if names.contains(where: { $0.hasSuffix(".npy") }) {
      return (.npz, try named(file, "npz") { try NPZFile.contents(of: archive, budget) })
    }
    throw FormatError(
      path: file.path, format: "weights",
      reason:
        "it is a zip archive without arrays (.npy), a data.pkl of PyTorch or a model.weights.h5 of Keras"
    )
  }

  private static func readSafetensors(_ path: String) throws -> WeightContents {
    let file = try SafetensorsFile(reading: path)
    var contents = WeightContents(texts: file.metadata.mapValues { [$0] })
    for (name, array) in file.tensors { contents.set(name, array) }
    return contents
  }

  private static func readPickle(
    _ bytes: FileBytes, _ budget: MemoryBudget
  ) throws -> WeightContents {
    var reader = PickleReader(bytes, budget)
    let value = try reader.read()
    if reader.position != bytes.count {
      throw FormatProblem(
        "\(bytes.count - reader.position) bytes follow its end at byte \(reader.position)")
    }
    let heap = reader.heap
    let found = try PickleContents(value, heap, budget)
    var contents = WeightContents(texts: found.texts)
    var arrays = PickledArrays(budget)
    for item in found.items {
      guard case .array(let array) = heap.objects[item.object] else { continue }
      contents.set(item.path, try arrays.array(array, at: item.object, heap))
    }
    for (name, array) in found.numbers { contents.set(name, array) }
    if contents.arrays.isEmpty { throw FormatProblem("it holds no arrays") }
    return contents
  }

  private static func isSafetensors(_ bytes: FileBytes) -> Bool {
    guard let length = bytes.number(UInt64.self, at: 0), bytes.count > 9 else { return false }
    return length <= SafetensorsHeader.longestHeader && bytes.buffer[8] == UInt8(ascii: "{")
  }

  /// Protocols from 2 on begin with their number. Earlier ones begin with a mark, an empty container or
  /// a name, and end with a full stop, as all do.
  private static func isPickle(_ bytes: FileBytes) -> Bool {
    guard bytes.count >= 2, let first = bytes.buffer.first else { return false }
    if first == PickleOpcode.proto.rawValue { return true }
    let starts: [PickleOpcode] = [.mark, .emptyDict, .emptyList, .emptyTuple, .global]
    return starts.contains { $0.rawValue == first }
      && bytes.buffer.last == PickleOpcode.stop.rawValue
  }

  private static func named<Result>(
    _ file: MappedFile, _ format: String, _ body: () throws -> Result
  ) throws -> Result {
    try FormatProblem.naming(file.path, format, .read, body)
  }

  private static func unknown(_ file: MappedFile) -> FormatError {
    let start = file.bytes.prefix(8).map { byte in
      (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
    let found =
      start.isEmpty ? "it is empty" : "it begins with the bytes \(start.joined(separator: " "))"
    return FormatError(
      path: file.path, format: "weights",
      reason: "\(found), as no file of safetensors, NumPy, PyTorch, HDF5 or pickle does")
  }
}
