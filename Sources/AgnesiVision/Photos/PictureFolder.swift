import AgnesiArrays
import AgnesiTraining

/// Photos in folders, with a class for each.
///
/// Three layouts are understood:
/// - a folder for each class, called as the class is;
/// - a folder of photos with `labels.csv` (in any case), a table with a column of files (`file`, `filename`,
///   `image`, `path` …) and one of classes (`label`, `class`, `category`, `wnid` …), or without a line of
///   names. Files are named from the folder on and lie below it; links are followed;
/// - parts, each in one of the layouts above: `train` (or `training`), `val` (`valid`, `validation`,
///   `dev`) and `test` (`testing`), in upper or lower case.
///
/// Only names are read here. Whether a file is a picture shows when it is decoded.
public struct PictureFolder: Sendable {
  /// A file and its class.
  public struct Photo: Hashable, Sendable {
    public var path: String
    /// A position in ``PictureFolder/classNames``.
    public var label: Int

    public init(path: String, label: Int) {
      self.path = path
      self.label = label
    }
  }

  /// The folder.
  public let path: String
  /// Sorted; numbers by value.
  public let classNames: [String]
  /// The photos to learn from, by class and name: all of them where the folder has no parts.
  public let training: [Photo]
  /// The photos by which an epoch is chosen; nil where the folder has no such part.
  public let validation: [Photo]?
  /// The photos that are only looked at in the end; nil where the folder has no such part.
  public let test: [Photo]?
  /// What was left out, and why, a line each.
  public let notes: [String]
  /// The parts with the names of their folders; empty where there are none.
  private let partNames: [DataPart: String]

  /// All parts.
  public var photos: [Photo] { training + (validation ?? []) + (test ?? []) }

  /// - Throws: `DataError` where the folder has none of the layouts, no photos, or two folders for
  ///   one part; `FileError` where it cannot be listed.
  public init(reading path: String) throws {
    let names = try PhotoFiles.names(in: path)
    let layout = try PictureFolderLayout(of: path, names)
    partNames = layout.parts
    var read: [DataPart: PictureFolderPart] = [:]
    if layout.parts.isEmpty {
      read[.training] = try PictureFolderPart(reading: path)
    } else {
      for (part, name) in layout.parts {
        read[part] = try PictureFolderPart(reading: "\(path)/\(name)")
      }
    }
    let labels = Set(read.values.flatMap { $0.photos.map(\.label) })
    let classNames = Self.sorted(labels)
    let pairs = classNames.enumerated().map { ($0.element, $0.offset) }
    let positions = Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    func labelled(_ part: PictureFolderPart) -> [Photo] {
      let photos = part.photos.map { Photo(path: $0.path, label: positions[$0.label] ?? 0) }
      return photos.sorted { ($0.label, $0.path) < ($1.label, $1.path) }
    }
    self.path = path
    self.classNames = classNames
    training = read[.training].map(labelled) ?? []
    validation = read[.validation].map(labelled)
    test = read[.test].map(labelled)
    notes = DataPart.allCases.flatMap { read[$0]?.notes ?? [] } + layout.notes
  }

  /// Whether the path is a folder in one of the layouts, with a look at names only.
  public static func isOne(_ path: String) -> Bool {
    guard PhotoFiles.isFolder(path), let names = try? PhotoFiles.names(in: path) else {
      return false
    }
    if LabelTable.name(among: names) != nil { return true }
    return names.contains { name in
      PhotoFiles.isFolder("\(path)/\(name)")
        && PhotoFiles.expanding(["\(path)/\(name)"]).contains { PhotoFiles.isPicture($0) }
    }
  }

  /// 2 before 10 where all are numbers.
  private static func sorted(_ labels: Set<String>) -> [String] {
    let numbers = labels.compactMap { Int($0) }
    guard numbers.count == labels.count else { return labels.sorted() }
    return labels.sorted { (Int($0) ?? 0, $0) < (Int($1) ?? 0, $1) }
  }

