import AgnesiArrays

/// The storages of a PyTorch file: each is made once, and tensors are views of it.
struct TorchStorages {
  /// Where the bytes of a storage are.
  struct Place {
    let bytes: FileBytes
    var isBigEndian = false
  }

  private struct Key: Hashable {
    let name: String
    let dtype: DType
  }

  private struct Elements {
    let storage: ArrayStorage
    let dtype: DType
    let count: Int
  }

  private let budget: MemoryBudget
  private let find: (String) throws -> Place
  private var made: [Key: Elements] = [:]

  /// - Parameter find: where the storage of a key is.
  init(_ budget: MemoryBudget, find: @escaping (String) throws -> Place) {
    self.budget = budget
    self.find = find
  }

  /// A tensor with rows adjacent: a view of the file where its elements are stored so, and of a type
  /// that is computed with. 16-bit floats become float32.
  mutating func array(_ tensor: TorchTensor) throws -> NDArray {
    let elements = try elements(of: tensor.storage, as: tensor.dtype)
    let dtype = elements.dtype
    if tensor.shape.contains(0) { return NDArray(zeros: tensor.shape, dtype) }
    guard let offset = position(tensor, within: elements.count) else {
      let sizes = PickleCall.brief(tensor.shape)
      throw FormatProblem(
        "a tensor of sizes \(sizes) and strides \(PickleCall.brief(tensor.strides)) from element "
          + "\(tensor.offset) leaves its storage of \(elements.count) elements")
    }
    let view = NDArray(
      dtype: dtype, shape: tensor.shape, strides: tensor.strides, offset: offset,
      storage: elements.storage)
    return try view.rowMajor(budget)
  }

  /// Where the first element lies; nil where the last one lies outside of the storage.
  private func position(_ tensor: TorchTensor, within count: Int) -> Int? {
    let (first, startOverflows) = tensor.storage.start.addingReportingOverflow(tensor.offset)
    if startOverflows { return nil }
    var last = first
    for (size, stride) in zip(tensor.shape, tensor.strides) {
      let (extent, overflows) = (size - 1).multipliedReportingOverflow(by: stride)
      let (sum, sumOverflows) = last.addingReportingOverflow(extent)
      if overflows || sumOverflows { return nil }
      last = sum
    }
    return last < count ? first : nil
  }

  private mutating func elements(
    of name: TorchStorageName, as dtype: DType
  ) throws -> Elements {
    let key = Key(name: name.key, dtype: dtype)
    if let known = made[key] { return known }
    let place = try find(name.key)
    let needed = ByteOrder.byteCount([name.count], elementSize: name.dtype.size)
    guard let needed, needed <= place.bytes.count || name.start > 0 else {
      throw FormatProblem(
        "storage \(FormatProblem.quoted(name.key)) has \(place.bytes.count) bytes, "
          + "\(name.count) elements of \(name.dtype) are announced")
    }
    let stored = try place.bytes.storage(for: dtype, isBigEndian: place.isBigEndian, budget)
    let count = stored.byteCount / dtype.size
    let isHalf = dtype == .float16 || dtype == .bfloat16
    let result = Elements(
      storage: isHalf ? try widened(stored, dtype, count: count) : stored,
      dtype: isHalf ? .float32 : dtype, count: count)
    made[key] = result
    return result
  }

  private func widened(
    _ storage: ArrayStorage, _ dtype: DType, count: Int
  ) throws(FormatProblem) -> ArrayStorage {
    try budget.charge(count * 4, for: "float32 in the place of \(dtype)")
    let result = ArrayStorage(uninitialized: count * 4)
    let source = storage.base.assumingMemoryBound(to: UInt16.self)
    let target = result.base.assumingMemoryBound(to: Float.self)
    for index in 0..<count {
      let bits = source[index]
      target[index] =
        dtype == .float16
        ? HalfPrecision.float(fromFloat16: bits) : Float(bitPattern: UInt32(bits) << 16)
    }
    return result
  }
}
