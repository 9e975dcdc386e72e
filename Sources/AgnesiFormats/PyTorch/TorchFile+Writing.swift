import AgnesiArrays

extension TorchFile {
  /// Writes arrays as a state dictionary that `torch.load(path, weights_only=True)` reads. The same
  /// arrays give the same bytes.
  ///
  /// - Throws: `FormatError` where two arrays have one name, or an element type has no storage in
  ///   PyTorch (uint16, uint32 and uint64); `FileError` where the file cannot be written, and then a file
  ///   that was there before is unchanged.
  public static func write(_ arrays: [(name: String, array: NDArray)], to path: String) throws {
    try FormatProblem.naming(path, "a file of PyTorch", .write) {
      let pickle = try stateDictionary(of: arrays)
      try AtomicFile.replace(path) { file in
        var archive = ZipWriter(file)
        try archive.add("archive/data.pkl", pickle)
        try archive.add("archive/byteorder", Array("little".utf8))
        for (index, (_, array)) in arrays.enumerated() {
          try array.contiguous().withUnsafeBytes { bytes in
            try archive.add("archive/data/\(index)", [bytes])
          }
        }
        try archive.add("archive/version", Array("3\n".utf8))
        try archive.finish()
      }
    }
  }

  private static func stateDictionary(
    of arrays: [(name: String, array: NDArray)]
  ) throws(FormatProblem) -> [UInt8] {
    var pickle = PickleWriter()
    pickle.call("collections", "OrderedDict") { _ in }
    pickle.add(.mark)
    var seen: Set<String> = []
    for (index, (name, array)) in arrays.enumerated() {
      let quoted = FormatProblem.quoted(name)
      if !seen.insert(name).inserted { throw FormatProblem("two arrays are called \(quoted)") }
      guard let storage = storageName(of: array.dtype) else {
        throw FormatProblem(
          "array \(quoted) has elements of \(array.dtype), which PyTorch cannot store")
      }
      pickle.add(text: name)
      pickle.call("torch._utils", "_rebuild_tensor_v2") { pickle in
        pickle.tuple { pickle in
          pickle.add(text: "storage")
          pickle.add(global: "torch", storage)
          pickle.add(text: "\(index)")
          pickle.add(text: "cpu")
          pickle.add(integer: array.count)
        }
        pickle.add(.binpersid)
        pickle.add(integer: 0)
        pickle.tuple { pickle in for size in array.shape { pickle.add(integer: size) } }
        let strides = NDArray.rowMajorStrides(array.shape)
        pickle.tuple { pickle in for stride in strides { pickle.add(integer: stride) } }
        pickle.add(.newfalse)
        pickle.call("collections", "OrderedDict") { _ in }
      }
    }
    pickle.add(.setitems)
    pickle.add(.stop)
    return pickle.bytes
  }

  private static func storageName(of dtype: DType) -> String? {
    PickleGlobal.storages.first { $0.value == dtype && $0.key != "UntypedStorage" }?.key
  }
}

/// Writes a pickle of protocol 2.
private struct PickleWriter {
  private(set) var bytes: [UInt8] = [PickleOpcode.proto.rawValue, 2]

  mutating func add(_ opcode: PickleOpcode) { bytes.append(opcode.rawValue) }

  mutating func add(text: String) {
    add(.binunicode)
    bytes += ByteOrder.littleEndian(UInt32(text.utf8.count)) + Array(text.utf8)
  }

  mutating func add(integer: Int) {
    if let narrow = Int32(exactly: integer) {
      add(.binint)
      bytes += ByteOrder.littleEndian(narrow)
    } else {
      add(.long1)
      bytes += [8] + ByteOrder.littleEndian(Int64(integer))
    }
  }

  mutating func add(global module: String, _ name: String) {
    add(.global)
    bytes += Array("\(module)\n\(name)\n".utf8)
  }

  mutating func tuple(_ items: (inout PickleWriter) -> Void) {
    add(.mark)
    items(&self)
    add(.tuple)
  }

  /// The value of a function at some arguments.
  mutating func call(
    _ module: String, _ name: String, _ arguments: (inout PickleWriter) -> Void
  ) {
    add(global: module, name)
    tuple(arguments)
    add(.reduce)
  }
}
