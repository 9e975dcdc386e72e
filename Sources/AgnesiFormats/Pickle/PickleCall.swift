import AgnesiArrays

/// What the few functions that a pickle may name make of their arguments.
struct PickleCall {
  let budget: MemoryBudget

  /// The value of `function(*arguments)`.
  func result(
    of function: PickleValue, _ arguments: PickleValue, _ heap: inout PickleHeap
  ) throws(FormatProblem) -> PickleValue {
    guard case .global(let global) = function else {
      throw FormatProblem("it calls \(function.kind)")
    }
    guard case .tuple(let index) = arguments else {
      throw FormatProblem("it calls a function with \(arguments.kind)")
    }
    let items = heap.sequences[index]
    switch global {
    case .orderedDictionary: return try orderedDictionary(items, &heap)
    case .encode: return try encoded(items, &heap)
    case .reconstruct: return heap.object(.array(PickledArray()))
    case .dtype: return heap.object(.elementType(try elementType(items, heap)))
    case .scalar: return try scalar(items, &heap)
    case .fromBuffer: return try fromBuffer(items, &heap)
    case .rebuildTensor: return try tensor(items, &heap)
    case .rebuildTensorV3: return try typedTensor(items, &heap)
    case .rebuildParameter:
      guard let data = items.first else { throw malformed("a parameter") }
      return data
    case .size:
      guard let first = items.first else { return heap.tuple([]) }
      return first
    case .device: return .none
    case .ndarray, .storage, .torchType:
      throw FormatProblem("it calls a type, which makes nothing that is read")
    }
  }

  /// What `object.__setstate__(state)` does.
  func setState(
    _ state: PickleValue, of value: PickleValue, _ heap: inout PickleHeap
  ) throws(FormatProblem) {
    switch value {
    // PyTorch hangs the versions of modules onto the dictionaries of their weights.
    case .dictionary: return
    case .object(let index):
      switch heap.objects[index] {
      case .array:
        heap.objects[index] = .array(try arrayState(state, heap))
        return
      case .elementType(var type):
        guard let items = heap.items(state), items.count > 1, let order = heap.string(items[1])
        else { throw malformed("a dtype") }
        type.isBigEndian = order == ">"
        heap.objects[index] = .elementType(type)
        return
      case .storage, .tensor: break
      }
    default: break
    }
    throw FormatProblem("it sets the state of \(value.kind)")
  }

  private func malformed(_ what: String) -> FormatProblem {
    FormatProblem("\(what) is made of other parts than usual")
  }

  // MARK: Python's own

  private func orderedDictionary(
    _ items: [PickleValue], _ heap: inout PickleHeap
  ) throws(FormatProblem) -> PickleValue {
    guard let list = items.first else { return heap.dictionary([]) }
    // Python 2 lists the pairs here.
    var pairs: [(key: PickleValue, value: PickleValue)] = []
    let rows = heap.items(list) ?? []
    try budget.charge(rows.count * 32, for: "a dictionary")
    for row in rows {
      guard let pair = heap.items(row), pair.count == 2 else {
        throw malformed("a dictionary")
      }
      pairs.append((pair[0], pair[1]))
    }
    return heap.dictionary(pairs)
  }

  /// Bytes that were written as text.
  private func encoded(
    _ items: [PickleValue], _ heap: inout PickleHeap
  ) throws(FormatProblem) -> PickleValue {
    guard items.count == 2, case .text(let index) = items[0], let name = heap.string(items[1]),
      ["latin1", "latin-1", "iso-8859-1"].contains(name)
    else { throw FormatProblem("it encodes other than texts as Latin-1") }
    let source = heap.strings[index]
    try budget.charge(source.count, for: "bytes in the form of a text")
    let target = ArrayStorage(uninitialized: source.count)
    let bytes = target.bytes
    var (count, position) = (0, 0)
    // Latin-1's upper half begins with C2 or C3 in UTF-8.
    while position < source.count {
      let byte = source.buffer[position]
      position += 1
      if byte < 0x80 {
        bytes[count] = byte
      } else {
        guard byte & 0xfe == 0xc2, position < source.count else {
          throw FormatProblem("a text that stands for bytes holds other characters")
        }
        bytes[count] = byte << 6 | source.buffer[position] & 0x3f
        position += 1
      }
      count += 1
    }
    return heap.bytes(FileBytes(target)[0..<count])
  }

  // MARK: NumPy

  private func elementType(
    _ items: [PickleValue], _ heap: PickleHeap
  ) throws(FormatProblem) -> NumPyType {
    guard let first = items.first, let name = heap.string(first) else {
      throw malformed("a dtype")
    }
    if let type = NPYFile.elementType(name) {
      return NumPyType(dtype: type.dtype, isBigEndian: type.isBigEndian)
    }
    throw FormatProblem(
      "its arrays are of NumPy's type \(FormatProblem.quoted(name)), which has no dtype here")
  }

  private func type(of value: PickleValue, _ heap: PickleHeap) -> NumPyType? {
    guard case .object(let index) = value, case .elementType(let type) = heap.objects[index] else {
      return nil
    }
    return type
  }

