import AgnesiArrays
import Foundation

/// A checkpoint as `torch.save` wrote it before version 1.6: dictionaries of tensors, texts and numbers,
/// nested in any way.
public indirect enum TorchCheckpoint: Sendable {
  /// A tensor of float32.
  case tensor(NDArray)
  /// A text.
  case text(String)
  /// A whole number.
  case number(Int)
  /// A list, whose items have numbers for keys.
  case list([TorchCheckpoint])
  /// A dictionary, in its order.
  case dictionary([(key: String, value: TorchCheckpoint)])

  /// A dictionary of tensors.
  public static func tensors(_ arrays: [(name: String, array: NDArray)]) -> TorchCheckpoint {
    .dictionary(arrays.map { (key: $0.name, value: .tensor($0.array)) })
  }

  /// The state of Adam after some steps, for parameters of these shapes: three tensors for each.
  public static func adam(_ shapes: [[Int]]) -> TorchCheckpoint {
    let states = shapes.map { shape in
      TorchCheckpoint.tensors([
        ("step", NDArray(scalar: Float(7))), ("exp_avg", NDArray(zeros: shape)),
        ("exp_avg_sq", NDArray(zeros: shape)),
      ])
    }
    let numbered = states.enumerated().map { (key: String($0), value: $1) }
    let group = TorchCheckpoint.dictionary([("lr", .text("0.1"))])
    return .dictionary([("state", .dictionary(numbered)), ("param_groups", .list([group]))])
  }

  /// The file's bytes.
  public var bytes: [UInt8] {
    var storages: [NDArray] = []
    let value = pickled(&storages)
    let keys = "(" + storages.indices.map { "S'\($0)'\n" }.joined() + "l."
    var result: [UInt8] = [0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8]
    result += [0x50, 0x19, 0x2e] + Array("I1001\n.(d.\(value).\(keys)".utf8)
    for storage in storages {
      withUnsafeBytes(of: Int64(storage.count).littleEndian) { result += Array($0) }
      storage.withUnsafeBytes { result += Array($0) }
    }
    return result
  }

  private func pickled(_ storages: inout [NDArray]) -> String {
    switch self {
    case .text(let text): return "S'\(text)'\n"
    case .number(let number): return "I\(number)\n"
    case .list(let items): return "(" + items.map { $0.pickled(&storages) }.joined() + "l"
    case .dictionary(let entries):
      let items = entries.map { "S'\($0.key)'\n" + $0.value.pickled(&storages) }
      return "(" + items.joined() + "d"
    case .tensor(let array):
      let storage = array.cast(to: .float32).contiguous()
      let name =
        "(S'storage'\nctorch\nFloatStorage\nS'\(storages.count)'\nS'cpu'\nI\(storage.count)\ntQ"
      storages.append(storage)
      func tuple(_ numbers: [Int]) -> String {
        "(" + numbers.map { "I\($0)\n" }.joined() + "t"
      }
      let strides = NDArray.rowMajorStrides(storage.shape)
      return "ctorch._utils\n_rebuild_tensor_v2\n(\(name)I0\n\(tuple(storage.shape))"
        + "\(tuple(strides))I00\nNtR"
    }
  }
}