  /// The photos to learn from and those to choose by: the folder's own, or else photos drawn for
  /// validation, of each class the same share. Those of the test are in neither.
  ///
  /// - Parameters:
  ///   - fraction: the share for validation, in 0...1; of a class of two photos or more, each part
  ///     gets one at least.
  ///   - seed: the same seed draws the same photos.
  public func split(
    validation fraction: Double = 0.2, seed: UInt64
  ) -> (training: [Photo], validation: [Photo]) {
    if let validation { return (training, validation) }
    if !(fraction > 0) { return (training, []) }
    let stream = Philox(seed: seed, name: "validation photos")
    var held: Set<Photo> = []
    for label in classNames.indices {
      let members = training.filter { $0.label == label }
      let order = Permutation.drawn(
        count: members.count, from: stream, variant: UInt64(label))
      let share = Int((Double(members.count) * min(fraction, 1)).rounded())
      let count = min(max(share, 1), members.count - 1)
      held.formUnion(order.prefix(max(count, 0)).map { members[$0] })
    }
    return (training.filter { !held.contains($0) }, training.filter(held.contains))
  }
}

// MARK: - How it was read

extension PictureFolder {
  /// How many classes a sentence names.
  private static let namedClasses = 10

  /// How the folder was read, in one line: its parts, classes and counts.
  public var summary: String {
    let parts = DataPart.allCases.filter { partNames[$0] != nil }
    let counts = parts.map { "\(photos(of: $0).count) \($0) photos in \(partNames[$0] ?? "")" }
    let all =
      parts.isEmpty ? "\(photos.count) photos, no parts" : counts.joined(separator: ", ")
    let classes = classNames.indices.prefix(Self.namedClasses).map { label in
      let each = (parts.isEmpty ? [.training] : parts).map { part in
        String(photos(of: part).count { $0.label == label })
      }
      return "\(classNames[label]) \(each.joined(separator: " + "))"
    }
    let others = classNames.count - classes.count
    let rest = others > 0 ? " and \(others) more" : ""
    let kinds = classNames.count == 1 ? "1 class" : "\(classNames.count) classes"
    return FileName.printable(
      "\(path): \(all); \(kinds): \(classes.joined(separator: ", "))\(rest)")
  }

  /// A photo's path as seen from the folder, for a person.
  package func relativePath(_ photo: Photo) -> String {
    let beginning = path.hasSuffix("/") ? path : path + "/"
    let isInside = photo.path.hasPrefix(beginning)
    return FileName.printable(isInside ? String(photo.path.dropFirst(beginning.count)) : photo.path)
  }

  /// Classes of which a part has photos and none of them can be read: a warning for each.
  ///
  /// - Parameters:
  ///   - photos: those of the part.
  ///   - read: those of them that could be read.
  ///   - part: what the part is called.
  package func unreadableClasses(
    of photos: [Photo], read: [Photo], _ part: String
  ) -> [String] {
    Self.unreadableClasses(of: photos, read: read, part, classNames)
  }

  package static func unreadableClasses(
    of photos: [Photo], read: [Photo], _ part: String, _ classNames: [String]
  ) -> [String] {
    let readable = Set(read.map(\.label))
    return classNames.indices.compactMap { label in
      let count = photos.count { $0.label == label }
      if count == 0 || readable.contains(label) { return nil }
      let which = count == 1 ? "the only \(part) photo" : "none of the \(count) \(part) photos"
      return "warning: \(which) of the class \(classNames[label]) "
        + (count == 1 ? "cannot be read" : "can be read")
    }
  }

  private func photos(of part: DataPart) -> [Photo] {
    switch part {
    case .training: training
    case .validation: validation ?? []
    case .test: test ?? []
    }
  }
}

/// Which folders of a folder are parts.
private struct PictureFolderLayout {
  /// Names of folders; none where each folder is a class.
  var parts: [DataPart: String] = [:]
  var notes: [String] = []

  /// Folders are parts where one of them is to train by and another to judge by, or where nothing stands
  /// beside the only one and it holds classes itself; else a class may well be called "train".
  init(of path: String, _ names: [String]) throws {
    if LabelTable.name(among: names) != nil { return }
    let folders = names.filter { PhotoFiles.isFolder("\(path)/\($0)") }
    let found = try DataPart.found(in: folders, of: path)
    let isPair = found[.training] != nil && found.count > 1
    let others = folders.filter { DataPart(named: $0) == nil }
    try checkSpelling(of: others, beside: folders, in: path)
    if found.isEmpty { return }
    let areParts = found.values.allSatisfy { Self.holdsClasses("\(path)/\($0)") }
    guard isPair || (others.isEmpty && areParts) else {
      try Self.refuseMixed(found.values.sorted(), others, of: path)
      return
    }
    parts = found
    notes += others.map { "\(path)/\($0) is left out: the folder has parts, and this is none" }
  }

