import Agnesi
import Foundation

/// What a command writes.
struct OutputFile {
  /// What stands in a file: what may lie at its place already.
  enum Kind {
    case model, page, trace, onnx
    /// PNG or JPEG: which of them is not looked at.
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
      case .picture:
        beginning.starts(with: [0x89, 0x50, 0x4E, 0x47]) || beginning.starts(with: [0xFF, 0xD8])
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
    try refuseLosses(outputs, reading: inputs, of: command, hint: "give it another name")
    for output in outputs { try Trainer.checkWritable(output.path) }
  }

  /// The same for files in a folder of results, which is made where it is missing.
  ///
  /// - Parameters:
  ///   - files: the names of the files in the folder, and what stands in them.
  ///   - inputs: files that the command reads.
  static func checkFolder(
    _ folder: String, option: String, files: [(name: String, kind: Kind)],
    reading inputs: [String], of command: String
  ) throws {
    let outputs = files.map { file in
      OutputFile(option: option, path: "\(folder)/\(file.name)", kind: file.kind)
    }
    try refuseLosses(outputs, reading: inputs, of: command, hint: "name another folder")
    try Folders.make(folder)
    // Whether one can be written tells of all.
    if let last = outputs.last { try Trainer.checkWritable(last.path) }
  }

  private static func refuseLosses(
    _ outputs: [OutputFile], reading inputs: [String], of command: String, hint: String
  ) throws {
    let read = Set(inputs.map { realPath(of: $0) })
    var taken: [String: String] = [:]
    for output in outputs {
      func refuse(_ reason: String) throws {
        throw CommandFailure(
          message: "\(command): \(output.option) \(output.path) \(reason)\n  hint: \(hint)")
      }
      let real = output.realPath
      if let other = taken.updateValue(output.option, forKey: real) {
        try refuse("is the file of \(other), too")
      }
      if read.contains(real) { try refuse("is what the command reads") }
      let beginning = Self.beginning(of: output.path)
      if !beginning.isEmpty, !output.kind.fits(beginning) {
        try refuse("is there already, and is no \(output.kind.text)")
      }
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
  /// What the names of files with weights end in, apart from `safetensors`.
  private static let otherWeights: Set<String> = [
    "onnx", "pth", "pt", "h5", "keras", "npz", "npy", "caffemodel", "pkl",
  ]

  /// What the names of files of other formats end in.
  private static let others = otherWeights.union(["html", "json"])

  /// Whether a file with weights is named, be it there or not, and no network.
  static func isPathOfWeights(_ network: String) -> Bool {
    let end = (network as NSString).pathExtension.lowercased()
    return network.contains("/") || end == "safetensors" || otherWeights.contains(end)
  }

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
