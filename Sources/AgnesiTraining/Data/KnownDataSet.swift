/// A file of a data set that can be fetched from the network.
public struct RemoteFile: Hashable, Sendable {
  /// Where it is, with http:// or https://.
  public let address: String
  /// Its checksum in hexadecimal, or the first digits where no more are published; what arrives with
  /// others is thrown away.
  public let checksum: String
  /// How it is computed.
  package let algorithm: MessageDigest.Algorithm
  /// Its size.
  public let byteCount: Int

  /// A file at `address` with this SHA-256 and size.
  public init(_ address: String, sha256: String, byteCount: Int) {
    self.init(address, checksum: sha256, .sha256, byteCount: byteCount)
  }

  package init(
    _ address: String, checksum: String, _ algorithm: MessageDigest.Algorithm, byteCount: Int
  ) {
    self.address = address
    self.checksum = checksum
    self.algorithm = algorithm
    self.byteCount = byteCount
  }

  /// The last part of the address.
  public var name: String { String(address.split(separator: "/").last ?? "") }
}

/// A data set that Agnesi knows by name.
public struct KnownDataSet: Hashable, Sendable {
  /// How it is called on the command line, and its folder inside of a folder of data.
  public let name: String
  /// One line for a person.
  public let summary: String
  /// How its folder is read.
  public let format: DataFormat
  /// The name of each label.
  public let classNames: [String]
  /// Debian's package that holds it; nil where there is none.
  public let package: String?
  /// The folder where that package puts it.
  public let packageFolder: String?
  /// What is fetched where it is nowhere; tar archives are unpacked.
  public let files: [RemoteFile]

  /// A data set under a name.
  public init(
    name: String, summary: String, format: DataFormat, classNames: [String],
    package: String? = nil, packageFolder: String? = nil, files: [RemoteFile]
  ) {
    self.name = name
    self.summary = summary
    self.format = format
    self.classNames = classNames
    self.package = package
    self.packageFolder = packageFolder
    self.files = files
  }

  /// Bytes to fetch.
  public var downloadSize: Int { files.reduce(0) { $0 + $1.byteCount } }

  /// How a person comes by it: commands, or what can be downloaded where the command does not know it.
  public var howToGet: String {
    let size = "\((downloadSize + 500_000) / 1_000_000) MB"
    let host = files.first?.address.split(separator: "/").dropFirst().first ?? ""
    let isListed = Self.all.contains { $0.name == name }
    let download =
      isListed
      ? "agnesi data --get \(name) (\(size) from \(host))" : "download \(size) from \(host)"
    return package.map { "sudo apt install \($0), or \(download)" } ?? download
  }
}

extension KnownDataSet {
  /// The data sets that are known, in the order in which they are listed.
  public static let all: [KnownDataSet] = [mnist, fashionMNIST, cifar10]

  /// MNIST. Here and below, checksums and sizes are of the files as their makers published them.
  public static let mnist = KnownDataSet(
    name: "mnist", summary: "handwritten digits: 60000 + 10000 grey images of 28 × 28",
    format: .idx, classNames: (0...9).map(String.init),
    files: idxFiles(
      at: "https://ossci-datasets.s3.amazonaws.com/mnist/",
      [
        ("440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609", 9_912_422),
        ("3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c", 28_881),
        ("8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6", 1_648_877),
        ("f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6", 4_542),
      ]))

  /// Fashion-MNIST, in MNIST's format.
  public static let fashionMNIST = KnownDataSet(
    name: "fashion-mnist", summary: "clothes: 60000 + 10000 grey images of 28 × 28",
    format: .idx,
    classNames: [
      "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
      "Ankle boot",
    ],
    package: "dataset-fashion-mnist", packageFolder: "/usr/share/datasets/fashion-mnist",
    files: idxFiles(
      at: "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
      [
        ("3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84", 26_421_880),
        ("a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845", 29_515),
        ("346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073", 4_422_102),
        ("67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5", 5_148),
      ]))

  /// CIFAR-10, in its binary version.
  public static let cifar10 = KnownDataSet(
    name: "cifar10", summary: "photos of ten kinds: 50000 + 10000 colour images of 32 × 32",
    format: .cifar10, classNames: CIFAR10.classNames,
    files: [
      RemoteFile(
        "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        byteCount: 170_052_171)
    ])

  private static func idxFiles(
    at address: String, _ checksums: [(sha256: String, byteCount: Int)]
  ) -> [RemoteFile] {
    let names = [
      IDXDataSet.trainImages, IDXDataSet.trainLabels, IDXDataSet.testImages, IDXDataSet.testLabels,
    ]
    return zip(names, checksums).map { name, checksum in
      RemoteFile(
        "\(address)\(name).gz", sha256: checksum.sha256, byteCount: checksum.byteCount)
    }
  }
}
