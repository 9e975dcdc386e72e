import AgnesiArrays
import AgnesiTraining

/// A table of files and their classes, as spreadsheets write it: see `SeparatedValues`.
///
/// Its first line names the columns, in any case and order, or it has none and rows of a picture's name
/// and a class. Files are named from the folder of the table on, and lie below it: a table is text from
/// anywhere, and what it lists is opened. Links inside of the folder are followed, as everywhere in folders
/// of photos: whoever made the folder put them there.
struct LabelTable {
  /// What the table is called in messages, and what its name is in any case.
  static let fileName = "labels.csv"
  private static let format = "a table of labels"
  /// The column that is taken is the first of these.
  private static let fileColumns = [
    "file", "filename", "file_name", "filepath", "file_path", "path", "image", "image_name",
    "image_path",
    "image_file", "img", "photo", "picture",
  ]
  private static let labelColumns = [
    "label", "labels", "class", "class_name", "classname", "category", "target", "class_index",
    "class_id", "wnid", "name",
  ]
  /// A million lines of sixty characters.
  private static let byteLimit = 64 << 20

  private(set) var rows: [(file: String, label: String)] = []
  /// What a person should know of it.
  private(set) var notes: [String] = []

  /// The table among the names in a folder; nil where there is none.
  static func name(among names: [String]) -> String? {
    names.contains(fileName) ? fileName : names.sorted().first { $0.lowercased() == fileName }
  }

  /// - Throws: `FormatError` where columns are missing, a line has too few or too many, names a file
  ///   outside of the folder, or a class is no UTF-8; `DataError` where a file has two classes; `FileError` where the table cannot be read.
  init(reading path: String) throws {
    let bytes = try InputFile(path).readAll(limit: Self.byteLimit)
    let text = try TextFile.text(bytes, path: path, format: Self.format)
    let table = try SeparatedValues(text, path: path, format: Self.format)
    let first = table.rows.first?.fields ?? []
    let names = first.map(Self.columnName)
    let file = Self.fileColumns.lazy.compactMap(names.firstIndex).first
    let label = Self.labelColumns.lazy.compactMap(names.firstIndex).first
    if let file, let label {
      try read(table.rows.dropFirst(), Columns(file: file, label: label, names: first), path)
      noteColumns(first, file: file, label: label, path)
    } else if file == nil, label == nil, first.count > 1, PhotoFiles.isPicture(first[0]),
      !first[1].isEmpty
    {
      try read(table.rows[...], Columns(file: 0, label: 1, names: nil), path)
    } else {
      throw Self.failure(
        path,
        "its first line is \"\(first.joined(separator: String(table.separator)))\", needed is a column"
          + " of files (\(Self.fileColumns.joined(separator: ", "))) and one of classes"
          + " (\(Self.labelColumns.joined(separator: ", ")))")
    }
  }

  /// Which fields of a row are read.
  private struct Columns {
    var file: Int
    var label: Int
    /// Nil where the table does not name its columns.
    var names: [String]?

    /// The most fields that a row may have.
    var count: Int { names?.count ?? 2 }
  }

  /// `File Name` and `file-name` are `file_name`.
  private static func columnName(_ text: String) -> String {
    String(text.lowercased().map { $0 == " " || $0 == "-" ? "_" : $0 })
  }

  /// Says what columns there are beside those that are read.
  private mutating func noteColumns(_ names: [String], file: Int, label: Int, _ path: String) {
    // Another column of classes says the same in other words.
    let others = names.indices.filter {
      $0 != file && !names[$0].isEmpty && !Self.labelColumns.contains(Self.columnName(names[$0]))
    }
    if others.isEmpty { return }
    let list = others.map { "\"\(names[$0])\"" }.joined(separator: ", ")
    notes.append(
      FileName.printable(
        "\(path): files are in its column \"\(names[file])\", classes in \"\(names[label])\"; not read:"
          + " \(list)"))
  }

  /// The file as one path from the folder on, without `.` and `..`; nil where it is not below the folder.
  private static func place(_ file: String) -> String? {
    let isWindowsRoot = file.dropFirst().first == ":" && file.first?.isLetter == true
    if file.hasPrefix("/") || file.hasPrefix("\\") || isWindowsRoot { return nil }
    // Tables of Windows part folders by the other sign.
    for separators in ["/", "/\\"] where depth(of: file, separators) == nil { return nil }
    var parts: [Substring] = []
    for part in file.split(separator: "/") where part != "." {
      if part == ".." { parts.removeLast() } else { parts.append(part) }
    }
    return parts.isEmpty ? nil : parts.joined(separator: "/")
  }

  /// How deep below the folder a path ends; nil where it leaves the folder on the way.
  private static func depth(of file: String, _ separators: String) -> Int? {
    var depth = 0
    for part in file.split(whereSeparator: separators.contains) where part != "." {
      depth += part == ".." ? -1 : 1
      if depth < 0 { return nil }
    }
    return depth
  }

  private static func failure(_ path: String, _ reason: String) -> FormatError {
    FormatError(path: path, format: format, reason: FileName.printable(reason))
  }

  private mutating func read(
    _ lines: ArraySlice<SeparatedValues.Row>, _ columns: Columns, _ path: String
  ) throws {
    let (file, label) = (columns.file, columns.label)
    var known: [String: (label: String, line: Int)] = [:]
    var repeated = 0
    for row in lines {
      let fields = row.fields
      guard fields.count > max(file, label), !fields[file].isEmpty, !fields[label].isEmpty else {
        let text = fields.joined(separator: ",")
        throw Self.failure(
          path, "line \(row.line) is \"\(text.prefix(80))\", which has no file and label")
      }
      if fields.count > columns.count, fields[columns.count...].contains(where: { !$0.isEmpty }) {
        let needed = columns.names == nil ? "a file and its class" : "\(columns.count) columns"
        throw Self.failure(
          path,
          "line \(row.line) has \(fields.count) fields, the table has \(needed);"
            + " fields with separators stand in quotes")
      }
      let value = fields[label]
      guard let name = Self.place(fields[file]) else {
        throw Self.failure(
          path,
          "line \(row.line) names \"\(fields[file])\", which is not below the folder of the"
            + " table; files are named from there on")
      }
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
