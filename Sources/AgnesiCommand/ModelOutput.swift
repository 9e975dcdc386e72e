import Agnesi
import Foundation

/// Where a command saves a model.
enum ModelOutput {
  /// What the names of files of other formats end in.
  private static let others: Set<String> = [
    "onnx", "pth", "pt", "h5", "keras", "npz", "npy", "caffemodel", "pkl", "html", "json",
  ]

  /// A model is saved as safetensors, whatever its file is called; under the name of another format nothing
  /// would read it.
  static func check(_ path: String, of command: String) throws {
    let end = (path as NSString).pathExtension.lowercased()
    guard others.contains(end) else { return }
    let better = (path as NSString).deletingPathExtension + ".safetensors"
    let hint =
      end == "onnx"
      ? "--output \(better), then agnesi export \(better) \(path)" : "--output \(better)"
    throw CommandFailure(
      message: "\(command): models are saved as safetensors, not as \(path)\n  hint: \(hint)")
  }
}