  /// A folder that holds folders of photos and is called almost as a part is: where these are called as the
  /// other classes, it is a part whose name is misspelt, and would become a class of all its photos.
  private mutating func checkSpelling(
    of others: [String], beside folders: [String], in path: String
  ) throws {
    for name in others {
      guard let part = DataPart.almost(named: name), Self.holdsClasses("\(path)/\(name)") else {
        continue
      }
      let beside = folders.filter { $0 != name }
      let classes = Set(beside + beside.flatMap { Self.folders(in: "\(path)/\($0)") })
      guard Self.folders(in: "\(path)/\(name)").contains(where: classes.contains) else {
        notes.append(
          FileName.printable("\(path)/\(name) is called almost as a part: did you mean \(part)?"))
        continue
      }
      throw DataError(
        FileName.printable("read the parts of \(path)"),
        FileName.printable("\(name) holds folders of the same classes and is no part"),
        hint: "did you mean \(part)?")
    }
  }

  /// A part beside classes: its classes would be lost in one that is called as the part is.
  private static func refuseMixed(_ parts: [String], _ others: [String], of path: String) throws {
    guard let part = parts.first(where: { holdsClasses("\(path)/\($0)") }) else { return }
    let all = others + parts.filter { $0 != part }
    let shown = all.prefix(5).joined(separator: ", ") + (all.count > 5 ? " and others" : "")
    throw DataError(
      FileName.printable("read the parts of \(path)"),
      FileName.printable(
        "\(part) holds folders of photos, as a part does, and stands beside \(shown), which are no parts"
      ),
      hint: "a folder has either parts or classes: move the one or the others")
  }

  private static func folders(in path: String) -> [String] {
    ((try? PhotoFiles.names(in: path)) ?? []).filter { PhotoFiles.isFolder("\(path)/\($0)") }
  }

  private static func holdsClasses(_ path: String) -> Bool {
    guard let names = try? PhotoFiles.names(in: path) else { return false }
    return LabelTable.name(among: names) != nil
      || (names.contains { PhotoFiles.isFolder("\(path)/\($0)") }
        && !names.contains { PhotoFiles.isPicture($0) })
  }
}

/// The photos of a folder without parts, labelled by names.
struct PictureFolderPart {
  private(set) var photos: [(path: String, label: String)] = []
  private(set) var notes: [String] = []

  init(reading folder: String) throws {
    let names = try PhotoFiles.names(in: folder)
    if let table = LabelTable.name(among: names) {
      try readTable(folder, table)
    } else {
      try readFolders(folder, names)
    }
    if photos.isEmpty {
      let loose = names.count { PhotoFiles.isPicture($0) }
      throw DataError(
        "read photos from \(folder)",
        loose == 0 ? "there are none" : "its \(loose) pictures are of no class",
        hint: "needed is a folder for each class, or photos beside \(LabelTable.fileName)")
    }
  }

  private mutating func readTable(_ folder: String, _ tableName: String) throws {
    let table = try LabelTable(reading: "\(folder)/\(tableName)")
    notes += table.notes
    for row in table.rows {
      let path = "\(folder)/\(row.file)"
      // Tables of Windows part folders so; a file may have the sign in its name, and goes first.
      let places = row.file.contains("\\") ? [path, path.replacing("\\", with: "/")] : [path]
      if let place = places.first(where: { SystemCalls.status(of: $0)?.isRegularFile == true }) {
        photos.append((place, row.label))
      } else {
        notes.append(FileName.printable("\(path) is in \(tableName), but not there"))
      }
    }
  }

  private mutating func readFolders(_ folder: String, _ names: [String]) throws {
    for name in names where PhotoFiles.isFolder("\(folder)/\(name)") {
      let path = "\(folder)/\(name)"
      var visited: Set<FolderIdentity> = []
      // The folder itself is no place below its class.
      if let above = FolderIdentity(folder) { visited.insert(above) }
      var failures: [FileError] = []
      let files = PhotoFiles.below(path, &visited, &failures)
      photos += files.map { ($0, FileName.printable(name)) }
      notes += failures.map { FileName.printable("\($0.path) is left out: \($0.reason)") }
      if files.isEmpty, failures.isEmpty {
        notes.append(FileName.printable("\(path) has no pictures"))
      }
    }
    let loose = names.count { PhotoFiles.isPicture($0) && !PhotoFiles.isFolder("\(folder)/\($0)") }
    if loose > 0, !photos.isEmpty {
      notes.append("\(loose) pictures in \(folder) itself are of no class")
    }
  }
}
