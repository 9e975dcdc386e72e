import AgnesiArrays
import AgnesiTraining

/// A table of files and their classes, as spreadsheets write it: see `SeparatedValues`.
///
/// Its first line names the columns, or it has none and rows of a picture's name and a class.
struct LabelTable {
  static let fileName = "labels.csv"
  private static let format = "a table of labels"
  private static let labelColumns = ["label", "class", "class_index", "wnid", "name"]
  /// A million lines of sixty characters.
  private static let byteLimit = 64 << 20

  private(set) var rows: [(file: String, label: String)] = []
  /// What a person should know of it.
  private(set) var notes: [String] = []

  /// - Throws: `FormatError` where columns are missing, a line has too few, or a class is no UTF-8;
  ///   `DataError` where a file has two classes; `FileError` where the table cannot be read.
  init(reading path: String) throws {
    let bytes = try InputFile(path).readAll(limit: Self.byteLimit)
    let text = try TextFile.text(bytes, path: path, format: Self.format)
    let table = try SeparatedValues(text, path: path, format: Self.format)
    let first = table.rows.first?.fields ?? []
    let names = first.map { $0.lowercased() }
    let label = Self.labelColumns.lazy.compactMap(names.firstIndex).first
    if let file = names.firstIndex(of: "file"), let label {
      try read(table.rows.dropFirst(), file: file, label: label, path)
    } else if !names.contains("file"), label == nil, first.count > 1,
      PhotoFiles.isPicture(first[0]), !first[1].isEmpty
    {
      try read(table.rows[...], file: 0, label: 1, path)
    } else {
      throw Self.failure(
        path,
        "its first line is \"\(first.joined(separator: String(table.separator)))\", needed are the"
          + " columns \"file\" and one of \(Self.labelColumns.joined(separator: ", "))")
    }
  }

  private static func failure(_ path: String, _ reason: String) -> FormatError {
    FormatError(path: path, format: format, reason: FileName.printable(reason))
  }

  private mutating func read(
    _ lines: ArraySlice<SeparatedValues.Row>, file: Int, label: Int, _ path: String
  ) throws {
    var known: [String: (label: String, line: Int)] = [:]
    var repeated = 0
    for row in lines {
      let fields = row.fields
      guard fields.count > max(file, label), !fields[file].isEmpty, !fields[label].isEmpty else {
        let text = fields.joined(separator: ",")
        throw Self.failure(
          path, "line \(row.line) is \"\(text.prefix(80))\", which has no file and label")
      }
      let (name, value) = (fields[file], fields[label])
      if FileName.hasBytes(value) {
        throw Self.failure(
          path,
          "line \(row.line) has the class \"\(value)\", which is neither UTF-8 nor UTF-16;"
            + " save the table as CSV UTF-8")
      }
      if let before = known[name] {
        if before.label != value {
          throw DataError(
            "read the classes in \(path)",
            "\(FileName.printable(name)) is \(before.label) in line \(before.line) and \(value) in"
              + " line \(row.line)")
        }
        repeated += 1
        continue
      }
      known[name] = (value, row.line)
      rows.append((name, value))
    }
    if repeated > 0 {
      notes.append("\(repeated) lines of \(path) repeat another one; each file counts once")
    }
  }
}
