import AgnesiArrays

/// Files of `torch.save`: since PyTorch 1.6 a zip archive, before that a row of pickles and raw storages.
///
/// What is read is the state dictionary, which a checkpoint has beside an optimiser's state and other
/// things: ``WeightFile/init(reading:key:fit:)`` says how it is found. Its keys are the names. The paths
/// of other tensors are listed under ``WeightFile/otherArrays``.
public enum TorchFile {
  /// Reads an archive with a `data.pkl`.
  static func contents(
    of archive: ZipArchive, _ choice: WeightDictionaryChoice, _ budget: MemoryBudget
  ) throws -> WeightContents {
    guard let pickle = archive.members.first(where: { isPickle($0.name) }) else {
      throw FormatProblem("it has no data.pkl")
    }
    let folder = String(pickle.name.dropLast("data.pkl".count))
    var isBigEndian = false
    if let order = archive[folder + "byteorder"] {
      isBigEndian = try archive.content(of: order, budget).text == "big"
    }
    var reader = PickleReader(
      try archive.content(of: pickle, budget), allowsStorages: true, budget)
    let value = try naming(pickle.name) { () throws(FormatProblem) in try reader.read() }
    let storages = TorchStorages(budget) { key in
      guard let member = archive[folder + "data/" + key] else {
        throw FormatProblem("its storage \(FormatProblem.quoted(key)) is missing")
      }
      return .init(bytes: try archive.content(of: member, budget), isBigEndian: isBigEndian)
    }
    return try contents(value, reader.heap, storages, choice, budget)
  }

  /// Whether a member of an archive is the pickle of a PyTorch file.
  static func isPickle(_ name: String) -> Bool {
    name == "data.pkl" || (name.hasSuffix("/data.pkl") && name.count { $0 == "/" } == 1)
  }

  /// The start of the older form: a pickle of a number, 0x1950a86a20f9469cfc6c.
  static func isLegacy(_ bytes: FileBytes) -> Bool {
    bytes.count > 15 && bytes[2..<15].starts(with: magic)
  }

  private static let magic: [UInt8] = [
    0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e,
  ]

  /// Reads the older form: pickles of the magic number, the version, the writer's machine, the value and
  /// the keys of its storages, then for each key the number of its elements and these.
  static func legacyContents(
    of bytes: FileBytes, _ choice: WeightDictionaryChoice, _ budget: MemoryBudget
  ) throws -> WeightContents {
    var end = 15
    let version = try next(bytes, &end, budget).value.asInteger
    guard version == 1001 else {
      throw FormatProblem("the version of its form is \(version ?? 0), known is 1001")
    }
    let system = try next(bytes, &end, budget)
    if isBigEndian(system.value, system.heap) {
      throw FormatProblem("it was written on a machine with the large byte first")
    }
    let (value, heap) = try next(bytes, &end, budget)
    let keys = try next(bytes, &end, budget)
    let places = try legacyPlaces(keys, bytes, &end, elementSizes: elementSizes(heap))
    let storages = TorchStorages(budget) { key in
      if let place = places[key] { return .init(bytes: place) }
      throw FormatProblem("its storage \(FormatProblem.quoted(key)) is missing")
    }
    return try contents(value, heap, storages, choice, budget)
  }

  private static func next(
    _ bytes: FileBytes, _ position: inout Int, _ budget: MemoryBudget
  ) throws(FormatProblem) -> (value: PickleValue, heap: PickleHeap) {
    var reader = PickleReader(bytes, at: position, allowsStorages: true, budget)
    let value = try reader.read()
    position = reader.position
    return (value, reader.heap)
  }

  private static func isBigEndian(_ value: PickleValue, _ heap: PickleHeap) -> Bool {
    guard case .dictionary(let index) = value else { return false }
    return heap.dictionaries[index].contains { entry in
      guard heap.string(entry.key) == "little_endian", case .bool(false) = entry.value else {
        return false
      }
      return true
    }
  }

  private static func elementSizes(_ heap: PickleHeap) -> [String: Int] {
    var sizes: [String: Int] = [:]
    for case .storage(let storage) in heap.objects { sizes[storage.key] = storage.dtype.size }
    return sizes
  }

  private static func legacyPlaces(
    _ keys: (value: PickleValue, heap: PickleHeap), _ bytes: FileBytes, _ position: inout Int,
    elementSizes: [String: Int]
  ) throws(FormatProblem) -> [String: FileBytes] {
    guard let items = keys.heap.items(keys.value) else {
      throw FormatProblem("the keys of its storages are no list")
    }
    var cursor = ByteCursor(bytes, at: position)
    var places: [String: FileBytes] = [:]
    for item in items {
      guard let key = keys.heap.string(item), let size = elementSizes[key] else {
        throw FormatProblem("it has a storage that no tensor uses")
      }
      let count = try cursor.next(Int64.self)
      let (byteCount, overflows) = Int(count).multipliedReportingOverflow(by: size)
      guard !overflows, byteCount >= 0, byteCount <= cursor.remaining else {
        throw FormatProblem(
          "storage \(FormatProblem.quoted(key)) would have \(count) elements of \(size) bytes, "
            + "\(cursor.remaining) bytes are left")
      }
      places[key] = try cursor.take(byteCount)
    }
    position = cursor.position
    return places
  }

  // MARK: Names

  private static func contents(
    _ value: PickleValue, _ heap: PickleHeap, _ storages: TorchStorages,
    _ choice: WeightDictionaryChoice, _ budget: MemoryBudget
  ) throws -> WeightContents {
    let contents = try PickleContents(value, heap, budget)
    var storages = storages
    var arrays = PickledArrays(budget)
    var result = WeightContents(texts: contents.texts)
    let chosen = try choice.chosen(among: contents.items) { shape(of: $0, heap) }
    for (name, item) in chosen {
      switch heap.objects[item.object] {
      case .tensor(let tensor):
        result.set(name, try naming("tensor \(name)") { try storages.array(tensor) })
      case .array(let array):
        result.set(name, try arrays.array(array, at: item.object, heap))
      case .storage, .elementType: continue
      }
    }
    let paths = Set(chosen.map(\.item.path))
    let others = contents.items.map(\.path).filter { !paths.contains($0) }
    if !others.isEmpty { result.texts[WeightFile.otherArrays] = others }
    return result
  }

  private static func shape(of item: PickleContents.Item, _ heap: PickleHeap) -> [Int]? {
    switch heap.objects[item.object] {
    case .tensor(let tensor): tensor.shape
    case .array(let array): array.shape
    case .storage, .elementType: nil
    }
  }

  private static func naming<Result>(
    _ part: String, _ body: () throws -> Result
  ) throws -> Result {
    do {
      return try body()
    } catch let problem as FormatProblem {
      throw FormatProblem("\(FormatProblem.quoted(part)): \(problem)")
    }
  }
}
