import AgnesiArrays
import Foundation

/// Finds data sets: by name where they usually lie, or by path.
public struct DataRegistry: Sendable {
  /// A folder in which a data set is looked for.
  public struct Place: Hashable, Sendable {
    /// Why a folder is looked at.
    public enum Origin: String, Sendable {
      /// The folder that the user named.
      case named
      /// The user's folder of data.
      case user
      /// Where the distribution's package puts it.
      case package
    }

    /// The folder's path.
    public let folder: String
    /// Why it is looked at.
    public let origin: Origin
    /// Whether the data set's files are there.
    public let holdsData: Bool
  }

  /// A known data set and where it was looked for, in the order of the search.
  public struct Entry: Hashable, Sendable {
    /// What was looked for.
    public let dataSet: KnownDataSet
    /// The folders that were looked at, in order.
    public let places: [Place]

    /// The first place that holds it.
    public var found: Place? { places.first(where: \.holdsData) }
  }

  /// The folder that the user named; only there is anything looked for, and downloads go there.
  public let namedFolder: String?
  /// `$AGNESI_DATA`, else `$XDG_DATA_HOME/agnesi`, else `~/.local/share/agnesi`.
  public let userFolder: String
  package let known: [KnownDataSet]

  /// - Parameters:
  ///   - folder: a folder that holds a data set, or folders with the names of data sets.
  ///   - environment: the variables that tell the user's folder of data.
  public init(
    folder: String? = nil,
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) {
    self.init(folder: folder, environment: environment, known: KnownDataSet.all)
  }

  package init(folder: String?, environment: [String: String], known: [KnownDataSet]) {
    namedFolder = folder.map(UserData.withoutTrailingSlash)
    userFolder = UserData.folder(environment)
    self.known = known
  }

  /// All known data sets with the places where they were looked for.
  public var entries: [Entry] { known.map(entry) }

  /// The known data set of a name, in upper or lower case.
  public func known(_ name: String) -> KnownDataSet? {
    known.first { $0.name == name.lowercased() }
  }

  /// Opens a data set by its name, or by the path of its folder.
  ///
  /// A known name is looked for in the named folder (in a folder of that name inside of it, then in
  /// itself) or else in the user's folder and where a package puts it. Any other name is a path, or
  /// a folder inside of the named or the user's folder.
  ///
  /// - Throws: ``DataError`` where it is found nowhere, with how to get it; `FileError`,
  ///   `FormatError` or ``DataError`` where what was found cannot be used.
  public func open(_ name: String) throws -> DataSplit {
    if let dataSet = known(name) {
      let entry = entry(dataSet)
      guard let found = entry.found else { throw notFound(entry) }
      return try read(dataSet, found.folder)
    }
    let folders = name.isEmpty ? [] : [name, "\(namedFolder ?? userFolder)/\(name)"]
    for folder in folders where DataFolder.isFolder(folder) {
      return try read(folder)
    }
    throw unknown(name)
  }

  /// Opens a data set; downloads it first where it is known and found nowhere.
  ///
  /// - Parameter progress: called from another thread, at most some ten times a second.
  /// - Throws: what ``open(_:)`` and ``download(_:timeout:progress:)`` throw.
  public func openOrDownload(
    _ name: String, progress: @escaping @Sendable (DownloadProgress) -> Void = { _ in }
  ) throws -> DataSplit {
    if let dataSet = known(name), entry(dataSet).found == nil {
      try download(dataSet, progress: progress)
    }
    return try open(name)
  }

  private func entry(_ dataSet: KnownDataSet) -> Entry {
    let folders: [(String, Place.Origin)]
    if let namedFolder {
      folders = [("\(namedFolder)/\(dataSet.name)", .named)] + itself(namedFolder, for: dataSet)
    } else {
      folders =
        [("\(userFolder)/\(dataSet.name)", .user)]
        + (dataSet.packageFolder.map { [($0, .package)] } ?? [])
    }
    return Entry(
      dataSet: dataSet,
      places: folders.map { folder, origin in
        Place(
          folder: folder, origin: origin, holdsData: dataSet.format.isFound(in: folder))
      })
  }

  /// Fashion-MNIST's files are called as MNIST's are, so a folder called `mnist` must not pass for
  /// it.
  private func itself(_ folder: String, for dataSet: KnownDataSet) -> [(String, Place.Origin)] {
    let last = folder.split(separator: "/").last.map { $0.lowercased() } ?? ""
    let isAnother = known.contains { $0.name == last && $0.name != dataSet.name }
    return isAnother ? [] : [(folder, .named)]
  }

  private func read(_ dataSet: KnownDataSet, _ folder: String) throws -> DataSplit {
    try dataSet.format.read(folder, name: dataSet.name, classNames: dataSet.classNames)
  }

  private func read(_ folder: String) throws -> DataSplit {
    guard let format = DataFormat.detected(in: folder) else {
      throw DataError(
        "open the data set \(folder)", "the folder holds none of the formats that are known",
        hint: "these are \(IDXDataSet.trainImages) and the like (IDX), data_batch_1.bin and the "
          + "like (CIFAR-10), and train-inputs.npy with train-labels.npy")
    }
    let name = UserData.withoutTrailingSlash(folder).split(separator: "/").last.map(String.init)
    return try format.read(folder, name: name ?? folder)
  }
}

// MARK: - What is not found

extension DataRegistry {
  private func notFound(_ entry: Entry) -> DataError {
    let places = entry.places.map(\.folder).joined(separator: " nor in ")
    let neither = entry.places.count > 1 ? "it is neither in" : "it is not in"
    return DataError(
      "open the data set \(entry.dataSet.name)", "\(neither) \(places)",
      hint: "to get it: \(entry.dataSet.howToGet)")
  }

  private func unknown(_ name: String) -> DataError {
    let names = known.map(\.name)
    return DataError(
      "open the data set \(name)", "there is no folder and no known data set of that name",
      hint: NearestNames.question(name, in: names) ?? NearestNames.question(
        NearestNames.ofFiles(name))
        ?? "known are \(DataFolder.list(names))")
  }
}
