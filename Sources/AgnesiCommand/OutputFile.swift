import Agnesi
import Foundation

/// What a command writes.
struct OutputFile {
  /// What stands in a file: what may lie at its place already.
  enum Kind {
    case model, page, trace, onnx
    /// Which of several formats is not looked at.
    case picture

    var text: String {
      switch self {
      case .model: "model"
      case .page: "page"
      case .trace: "trace"
      case .onnx: "ONNX file"
      case .picture: "picture"
      }
    }

    /// Whether a file that begins like this is one of the kind.
    func fits(_ beginning: [UInt8]) -> Bool {
      switch self {
      case .model: beginning.count > 8 && beginning[8] == UInt8(ascii: "{")
      case .page: beginning.starts(with: Array("<!DOCTYPE html".utf8))
      case .trace: beginning.first == UInt8(ascii: "{") || beginning.first == UInt8(ascii: "[")
      case .onnx: beginning.first == 0x08 || beginning.first == 0x3A
      case .picture: true
      }
    }
  }

  let option: String
  let path: String
  let kind: Kind

  /// Refuses what would destroy something: two results in one file, a result in the place of what is read,
  /// and one in the place of a file that no such result is. Then whether all can be written.
  ///
  /// - Parameter inputs: files that the command reads.
  static func check(_ outputs: [OutputFile], reading inputs: [String] = [], of command: String)
    throws
  {
    for (index, output) in outputs.enumerated() {
      func refuse(_ reason: String) throws {
        throw CommandFailure(
          message: "\(command): \(output.option) \(output.path) \(reason)"
            + "\n  hint: give it another name")
      }
      if let other = outputs[..<index].first(where: { $0.realPath == output.realPath }) {
        try refuse("is the file of \(other.option), too")
      }
      if inputs.contains(where: { realPath(of: $0) == output.realPath }) {
        try refuse("is what the command reads")
      }
      let beginning = Self.beginning(of: output.path)
      if !beginning.isEmpty, !output.kind.fits(beginning) {
        try refuse("is there already, and is no \(output.kind.text)")
      }
      try Trainer.checkWritable(output.path)
    }
  }

  private var realPath: String { Self.realPath(of: path) }

  private static func realPath(of path: String) -> String {
    URL(fileURLWithPath: path).standardizedFileURL.resolvingSymlinksInPath().path
  }

  /// The first bytes; none where there is no ordinary file, which writing finds out.
  private static func beginning(of path: String) -> [UInt8] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue,
      let file = FileHandle(forReadingAtPath: path)
    else { return [] }
    defer { try? file.close() }
    return Array((try? file.read(upToCount: 16)) ?? Data())
  }
}

/// Where a command saves a model.
enum ModelOutput {
  /// What the names of files of other formats end in.
  private static let others: Set<String> = [
    "onnx", "pth", "pt", "h5", "keras", "npz", "npy", "caffemodel", "pkl", "html", "json",
  ]

  /// Refuses what can only mean a file that is not there, and would be told as a mistake in the notation of
  /// networks.
  static func checkNoPath(_ network: String, of command: String) throws {
    let end = (network as NSString).pathExtension.lowercased()
    guard network.contains("/") || end == "safetensors" || others.contains(end) else { return }
    throw CommandFailure(message: "\(command): there is no file \(network)")
  }

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
