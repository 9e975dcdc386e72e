import AgnesiArrays

/// What a pickle holds by name: arrays and texts, found by walking its dictionaries and lists.
struct PickleContents {
  /// An array or tensor, and the dictionary or list that holds it.
  struct Item {
    /// The keys that lead to what holds it.
    let parent: [String]
    /// Its own key, or its number in a list.
    let name: String
    /// Its place in the heap's objects.
    let object: Int

    var path: String { (parent + [name]).joined(separator: "/") }
  }

  private(set) var items: [Item] = []
  /// Lists of numbers, as arrays.
  private(set) var numbers: [(name: String, array: NDArray)] = []
  /// Texts and single numbers; lists of texts as such.
  private(set) var texts: [String: [String]] = [:]

  private let heap: PickleHeap
  private let budget: MemoryBudget
  private var steps = 0

  /// The name of what stands alone in its file.
  static let loneName = "array"
  /// Deeper ones are no weights; a dictionary that holds itself would have no end.
  private static let deepest = 32
  /// The same list may be reached on many ways, whose number can double with each level.
  private static let mostSteps = 1 << 20

  init(_ value: PickleValue, _ heap: PickleHeap, _ budget: MemoryBudget) throws(FormatProblem) {
    self.heap = heap
    self.budget = budget
    try visit(value, parent: [], name: nil)
  }

  private mutating func visit(
    _ value: PickleValue, parent: [String], name: String?
  ) throws(FormatProblem) {
    steps += 1
    if steps > Self.mostSteps {
      throw FormatProblem("its lists and dictionaries have more than \(Self.mostSteps) items")
    }
    let path = parent + (name.map { [$0] } ?? [])
    if path.count > Self.deepest {
      throw FormatProblem("its lists and dictionaries nest more than \(Self.deepest) levels deep")
    }
    switch value {
    case .dictionary(let index):
      for entry in heap.dictionaries[index] {
        guard let key = try key(entry.key) else { continue }
        try visit(entry.value, parent: path, name: key)
      }
    case .list(let index), .tuple(let index): try visit(heap.sequences[index], at: path)
    case .object(let index):
      if case .elementType = heap.objects[index] { return }
      if case .storage = heap.objects[index] { return }
      items.append(Item(parent: parent, name: name ?? Self.loneName, object: index))
    case .text, .bytes, .integer, .float, .bool:
      guard let text = try text(value) else { return }
      texts[path.joined(separator: "/")] = [text]
    case .none, .largeInteger, .global: return
    }
  }

  /// Lists of texts and of numbers are one thing; others are their items, by number.
  private mutating func visit(_ list: [PickleValue], at path: [String]) throws(FormatProblem) {
    if list.isEmpty { return }
    let name = path.isEmpty ? Self.loneName : path.joined(separator: "/")
    steps += list.count
    if list.allSatisfy({ $0.isText }) {
      var result: [String] = []
      for item in list { result.append(try text(item) ?? "") }
      texts[name] = result
    } else if list.allSatisfy({ $0.asDouble != nil }) {
      try budget.charge(list.count * 8, for: "a list of numbers")
      numbers.append((name, numberArray(list)))
    } else {
      for (index, item) in list.enumerated() {
        try visit(item, parent: path, name: String(index))
      }
    }
  }

  private func numberArray(_ list: [PickleValue]) -> NDArray {
    let integers = list.compactMap(\.asInteger)
    if integers.count == list.count { return NDArray(integers) }
    return NDArray(list.compactMap(\.asDouble))
  }

  private func key(_ value: PickleValue) throws(FormatProblem) -> String? {
    if value.isText, heap.string(value) == nil {
      throw FormatProblem("a key is longer than \(PickleHeap.longestName) bytes")
    }
    return heap.string(value) ?? value.asInteger.map(String.init)
  }

  private func text(_ value: PickleValue) throws(FormatProblem) -> String? {
    switch value {
    case .text(let index), .bytes(let index):
      try budget.charge(heap.strings[index].count + 16, for: "a text")
      return heap.strings[index].text
    case .bool(let flag): return "\(flag)"
    case .integer(let number): return "\(number)"
    case .float(let number): return "\(number)"
    default: return nil
    }
  }
}

extension PickleValue {
  fileprivate var isText: Bool {
    switch self {
    case .text, .bytes: true
    default: false
    }
  }

  fileprivate var asDouble: Double? {
    if case .float(let number) = self { return number }
    return asInteger.map(Double.init)
  }
}

/// Makes NumPy's arrays of a pickle; each once, however often it is named.
struct PickledArrays {
  private let budget: MemoryBudget
  private var made: [Int: NDArray] = [:]
  /// Bytes that two arrays share.
  private var storages: [StorageKey: ArrayStorage] = [:]

  private struct StorageKey: Hashable {
    let elements: Int
    let dtype: DType
    let isBigEndian: Bool
  }

  init(_ budget: MemoryBudget) { self.budget = budget }

  /// The array at `index` of the heap's objects.
  mutating func array(
    _ array: PickledArray, at index: Int, _ heap: PickleHeap
  ) throws(FormatProblem) -> NDArray {
    if let known = made[index] { return known }
    guard let elements = array.elements else {
      throw FormatProblem("an array has no elements: its state is never set")
    }
    let key = StorageKey(
      elements: elements, dtype: array.dtype, isBigEndian: array.isBigEndian)
    let storage = try storage(key, heap)
    let result = try NDArray.stored(
      array.dtype, array.shape, isColumnMajor: array.isColumnMajor, in: storage, budget)
    made[index] = result
    return result
  }

  private mutating func storage(
    _ key: StorageKey, _ heap: PickleHeap
  ) throws(FormatProblem) -> ArrayStorage {
    if let known = storages[key] { return known }
    let result = try heap.strings[key.elements].storage(
      for: key.dtype, isBigEndian: key.isBigEndian, budget)
    storages[key] = result
    return result
  }
}

extension NDArray {
  /// The array whose elements fill `storage`, in row-major order or in that of Fortran.
  static func stored(
    _ dtype: DType, _ shape: [Int], isColumnMajor: Bool, in storage: ArrayStorage,
    _ budget: MemoryBudget
  ) throws(FormatProblem) -> NDArray {
    let sizes = isColumnMajor ? shape.reversed() : shape
    let array = NDArray(
      dtype: dtype, shape: sizes, strides: rowMajorStrides(sizes), offset: 0, storage: storage)
    if !isColumnMajor { return array }
    return try array.transposed().rowMajor(budget)
  }

  /// The array with rows adjacent; where that takes a copy, it is charged.
  func rowMajor(_ budget: MemoryBudget) throws(FormatProblem) -> NDArray {
    if isContiguous { return self }
    try budget.charge(byteCount, for: "a copy of \(dtype)\(shape) in row-major order")
    return contiguous()
  }
}
