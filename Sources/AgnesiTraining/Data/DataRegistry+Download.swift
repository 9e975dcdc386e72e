import AgnesiArrays
import Foundation

extension DataRegistry {
  /// Downloads a known data set into the named folder, or else into the user's folder of data.
  ///
  /// Every file's SHA-256 is checked, and it appears under its name only then. What a broken
  /// connection left is continued by the next call.
  ///
  /// - Parameters:
  ///   - timeout: seconds without a byte after which it gives up.
  ///   - progress: called from another thread, at most some ten times a second.
  /// - Returns: the folder that holds the data set.
  /// - Throws: ``DownloadError``, or `FileError` where the disk refuses.
  @discardableResult
  public func download(
    _ dataSet: KnownDataSet, timeout: Double = 30,
    progress: @escaping @Sendable (DownloadProgress) -> Void = { _ in }
  ) throws -> String {
    let folder = "\(namedFolder ?? userFolder)/\(dataSet.name)"
    try Folders.make(folder)
    for (number, file) in dataSet.files.enumerated() {
      let path = "\(folder)/\(file.name)"
      if FileManager.default.fileExists(atPath: path) { continue }
      try Downloader(timeout: timeout).fetch(file, to: path) { received in
        progress(
          DownloadProgress(
            file: file, received: received, number: number + 1, count: dataSet.files.count))
      }
      if file.name.hasSuffix(".tar.gz") { try unpack(path, in: folder) }
    }
    return folder
  }

  /// Unpacks beside and renames, so that half of an archive never passes for a data set.
  private func unpack(_ path: String, in folder: String) throws {
    let temporary = "\(folder)/.unpacking-\(getpid())"
    try? FileManager.default.removeItem(atPath: temporary)
    defer { try? FileManager.default.removeItem(atPath: temporary) }
    try TarArchive.unpack(path, into: temporary, limit: 1 << 30)
    for name in DataFolder.names(in: temporary) {
      let target = "\(folder)/\(name)"
      try? FileManager.default.removeItem(atPath: target)
      if rename("\(temporary)/\(name)", target) != 0 { throw FileError("write", target) }
    }
    try? FileManager.default.removeItem(atPath: path)
  }
}

/// How far a download is.
public struct DownloadProgress: Hashable, Sendable {
  /// The file that is being fetched.
  public let file: RemoteFile
  /// Bytes of this file that are here.
  public let received: Int
  /// Which file this is, counted from 1.
  public let number: Int
  /// How many files there are.
  public let count: Int
}

/// Why a file could not be fetched.
public struct DownloadError: Error, Hashable, Sendable, CustomStringConvertible, LocalizedError {
  /// What was to be fetched.
  public let address: String
  /// What happened, with the values.
  public let problem: String

  /// The error as one sentence.
  public var description: String { "cannot download \(address): \(problem)" }

  /// The same, for Foundation.
  public var errorDescription: String? { description }
}
