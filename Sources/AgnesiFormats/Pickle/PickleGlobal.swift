import AgnesiArrays

/// The functions and classes that a pickle may name. None of them runs anything from the file: each
/// stands for data of a known form.
enum PickleGlobal: Equatable {
  /// `collections.OrderedDict`
  case orderedDictionary
  /// `_codecs.encode`, by which Python 3 writes bytes in protocols of Python 2.
  case encode
  /// NumPy's `_reconstruct`, `ndarray`, `dtype`, `scalar` and `_frombuffer`.
  case reconstruct, ndarray, dtype, scalar, fromBuffer
  /// PyTorch's tensors, and the parameters around them.
  case rebuildTensor, rebuildTensorV3, rebuildParameter
  /// `torch.Size`, a tuple; `torch.device`, a word.
  case size, device
  /// A storage of PyTorch's, such as `torch.FloatStorage`; of bytes where it is `UntypedStorage`.
  case storage(DType)
  /// `torch.float32` and the like.
  case torchType(DType)

  /// What a module's name stands for; nil for everything that is not read.
  init?(module: String, name: String) {
    switch module {
    case "torch", "torch.storage":
      self.init(torch: name)
    case "torch._utils":
      guard let global = Self.torchFunctions[name] else { return nil }
      self = global
    default:
      guard let global = Self.others["\(module).\(name)"] else { return nil }
      self = global
    }
  }

  private init?(torch name: String) {
    if name == "Size" {
      self = .size
    } else if name == "device" {
      self = .device
    } else if let dtype = Self.storages[name] {
      self = .storage(dtype)
    } else if let dtype = Self.torchTypes[name] {
      self = .torchType(dtype)
    } else {
      return nil
    }
  }

  private static let torchFunctions: [String: PickleGlobal] = [
    "_rebuild_tensor": .rebuildTensor, "_rebuild_tensor_v2": .rebuildTensor,
    "_rebuild_tensor_v3": .rebuildTensorV3, "_rebuild_parameter": .rebuildParameter,
  ]

  private static let others: [String: PickleGlobal] = [
    "collections.OrderedDict": .orderedDictionary, "_codecs.encode": .encode,
    "numpy.ndarray": .ndarray, "numpy.dtype": .dtype,
    "numpy.core.multiarray._reconstruct": .reconstruct,
    "numpy._core.multiarray._reconstruct": .reconstruct,
    "numpy.core.multiarray.scalar": .scalar, "numpy._core.multiarray.scalar": .scalar,
    "numpy.core.numeric._frombuffer": .fromBuffer, "numpy._core.numeric._frombuffer": .fromBuffer,
  ]

  /// PyTorch's names of storages.
  static let storages: [String: DType] = [
    "FloatStorage": .float32, "DoubleStorage": .float64, "HalfStorage": .float16,
    "BFloat16Storage": .bfloat16, "LongStorage": .int64, "IntStorage": .int32,
    "ShortStorage": .int16, "CharStorage": .int8, "ByteStorage": .uint8, "BoolStorage": .bool,
    "UntypedStorage": .uint8,
  ]

  private static let torchTypes: [String: DType] = [
    "float32": .float32, "float64": .float64, "float16": .float16, "bfloat16": .bfloat16,
    "int64": .int64, "int32": .int32, "int16": .int16, "int8": .int8, "uint64": .uint64,
    "uint32": .uint32, "uint16": .uint16, "uint8": .uint8, "bool": .bool,
  ]
}
