import Foundation

/// What a safetensors file holds, without its data: cheap for files of any size.
///
/// The file: eight bytes with the header's length, the header as JSON, then the data. The header
/// names each tensor with its dtype, its shape, and where its data begins and ends.
///
/// - Source: the format's description in Hugging Face's safetensors.
public struct SafetensorsHeader: Sendable {
  /// One tensor of the file.
  public struct Entry: Sendable, Equatable {
    /// The tensor's name.
    public let name: String
    /// The type of its elements.
    public let dtype: DType
    /// Its sizes; empty for a scalar.
    public let shape: [Int]
    /// The bytes of its data, counted from the end of the header.
    public let range: Range<Int>
  }

  /// The tensors in the header's order.
  public let entries: [Entry]
  /// Texts under keys; empty where the file has none.
  public let metadata: [String: String]
  /// The byte of the file at which the data begins.
  package let dataStart: Int

  /// The longest header that the format allows.
  public static let longestHeader = 100_000_000

  static let codes: [(name: String, dtype: DType)] = [
    ("BOOL", .bool), ("I8", .int8), ("I16", .int16), ("I32", .int32), ("I64", .int64),
    ("U8", .uint8), ("U16", .uint16), ("U32", .uint32), ("U64", .uint64), ("F16", .float16),
    ("BF16", .bfloat16), ("F32", .float32), ("F64", .float64),
  ]

  /// Reads and checks the header of a file.
  ///
  /// - Throws: ``FileError`` where the file cannot be read; ``FormatError`` where the header is no
  ///   valid one, or does not describe exactly the bytes that follow it.
  public init(reading path: String) throws {
    try self.init(InputFile(path, unpacking: false))
  }

  package init(_ file: InputFile) throws {
    do {
      let text = try Self.text(of: file)
      dataStart = 8 + text.count
      guard case .object(let members) = try StrictJSON(text) else {
        throw SafetensorsProblem("its header is not a JSON object")
      }
      metadata = try Self.metadata(members)
      entries = try members.filter { $0.key != "__metadata__" }.map(Self.entry)
      try Self.check(entries, dataCount: file.fileSize - dataStart)
    } catch let problem as StrictJSON.Problem {
      throw Self.error(file, "its header is not valid JSON: \(problem)")
    } catch let problem as SafetensorsProblem {
      throw Self.error(file, problem.reason)
    }
  }

  static func error(_ file: InputFile, _ reason: String) -> FormatError {
    FormatError(path: file.path, format: "safetensors", reason: reason)
  }

  private static func text(of file: InputFile) throws -> [UInt8] {
    let prefix = try file.read(upTo: 8)
    if prefix.count < 8 {
      throw SafetensorsProblem(
        "it ends after \(prefix.count) of the 8 bytes that tell the header's length")
    }
    let length = prefix.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    if length > longestHeader {
      throw SafetensorsProblem(
        "its header would be \(length) bytes long, at most \(longestHeader) are allowed")
    }
    if length > file.fileSize - 8 {
      throw SafetensorsProblem(
        "its header would be \(length) bytes long, \(file.fileSize - 8) follow its length")
    }
    return try file.read(upTo: Int(length))
  }
}

/// A reason without the file's name, which is added in one place.
private struct SafetensorsProblem: Error, LocalizedError {
  let reason: String
  var errorDescription: String? { reason }

  init(_ reason: String) { self.reason = reason }
}

// MARK: - The header's members

extension SafetensorsHeader {
  private static func metadata(
    _ members: [(key: String, value: StrictJSON)]
  ) throws -> [String: String] {
    guard let value = members.first(where: { $0.key == "__metadata__" })?.value else { return [:] }
    guard case .object(let pairs) = value else {
      throw SafetensorsProblem("its metadata is not a JSON object")
    }
    var result: [String: String] = [:]
    for (key, value) in pairs {
      guard case .string(let text) = value else {
        throw SafetensorsProblem("its metadata \(StrictJSON.quoted(key)) is not a string")
      }
      result[key] = text
    }
    return result
  }

  private static func entry(name: String, value: StrictJSON) throws -> Entry {
    let quoted = StrictJSON.quoted(name)
    guard case .object(let members) = value else {
      throw SafetensorsProblem("tensor \(quoted) is not described by a JSON object")
    }
    func member(_ key: String) throws -> StrictJSON {
      if let member = members.first(where: { $0.key == key }) { return member.value }
      throw SafetensorsProblem("tensor \(quoted) lacks \"\(key)\"")
    }
    guard case .string(let code) = try member("dtype") else {
      throw SafetensorsProblem("the dtype of tensor \(quoted) is not a string")
    }
    guard let dtype = codes.first(where: { $0.name == code })?.dtype else {
      let known = codes.map(\.name).joined(separator: ", ")
      throw SafetensorsProblem(
        "tensor \(quoted) has the dtype \(StrictJSON.quoted(code)), known here are \(known)")
    }
    let shape = try sizes(member("shape"), "the shape of tensor \(quoted)")
    let offsets = try sizes(member("data_offsets"), "the offsets of tensor \(quoted)")
    guard offsets.count == 2, offsets[0] <= offsets[1] else {
      throw SafetensorsProblem("tensor \(quoted) has the offsets \(offsets): no begin and end")
    }
    try checkSize(quoted, dtype, shape, offsets[1] - offsets[0])
    return Entry(name: name, dtype: dtype, shape: shape, range: offsets[0]..<offsets[1])
  }

  private static func sizes(_ value: StrictJSON, _ role: String) throws -> [Int] {
    guard case .array(let items) = value else {
      throw SafetensorsProblem("\(role) is not an array")
    }
    return try items.map { item in
      guard case .number(let digits) = item else {
        throw SafetensorsProblem("\(role) holds something that is not a number")
      }
      guard digits.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let size = Int(digits) else {
        throw SafetensorsProblem("\(role) holds \(digits), which is not a size")
      }
      return size
    }
  }

  private static func checkSize(
    _ name: String, _ dtype: DType, _ shape: [Int], _ count: Int
  ) throws {
    guard let needed = ByteOrder.byteCount(shape, elementSize: dtype.size) else {
      throw SafetensorsProblem("the product of the sizes \(shape) of tensor \(name) is too large")
    }
    if needed != count {
      throw SafetensorsProblem(
        "tensor \(name), \(dtype)\(shape), needs \(needed) bytes, its offsets span \(count)")
    }
  }

  /// Every byte of the data belongs to exactly one tensor, so nothing can hide or overlap.
  private static func check(_ entries: [Entry], dataCount: Int) throws {
    let ordered = entries.sorted {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }
    var end = 0
    var last = "the header"
    for entry in ordered {
      let name = "tensor \(StrictJSON.quoted(entry.name))"
      if entry.range.lowerBound != end {
        throw SafetensorsProblem(
          "\(name) begins at byte \(entry.range.lowerBound) of the data, \(last) ends at \(end)")
      }
      (end, last) = (entry.range.upperBound, name)
    }
    if end != dataCount {
      throw SafetensorsProblem("its tensors take \(end) bytes, \(dataCount) follow the header")
    }
  }
}
