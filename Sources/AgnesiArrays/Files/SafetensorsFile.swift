/// A safetensors file: named arrays in an order, and texts under keys.
///
/// Reading runs no code and takes no more memory than the file has bytes, whatever its header says.
/// Files of a mebibyte and more are mapped: their arrays are views of a ``MappedFile``, which says what
/// that means for somebody who changes the file meanwhile.
public struct SafetensorsFile: Sendable {
  /// The arrays, in the order in which the header names them.
  public var tensors: [(name: String, array: NDArray)]
  /// Texts under keys.
  public var metadata: [String: String]

  /// A file of these arrays and texts, in memory.
  public init(
    tensors: [(name: String, array: NDArray)] = [], metadata: [String: String] = [:]
  ) {
    self.tensors = tensors
    self.metadata = metadata
  }

  /// Reads a file, or those of its tensors that `isWanted` names.
  ///
  /// - Throws: ``FileError`` where it cannot be read; ``FormatError`` where its header is invalid
  ///   or does not describe exactly the bytes of the file.
  public init(
    reading path: String, where isWanted: (SafetensorsHeader.Entry) -> Bool = { _ in true }
  ) throws {
    let file = try InputFile(path, unpacking: false)
    let header = try SafetensorsHeader(file)
    metadata = header.metadata
    let mapping = file.fileSize >= Self.smallestMapped ? try MappedFile(file) : nil
    tensors = try header.entries.filter(isWanted).map { entry in
      let start = header.dataStart + entry.range.lowerBound
      let array =
        try mapping?.array(entry.dtype, entry.shape, at: start)
        ?? Self.array(entry, file, at: start)
      return (entry.name, array)
    }
  }

  /// Below this size copying takes no longer than mapping.
  static let smallestMapped = 1 << 20

  /// The array of a name.
  public subscript(name: String) -> NDArray? {
    tensors.first { $0.name == name }?.array
  }

  /// Writes the file; the same content gives the same bytes.
  ///
  /// The header names the tensors in their order. Their data stand in another one, for readers that
  /// map the file: first what takes whole cache lines, each of which so begins at one; then the rest by
  /// the size of the elements, the largest first, which aligns elements. The format allows no gaps.
  ///
  /// - Throws: ``FormatError`` where two tensors have one name, or one is called "__metadata__", or
  ///   the header would be too long; ``FileError`` where the file cannot be written, and then a
  ///   file that was there before is unchanged.
  public func write(to path: String) throws {
    try checkNames(path)
    let order = dataOrder()
    let header = headerText(order)
    if header.count > SafetensorsHeader.longestHeader {
      throw FormatError(
        .write, path: path, format: "safetensors",
        reason: "its header would be \(header.count) bytes long, at most "
          + "\(SafetensorsHeader.longestHeader) are allowed")
    }
    try AtomicFile.replace(path) { file in
      let prefix = ByteOrder.littleEndian(UInt64(header.count)) + header
      try prefix.withUnsafeBytes { try file.write($0) }
      for index in order {
        try tensors[index].array.contiguous().withUnsafeBytes { try file.write($0) }
      }
    }
  }

  private static func array(
    _ entry: SafetensorsHeader.Entry, _ file: InputFile, at start: Int
  ) throws -> NDArray {
    try file.seek(to: start)
    try Memory.check(
      Memory.Demand("read \"\(entry.name)\" of \(file.path)", entry.dtype, entry.shape))
    var array = NDArray(zeros: entry.shape, entry.dtype)
    try array.withUnsafeMutableBytes { bytes in
      if try file.read(into: bytes) < bytes.count {
        throw SafetensorsHeader.error(file, "it shrank while it was read")
      }
      if entry.dtype == .bool { ByteOrder.normaliseBools(bytes) }
    }
    return array
  }

  private func checkNames(_ path: String) throws {
    var seen: Set<String> = []
    for (name, _) in tensors {
      let quoted = StrictJSON.quoted(name)
      if name == "__metadata__" {
        throw FormatError(
          .write, path: path, format: "safetensors",
          reason: "a tensor is called \(quoted), which the format keeps for itself")
      }
      if !seen.insert(name).inserted {
        throw FormatError(
          .write, path: path, format: "safetensors",
          reason: "two tensors are called \(quoted)")
      }
    }
  }

  private func headerText(_ order: [Int]) -> [UInt8] {
    var members: [String] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key < $1.key }.map { key, value in
        "\(StrictJSON.quoted(key)):\(StrictJSON.quoted(value))"
      }
      members.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
    }
    let starts = dataStarts(order)
    for (index, (name, array)) in tensors.enumerated() {
      let code = SafetensorsHeader.codes.first { $0.dtype == array.dtype }?.name ?? ""
      let shape = array.shape.map(String.init).joined(separator: ",")
      let end = starts[index] + array.byteCount
      members.append(
        "\(StrictJSON.quoted(name)):{\"dtype\":\"\(code)\",\"shape\":[\(shape)],"
          + "\"data_offsets\":[\(starts[index]),\(end)]}")
    }
    var text = Array("{\(members.joined(separator: ","))}".utf8)
    // The data begins at a cache line, eight bytes and the header after the file; spaces may follow
    // the JSON.
    let line = ArrayStorage.alignment
    text += [UInt8](repeating: 0x20, count: (2 * line - 8 - text.count % line) % line)
    return text
  }

  private func dataOrder() -> [Int] {
    func key(_ index: Int) -> (Int, Int, Int) {
      let array = tensors[index].array
      let isWhole = array.byteCount % ArrayStorage.alignment == 0
      return (isWhole ? 0 : 1, isWhole ? 0 : -array.dtype.size, index)
    }
    return tensors.indices.sorted { key($0) < key($1) }
  }

  private func dataStarts(_ order: [Int]) -> [Int] {
    var starts = [Int](repeating: 0, count: tensors.count)
    var end = 0
    for index in order {
      starts[index] = end
      end += tensors[index].array.byteCount
    }
    return starts
  }
}
