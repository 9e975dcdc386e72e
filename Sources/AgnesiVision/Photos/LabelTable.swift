import AgnesiArrays

/// A table of files and their classes: comma-separated values with a line of column names.
///
/// - Source: RFC 4180 for quoting; quoted fields stay within their line here.
struct LabelTable {
  static let fileName = "labels.csv"
  private static let labelColumns = ["label", "class", "class_index", "wnid", "name"]
  /// A million lines of sixty characters.
  private static let byteLimit = 64 << 20

  private(set) var rows: [(file: String, label: String)] = []

  /// - Throws: `FormatError` where columns are missing or a line has too few, `FileError` where the
  ///   file cannot be read.
  init(reading path: String) throws {
    let bytes = try InputFile(path).readAll(limit: Self.byteLimit)
    func failure(_ reason: String) -> FormatError {
      FormatError(path: path, format: "a table of labels", reason: reason)
    }
    let lines = bytes.split(whereSeparator: { $0 == 10 || $0 == 13 }).map {
      String(decoding: $0, as: UTF8.self)
    }
    let header = lines.first.map(Self.fields) ?? []
    let names = header.map { $0.lowercased() }
    guard let file = names.firstIndex(of: "file"),
      let label = Self.labelColumns.lazy.compactMap(names.firstIndex).first
    else {
      throw failure(
        "its first line is \"\(header.joined(separator: ","))\", needed are the columns \"file\""
          + " and one of \(Self.labelColumns.joined(separator: ", "))")
    }
    for (number, line) in lines.enumerated().dropFirst() {
      let fields = Self.fields(line)
      guard fields.count > max(file, label), !fields[file].isEmpty, !fields[label].isEmpty else {
        throw failure("line \(number + 1) is \"\(line.prefix(80))\", which has no file and label")
      }
      rows.append((fields[file], fields[label]))
    }
  }

  /// The fields of a line; a quoted one may hold commas, and quotes written twice.
  static func fields(_ line: String) -> [String] {
    var result: [String] = []
    var field = ""
    var isQuoted = false
    var rest = Substring(line)
    while let character = rest.popFirst() {
      switch character {
      case "\"" where isQuoted && rest.first == "\"":
        field.append("\"")
        rest.removeFirst()
      case "\"": isQuoted.toggle()
      case "," where !isQuoted:
        result.append(field)
        field = ""
      default: field.append(character)
      }
    }
    return result + [field]
  }
}
