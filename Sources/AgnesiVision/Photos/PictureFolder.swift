import AgnesiArrays
import AgnesiTraining

/// Photos in folders, with a class for each.
///
/// Three layouts are understood:
/// - a folder for each class, called as the class is;
/// - a folder of photos with `labels.csv`, whose first line names the columns: `file`, and one of
///   `label`, `class`, `class_index`, `wnid` or `name`;
/// - `train` and `val` (or `validation`, `valid`, `test`), each in one of the layouts above.
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
  /// The photos that are held out; nil where the folder has no such part.
  public let validation: [Photo]?
  /// What was left out, and why, a line each.
  public let notes: [String]

  /// Both parts.
  public var photos: [Photo] { training + (validation ?? []) }

  private static let trainingNames = ["train", "training"]
  private static let validationNames = ["val", "validation", "valid", "test"]

  /// - Throws: `DataError` where the folder has none of the layouts or no photos; `FileError` where
  ///   it cannot be listed.
  public init(reading path: String) throws {
    let names = try PhotoFiles.names(in: path)
    func folder(_ candidates: [String]) -> String? {
      candidates.first { names.contains($0) && PhotoFiles.isFolder("\(path)/\($0)") }
        .map { "\(path)/\($0)" }
    }
    let training: PictureFolderPart
    var validation: PictureFolderPart?
    if let own = folder(Self.trainingNames), let held = folder(Self.validationNames) {
      training = try PictureFolderPart(reading: own)
      validation = try PictureFolderPart(reading: held)
    } else {
      training = try PictureFolderPart(reading: path)
    }
    let labels = Set(training.photos.map(\.label) + (validation?.photos.map(\.label) ?? []))
    let classNames = Self.sorted(labels)
    let pairs = classNames.enumerated().map { ($0.element, $0.offset) }
    let positions = Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    func labelled(_ part: PictureFolderPart) -> [Photo] {
      let photos = part.photos.map { Photo(path: $0.path, label: positions[$0.label] ?? 0) }
      return photos.sorted { ($0.label, $0.path) < ($1.label, $1.path) }
    }
    self.path = path
    self.classNames = classNames
    self.training = labelled(training)
    self.validation = validation.map(labelled)
    notes = training.notes + (validation?.notes ?? [])
  }

  /// Whether the path is a folder in one of the layouts, with a look at names only.
  public static func isOne(_ path: String) -> Bool {
    guard PhotoFiles.isFolder(path), let names = try? PhotoFiles.names(in: path) else {
      return false
    }
    if names.contains(LabelTable.fileName) { return true }
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

  /// The folder's own parts, or else photos drawn for validation, of each class the same share.
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

/// The photos of a folder without parts, labelled by names.
struct PictureFolderPart {
  private(set) var photos: [(path: String, label: String)] = []
  private(set) var notes: [String] = []

  init(reading folder: String) throws {
    let names = try PhotoFiles.names(in: folder)
    if names.contains(LabelTable.fileName) {
      try readTable(folder)
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

  private mutating func readTable(_ folder: String) throws {
    let table = try LabelTable(reading: "\(folder)/\(LabelTable.fileName)")
    for row in table.rows {
      let path = row.file.hasPrefix("/") ? row.file : "\(folder)/\(row.file)"
      if SystemCalls.status(of: path)?.isRegularFile == true {
        photos.append((path, row.label))
      } else {
        notes.append("\(path) is in \(LabelTable.fileName), but not there")
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
      photos += files.map { ($0, name) }
      notes += failures.map { "\($0.path) is left out: \($0.reason)" }
      if files.isEmpty, failures.isEmpty { notes.append("\(path) has no pictures") }
    }
    let loose = names.count { PhotoFiles.isPicture($0) && !PhotoFiles.isFolder("\(folder)/\($0)") }
    if loose > 0, !photos.isEmpty {
      notes.append("\(loose) pictures in \(folder) itself are of no class")
    }
  }
}