  /// (version, shape, dtype, whether columns are adjacent, elements)
  private func arrayState(
    _ state: PickleValue, _ heap: PickleHeap
  ) throws(FormatProblem) -> PickledArray {
    guard let items = heap.items(state), items.count == 5, let shape = heap.integers(items[1]),
      let type = type(of: items[2], heap), case .bool(let isColumnMajor) = flag(items[3]),
      case .bytes(let elements) = items[4]
    else { throw malformed("an array") }
    return try checked(
      PickledArray(
        dtype: type.dtype, isBigEndian: type.isBigEndian, shape: shape,
        isColumnMajor: isColumnMajor, elements: elements), heap)
  }

  /// Python 2 wrote some flags as integers.
  private func flag(_ value: PickleValue) -> PickleValue {
    value.asInteger.map { .bool($0 != 0) } ?? value
  }

  private func checked(
    _ array: PickledArray, _ heap: PickleHeap
  ) throws(FormatProblem) -> PickledArray {
    let needed = ByteOrder.byteCount(array.shape, elementSize: array.dtype.size)
    let count = array.elements.map { heap.strings[$0].count } ?? 0
    guard array.shape.allSatisfy({ $0 >= 0 }),
      needed == count
    else {
      throw FormatProblem(
        "an array \(array.dtype)\(Self.brief(array.shape)) would lie in \(count) bytes")
    }
    return array
  }

  private func scalar(
    _ items: [PickleValue], _ heap: inout PickleHeap
  ) throws(FormatProblem) -> PickleValue {
    guard items.count == 2, let type = type(of: items[0], heap), case .bytes(let element) = items[1]
    else { throw malformed("a number of NumPy's") }
    let array = PickledArray(
      dtype: type.dtype, isBigEndian: type.isBigEndian, elements: element)
    return heap.object(.array(try checked(array, heap)))
  }

  /// (elements, dtype, shape, "C" or "F")
  private func fromBuffer(
    _ items: [PickleValue], _ heap: inout PickleHeap
  ) throws(FormatProblem) -> PickleValue {
    guard items.count == 4, case .bytes(let elements) = items[0],
      let type = type(of: items[1], heap), let shape = heap.integers(items[2]),
      let order = heap.string(items[3])
    else { throw malformed("an array") }
    let array = PickledArray(
      dtype: type.dtype, isBigEndian: type.isBigEndian, shape: shape, isColumnMajor: order == "F",
      elements: elements)
    return heap.object(.array(try checked(array, heap)))
  }

  // MARK: PyTorch

  /// ("storage", type, key, device, elements), and in the older form what part of another storage it is.
  func storage(
    _ name: PickleValue, _ heap: inout PickleHeap
  ) throws(FormatProblem) -> PickleValue {
    guard let items = heap.items(name), 5...6 ~= items.count, heap.string(items[0]) == "storage",
      case .global(.storage(let dtype)) = items[1], let key = heap.string(items[2]),
      let count = items[4].asInteger, count >= 0
    else { throw malformed("a storage") }
    var start = 0
    if items.count == 6, let view = heap.items(items[5]) {
      guard view.count == 3, let offset = view[1].asInteger, offset >= 0 else {
        throw malformed("a part of a storage")
      }
      start = offset
    }
    return heap.object(.storage(.init(key: key, dtype: dtype, count: count, start: start)))
  }

  /// (storage, offset, sizes, strides, …)
  private func tensor(
    _ items: [PickleValue], _ heap: inout PickleHeap, as dtype: DType? = nil
  ) throws(FormatProblem) -> PickleValue {
    guard items.count >= 4, case .object(let index) = items[0],
      case .storage(let storage) = heap.objects[index], let offset = items[1].asInteger,
      let shape = heap.integers(items[2]), let strides = heap.integers(items[3]),
      shape.count == strides.count
    else { throw malformed("a tensor") }
    let type = dtype ?? storage.dtype
    guard offset >= 0, (shape + strides).allSatisfy({ $0 >= 0 }),
      ByteOrder.byteCount(shape, elementSize: type.size) != nil
    else {
      throw FormatProblem(
        "a tensor has the sizes \(Self.brief(shape)), strides \(Self.brief(strides)) and begins at "
          + "element \(offset)")
    }
    return heap.object(
      .tensor(
        TorchTensor(
          storage: storage, dtype: type, offset: offset, shape: shape, strides: strides)))
  }

  /// (storage, offset, sizes, strides, requires_grad, hooks, dtype, …); the storage is one of bytes.
  private func typedTensor(
    _ items: [PickleValue], _ heap: inout PickleHeap
  ) throws(FormatProblem) -> PickleValue {
    guard items.count >= 7, case .global(.torchType(let dtype)) = items[6] else {
      throw malformed("a tensor")
    }
    return try tensor(items, &heap, as: dtype)
  }

  /// Sizes for a message, cut where there are many.
  static func brief(_ sizes: [Int]) -> String {
    sizes.count <= 8 ? "\(sizes)" : "\(sizes.prefix(8)) and \(sizes.count - 8) more"
  }
}
