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
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
  }

  static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      && isFolder.boolValue
  }

  /// The first of `names` that the folder holds, or holds gzipped, as a path.
  static func file(_ names: [String], in folder: String) -> String? {
    for name in names {
      for path in ["\(folder)/\(name)", "\(folder)/\(name).gz"]
      where FileManager.default.fileExists(atPath: path) && !isFolder(path) { return path }
    }
    return nil
  }

  /// The lines of `classes.txt` or another text file; empty where there is none.
  static func classNames(in folder: String, file name: String = "classes.txt") throws -> [String] {
    guard let path = file([name], in: folder) else { return [] }
    let bytes = try InputFile(path).readAll(limit: 1 << 20)
    guard let text = String(validating: bytes, as: UTF8.self) else {
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
