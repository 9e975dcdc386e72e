import AgnesiArrays
import AgnesiImages
import CAgnesiFiles

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What an HDF5 file holds: datasets of numbers by path, and texts of attributes.
///
/// libhdf5 reads it in a process of its own (`agnesi_files.h`). Elements that the file stores plainly are not
/// handed over: that process tells where they lie.
struct HDF5File {
  /// Datasets by their paths, such as `conv1/conv1/kernel:0`, in the order of names.
  private(set) var arrays: [(name: String, array: NDArray)] = []
  /// Texts by `group@attribute`; the root is the group `.`.
  private(set) var texts: [String: [String]] = [:]
  /// Datasets of other things than numbers.
  private(set) var others: [String] = []

  private static let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]
  /// Processor time that a file of so many bytes may take: damaged ones make libhdf5 run in circles.
  private static func seconds(for byteCount: Int) -> Int { 1 + byteCount >> 24 }

  /// Whether `bytes` are an HDF5 file; it may begin behind 512 bytes of something else, or twice as many.
  static func isFound(in bytes: FileBytes) -> Bool {
    [0, 512, 1024, 2048].contains { start in
      bytes.count >= start + 8 && bytes[start..<bytes.count].starts(with: signature)
    }
  }

  /// Reads the file at `path`, whose bytes are `bytes`.
  init(_ path: String, _ bytes: FileBytes, _ budget: MemoryBudget) throws {
    let descriptor = SystemCalls.open(path, O_RDONLY)
    if descriptor < 0 { throw FileError("read", path) }
    defer { close(descriptor) }
    try self.init(descriptor: descriptor, bytes, budget)
  }

  /// Reads a file in memory.
  init(_ bytes: FileBytes, _ budget: MemoryBudget) throws {
    guard bytes.count > 0 else { throw FormatProblem("the file is empty") }
    let descriptor = agnesi_memory_with(bytes.buffer.baseAddress, bytes.count)
    if descriptor < 0 { throw FormatProblem(String(cString: strerror(errno))) }
    defer { close(descriptor) }
    try self.init(descriptor: descriptor, bytes, budget)
  }

  private init(descriptor: Int32, _ bytes: FileBytes, _ budget: MemoryBudget) throws {
    let limits = DecodingLimits(memory: budget.remaining, seconds: Self.seconds(for: bytes.count))
    var request = agnesi_request()
    request.kind = AGNESI_KIND_HDF5
    request.seconds = UInt32(limits.seconds)
    request.memory = UInt64(limits.memory)
    let answer = FileWorkers.shared.ask(request, descriptor: descriptor)
    if let failure = answer.failure(limits) {
      throw FormatProblem(failure.reason + (failure.hint.map { "; \($0)" } ?? ""))
    }
    try budget.charge(answer.bytes.count, for: "what its datasets unpack to")
    try read(answer, file: bytes, budget)
  }

  private mutating func read(
    _ answer: FileWorkers.Answer, file: FileBytes, _ budget: MemoryBudget
  ) throws(FormatProblem) {
    let result = FileBytes(answer.bytes, owner: answer)
    let start = Int(answer.answer.numbers.2)
    guard 0...result.count ~= start else { throw Self.confused }
    let data = result[start..<result.count]
    var table = ByteCursor(result)
    for _ in 0..<answer.answer.numbers.0 {
      let kind = agnesi_entry(try table.next(UInt32.self))
      let element = agnesi_element(try table.next(UInt32.self))
      let count = Int(try table.next(UInt32.self))
      let name = try table.take(Int(try table.next(UInt32.self))).text
      switch kind {
      case AGNESI_ENTRY_IN_FILE, AGNESI_ENTRY_IN_RESULT:
        let isInFile = kind == AGNESI_ENTRY_IN_FILE
        let array = try Self.array(
          element, rank: count, &table, from: isInFile ? file : data, budget)
        arrays.append((name, array))
      case AGNESI_ENTRY_TEXTS:
        var items: [String] = []
        for _ in 0..<count {
          items.append(try table.take(Int(try table.next(UInt32.self))).text)
        }
        texts[name] = items
      case AGNESI_ENTRY_OTHER: others.append(name)
      default: throw Self.confused
      }
    }
  }

  private static let confused = FormatProblem("the process that read it is confused")

  /// A dataset of the table. In a hostile file datasets may overlap; an array that is changed in place then
  /// changes another, which holds numbers of that file in any case.
  private static func array(
    _ element: agnesi_element, rank: Int, _ table: inout ByteCursor, from bytes: FileBytes,
    _ budget: MemoryBudget
  ) throws(FormatProblem) -> NDArray {
    var shape: [Int] = []
    for _ in 0..<rank { shape.append(Int(clamping: try table.next(UInt64.self))) }
    let place = Int(clamping: try table.next(UInt64.self))
    guard let dtype = dtypes[element.rawValue],
      let size = ByteOrder.byteCount(shape, elementSize: dtype.size), place <= bytes.count,
      size <= bytes.count - place
    else { throw confused }
    if size == 0 { return NDArray(zeros: shape, dtype) }
    let storage = try bytes[place..<(place + size)].storage(for: dtype, budget)
    return try NDArray.stored(dtype, shape, isColumnMajor: false, in: storage, budget)
  }

  private static let dtypes: [UInt32: DType] = [
    AGNESI_ELEMENT_BOOL.rawValue: .bool, AGNESI_ELEMENT_INT8.rawValue: .int8,
    AGNESI_ELEMENT_INT16.rawValue: .int16, AGNESI_ELEMENT_INT32.rawValue: .int32,
    AGNESI_ELEMENT_INT64.rawValue: .int64, AGNESI_ELEMENT_UINT8.rawValue: .uint8,
    AGNESI_ELEMENT_UINT16.rawValue: .uint16, AGNESI_ELEMENT_UINT32.rawValue: .uint32,
    AGNESI_ELEMENT_UINT64.rawValue: .uint64, AGNESI_ELEMENT_FLOAT16.rawValue: .float16,
    AGNESI_ELEMENT_BFLOAT16.rawValue: .bfloat16, AGNESI_ELEMENT_FLOAT32.rawValue: .float32,
    AGNESI_ELEMENT_FLOAT64.rawValue: .float64,
  ]
}
