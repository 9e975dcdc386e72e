import AgnesiArrays
import Foundation

/// A kind of folder that holds a data set.
public enum DataFormat: String, Codable, Hashable, Sendable, CaseIterable {
  /// Four IDX files with MNIST's names.
  case idx
  /// CIFAR-10's binary batches.
  case cifar10
  /// NumPy arrays by the names of the parts.
  case arrays

  /// The format of a folder by the names of its files; nil where it is none of them.
  public static func detected(in folder: String) -> DataFormat? {
    allCases.first { $0.isFound(in: folder) }
  }

  /// Whether the folder has the files that this format needs.
  public func isFound(in folder: String) -> Bool {
    switch self {
    case .idx: IDXDataSet.isFound(in: folder)
    case .cifar10: CIFAR10.isFound(in: folder)
    case .arrays: ArrayFolder.isFound(in: folder)
    }
  }

  /// Reads the data set of a folder.
  ///
  /// - Parameters:
  ///   - name: what the data set is called from here on.
  ///   - classNames: the names of its labels; a `classes.txt` in the folder counts where this is
  ///     empty.
  public func read(_ folder: String, name: String, classNames: [String] = []) throws -> DataSplit {
    switch self {
    case .idx: try IDXDataSet.read(folder, name: name, classNames: classNames)
    case .cifar10: try CIFAR10.read(folder, name: name)
    case .arrays: try ArrayFolder.read(folder, name: name, classNames: classNames)
    }
  }
}

/// What loaders need of a folder.
enum DataFolder {
  static func names(in folder: String) -> [String] {
    (try? Folders.names(in: folder)) ?? []
  }

  static func isFolder(_ path: String) -> Bool { SystemCalls.status(of: path)?.isFolder == true }

  /// The first of `names` that the folder holds, or holds gzipped, as a path: written so, or else in
  /// upper or lower case.
  static func file(_ names: [String], in folder: String) -> String? {
    let wanted = names.flatMap { [$0, "\($0).gz"] }
    let paths = wanted.map { "\(folder)/\($0)" }
    if let path = paths.first(where: isFile) { return path }
    let present = self.names(in: folder)
    return wanted.lazy.compactMap { name in
      present.first { $0.lowercased() == name.lowercased() && isFile("\(folder)/\($0)") }
    }.first.map { "\(folder)/\($0)" }
  }

  private static func isFile(_ path: String) -> Bool {
    SystemCalls.status(of: path).map { !$0.isFolder } ?? false
  }

  /// The files of the parts whose names end with `suffix`, gzipped or not, as paths.
  ///
  /// - Parameter suffix: what follows the part's name, in lower case, such as `-inputs.npy`.
  /// - Throws: ``DataError`` where there are two for one part.
  static func parts(
    _ suffix: String, in folder: String, isPackable: Bool = false
  ) throws(DataError) -> [DataPart: String] {
    let found = try DataPart.found(in: names(in: folder), of: folder) { name in
      let lower = name.lowercased()
      let plain = isPackable && lower.hasSuffix(".gz") ? lower.dropLast(3) : lower[...]
      return plain.hasSuffix(suffix) ? String(plain.dropLast(suffix.count)) : nil
    }
    return found.mapValues { "\(folder)/\($0)" }
  }

  /// What was read, for a person: how many samples of which part, and of how many classes.
  static func note(_ split: DataSplit, in folder: String) -> String {
    let parts = [
      ("training", split.train), ("validation", split.validation), ("test", split.test),
    ]
    let counts = parts.compactMap { part, data in data.map { "\($0.count) \(part)" } }
    let classes = parts.compactMap { $1?.classCount }.max() ?? 0
    let text = "\(list(counts)) samples in \(folder)"
    return classes > 0 ? "\(text), \(classes) class\(classes == 1 ? "" : "es")" : text
  }

  /// The lines of `classes.txt` or another text file; empty where there is none.
  static func classNames(in folder: String, file name: String = "classes.txt") throws -> [String] {
    guard let path = file([name], in: folder) else { return [] }
    let bytes = try InputFile(path).readAll(limit: 1 << 20)
    let text = try TextFile.text(bytes, path: path, format: "a list of classes")
    if FileName.hasBytes(text) {
      throw FormatError(path: path, format: "a list of classes", reason: "it is not UTF-8")
    }
    return text.split(whereSeparator: \.isNewline)
      .map { $0.trimmingCharacters(in: .whitespaces) }
      .filter { !$0.isEmpty }
  }

  /// "a, b and c".
  static func list(_ items: [String]) -> String {
    guard let last = items.last, items.count > 1 else { return items.first ?? "" }
    return items.dropLast().joined(separator: ", ") + " and " + last
  }
}
