import AgnesiArrays

/// Folders with four IDX files under MNIST's names, each gzipped or not.
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
    return DataSplit(
      train: train, test: test,
      notes: ["\(train.count) training and \(test.count) test samples in \(folder)"])
  }

  /// Some archives unpack to names with a dot in the place of the second hyphen.
  private static func file(_ name: String, in folder: String) -> String? {
    DataFolder.file([name, name.replacing("-idx", with: ".idx")], in: folder)
  }

  private static func part(
    _ folder: String, _ images: String, _ labels: String, _ name: String, _ classNames: [String]
  ) throws -> DataSet {
    let inputs = try array(images, folder, name)
    // Grey images get the axis of channels that convolutions expect.
    let shape =
      inputs.rank == 3 ? [inputs.shape[0], 1, inputs.shape[1], inputs.shape[2]] : inputs.shape
    return try DataSet(
      name: name, inputs: inputs.reshaped(shape), targets: array(labels, folder, name),
      classNames: classNames)
  }

  private static func array(_ file: String, _ folder: String, _ name: String) throws -> NDArray {
    guard let path = self.file(file, in: folder) else {
      throw DataError(
        "read the data set \(name) in \(folder)", "it holds no \(file) and no \(file).gz")
    }
    return try IDXFile.read(path)
  }
}
