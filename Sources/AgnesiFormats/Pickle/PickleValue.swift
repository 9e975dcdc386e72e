import AgnesiArrays

/// A value in a pickle. What has parts is a place in a ``PickleHeap``, so values may refer to each other
/// in any way, cycles included, without recursion anywhere.
enum PickleValue {
  case none
  case bool(Bool)
  case integer(Int)
  /// An integer beyond 64 bits, whose value nobody needs.
  case largeInteger
  case float(Double)
  /// UTF-8, in `PickleHeap.strings`.
  case text(Int)
  /// Bytes; in pickles of Python 2 also texts.
  case bytes(Int)
  case list(Int)
  case tuple(Int)
  case dictionary(Int)
  case object(Int)
  case global(PickleGlobal)

  /// What a message calls it.
  var kind: String {
    switch self {
    case .none: "None"
    case .bool: "a bool"
    case .integer, .largeInteger: "an integer"
    case .float: "a float"
    case .text: "a text"
    case .bytes: "bytes"
    case .list: "a list"
    case .tuple: "a tuple"
    case .dictionary: "a dictionary"
    case .object: "an array, dtype, tensor or storage"
    case .global: "a class or function"
    }
  }

  var asInteger: Int? {
    switch self {
    case .integer(let number): number
    case .bool(let flag): flag ? 1 : 0
    default: nil
    }
  }
}

/// Objects that take more than one instruction to make.
enum PickleObject {
  case elementType(NumPyType)
  case array(PickledArray)
  case storage(TorchStorageName)
  case tensor(TorchTensor)
}

/// NumPy's type of elements.
struct NumPyType {
  let dtype: DType
  var isBigEndian: Bool
}

/// A NumPy array: what `ndarray.__setstate__` is given.
struct PickledArray {
  var dtype = DType.float32
  var isBigEndian = false
  var shape: [Int] = []
  var isColumnMajor = false
  /// The elements, in `PickleHeap.strings`; nil before the state is set.
  var elements: Int?
}

/// A storage of PyTorch's, by the key under which its bytes stand elsewhere in the file.
struct TorchStorageName {
  let key: String
  let dtype: DType
  /// Elements that the pickle announces.
  let count: Int
  /// The element at which it starts, where it is a part of the storage of that key.
  let start: Int
}

/// A view of a storage.
struct TorchTensor {
  let storage: TorchStorageName
  let dtype: DType
  let offset: Int
  let shape: [Int]
  let strides: [Int]
}

/// All parts of the values of a pickle.
struct PickleHeap {
  var strings: [FileBytes] = []
  /// Lists and tuples.
  var sequences: [[PickleValue]] = []
  var dictionaries: [[(key: PickleValue, value: PickleValue)]] = []
  var objects: [PickleObject] = []

  mutating func text(_ bytes: FileBytes) -> PickleValue {
    strings.append(bytes)
    return .text(strings.count - 1)
  }

  mutating func bytes(_ bytes: FileBytes) -> PickleValue {
    strings.append(bytes)
    return .bytes(strings.count - 1)
  }

  mutating func list(_ items: [PickleValue]) -> PickleValue {
    sequences.append(items)
    return .list(sequences.count - 1)
  }

  mutating func tuple(_ items: [PickleValue]) -> PickleValue {
    sequences.append(items)
    return .tuple(sequences.count - 1)
  }

  mutating func dictionary(_ items: [(key: PickleValue, value: PickleValue)]) -> PickleValue {
    dictionaries.append(items)
    return .dictionary(dictionaries.count - 1)
  }

  mutating func object(_ object: PickleObject) -> PickleValue {
    objects.append(object)
    return .object(objects.count - 1)
  }

  /// Longer texts are no names. A text may be used again and again, and each use takes time.
  static let longestName = 4096
  /// NumPy has at most so many axes, PyTorch no more.
  static let mostAxes = 64

  /// The name that a value is; Python 2's byte strings count. Nil where it is no text, or a very long
  /// one.
  func string(_ value: PickleValue) -> String? {
    switch value {
    case .text(let index), .bytes(let index):
      strings[index].count <= Self.longestName ? strings[index].text : nil
    default: nil
    }
  }

  /// The items of a list or tuple.
  func items(_ value: PickleValue) -> [PickleValue]? {
    switch value {
    case .list(let index), .tuple(let index): sequences[index]
    default: nil
    }
  }

  /// A tuple or list of sizes, one for each axis.
  func integers(_ value: PickleValue) -> [Int]? {
    guard let items = items(value), items.count <= Self.mostAxes else { return nil }
    let numbers = items.compactMap(\.asInteger)
    return numbers.count == items.count ? numbers : nil
  }
}
