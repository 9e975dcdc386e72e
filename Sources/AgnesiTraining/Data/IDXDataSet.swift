import AgnesiArrays

/// Folders with four IDX files under MNIST's names, each gzipped or not; two more may hold a
/// validation part, as in `val-images-idx3-ubyte`.
enum IDXDataSet {
  static let trainImages = "train-images-idx3-ubyte"
  static let trainLabels = "train-labels-idx1-ubyte"
  static let testImages = "t10k-images-idx3-ubyte"
  static let testLabels = "t10k-labels-idx1-ubyte"

  static func isFound(in folder: String) -> Bool {
    [trainImages, trainLabels, testImages, testLabels].allSatisfy { file($0, in: folder) != nil }
  }

  static func read(_ folder: String, name: String, classNames: [String]) throws -> DataSplit {
    let names = try classNames.isEmpty ? DataFolder.classNames(in: folder) : classNames
    let train = try part(folder, trainImages, trainLabels, name, names)
    let test = try part(folder, testImages, testLabels, name, names)
    guard train.sampleShape == test.sampleShape else {
      throw DataError(
        "read the data set \(name) in \(folder)",
        "training samples have the shape \(train.sampleShape), test samples \(test.sampleShape)")
    }
    var split = DataSplit(train: train, test: test)
    split.validation = try validation(folder, name, names)
    if let part = split.validation, part.sampleShape != train.sampleShape {
      throw DataError(
        "read the data set \(name) in \(folder)",
        "training samples have the shape \(train.sampleShape), validation samples "
          + "\(part.sampleShape)")
    }
    split.notes = [DataFolder.note(split, in: folder)]
    return split
  }

  private static func validation(
    _ folder: String, _ name: String, _ classNames: [String]
  ) throws -> DataSet? {
    func path(_ kind: String) throws -> String? {
      for suffix in ["-\(kind)", "-\(kind.replacing("-idx", with: ".idx"))"] {
        let found = try DataFolder.parts(suffix, in: folder, isPackable: true)
        if let path = found[.validation] { return path }
      }
      return nil
    }
    guard let images = try path("images-idx3-ubyte"), let labels = try path("labels-idx1-ubyte")
    else { return nil }
    return try dataSet(IDXFile.read(images), IDXFile.read(labels), name, classNames)
  }

  /// Some archives unpack to names with a dot in the place of the second hyphen.
  private static func file(_ name: String, in folder: String) -> String? {
    DataFolder.file([name, name.replacing("-idx", with: ".idx")], in: folder)
  }

  private static func part(
    _ folder: String, _ images: String, _ labels: String, _ name: String, _ classNames: [String]
  ) throws -> DataSet {
    try dataSet(
      array(images, folder, name), array(labels, folder, name), name, classNames)
  }

  private static func dataSet(
    _ inputs: NDArray, _ labels: NDArray, _ name: String, _ classNames: [String]
  ) throws -> DataSet {
    // Grey images get the axis of channels that convolutions expect.
    let shape =
      inputs.rank == 3 ? [inputs.shape[0], 1, inputs.shape[1], inputs.shape[2]] : inputs.shape
    return try DataSet(
      name: name, inputs: inputs.reshaped(shape), targets: labels, classNames: classNames)
  }

  private static func array(_ file: String, _ folder: String, _ name: String) throws -> NDArray {
    guard let path = self.file(file, in: folder) else {
      throw DataError(
        "read the data set \(name) in \(folder)", "it holds no \(file) and no \(file).gz")
    }
    return try IDXFile.read(path)
  }
}
