import AgnesiArrays
import Foundation

/// Elements of a tensor that lie in a file beside the model.
///
/// The file must be in the model's folder or below: a model from a stranger must not make the program
/// read any other.
struct ExternalData {
  private let path: String
  private let offset: Int
  private let length: Int?

  /// - Parameters:
  ///   - entries: `location`, and optionally `offset` and `length`.
  ///   - tensor: the name, for errors.
  ///   - model: the path of the model's file.
  init(
    _ entries: [String: String], of tensor: String, beside model: String
  ) throws(FormatProblem) {
    let quoted = FormatProblem.quoted(tensor)
    let location = entries["location"] ?? ""
    let parts = location.split(separator: "/", omittingEmptySubsequences: false)
    let isInside = !location.utf8.contains(0) && parts.allSatisfy { !["", ".", ".."].contains($0) }
    let folder = URL(fileURLWithPath: model).deletingLastPathComponent().resolvingSymlinksInPath()
    let file = folder.appendingPathComponent(location).resolvingSymlinksInPath()
    guard isInside, file.path.hasPrefix(folder.path == "/" ? "/" : folder.path + "/") else {
      throw FormatProblem(
        "the elements of \(quoted) are said to be in \(FormatProblem.quoted(location)), which is not"
          + " in the model's folder")
    }
    let numbers = ["offset", "length"].map { entries[$0].map { Int($0) ?? -1 } }
    guard numbers.allSatisfy({ $0.map { $0 >= 0 } ?? true }) else {
      throw FormatProblem("the place of the elements of \(quoted) is no number of bytes")
    }
    path = file.path
    offset = numbers[0] ?? 0
    length = numbers[1]
  }

  func bytes() throws(FormatProblem) -> FileBytes {
    let file: MappedFile
    do throws(FileError) {
      file = try MappedFile(path)
    } catch {
      throw FormatProblem("its elements lie in another file: \(error)")
    }
    let all = FileBytes(file)
    let count = length ?? max(all.count - offset, 0)
    guard offset <= all.count, count <= all.count - offset else {
      throw FormatProblem(
        "\(count) bytes at \(offset) of \(FormatProblem.quoted(path)) are asked for, which has"
          + " \(all.count)")
    }
    return all[offset..<(offset + count)]
  }
}
