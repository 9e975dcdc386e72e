import AgnesiArrays

/// Folders of NumPy arrays: `train-inputs.npy` with `train-labels.npy` (integers) or
/// `train-targets.npy` (floats), likewise `validation-…` and `test-…` where there are any, and the
/// names of the classes, one a line, in `classes.txt`.
enum ArrayFolder {
  static func isFound(in folder: String) -> Bool { path("train-inputs", in: folder) != nil }

  static func read(_ folder: String, name: String, classNames: [String]) throws -> DataSplit {
    let names = try classNames.isEmpty ? DataFolder.classNames(in: folder) : classNames
    guard let train = try part("train", folder, name, names) else {
      throw DataError("read the data set \(name) in \(folder)", "it holds no train-inputs.npy")
    }
    let validation = try part("validation", folder, name, names)
    let test = try part("test", folder, name, names)
    for (role, other) in [("validation", validation), ("test", test)] {
      if let other { try check(role, other, fits: train, folder) }
    }
    let found = [("training", train), ("validation", validation), ("test", test)]
      .compactMap { role, part in part.map { "\($0.count) \(role)" } }
    return DataSplit(
      train: train, validation: validation, test: test,
      notes: ["\(DataFolder.list(found)) samples in \(folder)"])
  }

  private static func path(_ name: String, in folder: String) -> String? {
    // Not gzipped: NumPy does not read that either.
    DataFolder.file(["\(name).npy"], in: folder).flatMap { $0.hasSuffix(".npy") ? $0 : nil }
  }

  private static func part(
    _ role: String, _ folder: String, _ name: String, _ classNames: [String]
  ) throws -> DataSet? {
    guard let inputsPath = path("\(role)-inputs", in: folder) else { return nil }
    let inputs = try NPYFile.read(inputsPath)
    let isSmall = inputs.dtype == .uint8 || inputs.dtype.isFloating
    return try DataSet(
      name: name, inputs: isSmall ? inputs : inputs.cast(to: .float32),
      targets: targets(role, folder, name), classNames: classNames)
  }

  private static func targets(_ role: String, _ folder: String, _ name: String) throws -> NDArray {
    if let path = path("\(role)-labels", in: folder) {
      let labels = try NPYFile.read(path)
      if !labels.dtype.isFloating { return labels }
      throw DataError(
        "read the labels \(path)", "they are \(labels.dtype), labels are integers",
        hint: "values to be predicted belong in \(role)-targets.npy")
    }
    guard let path = path("\(role)-targets", in: folder) else {
      throw DataError(
        "read the data set \(name) in \(folder)",
        "it holds \(role)-inputs.npy, but neither \(role)-labels.npy nor \(role)-targets.npy")
    }
    let values = try NPYFile.read(path)
    return values.dtype.isFloating ? values : values.cast(to: .float32)
  }

  private static func check(
    _ role: String, _ part: DataSet, fits train: DataSet, _ folder: String
  ) throws {
    let action = "read the data set \(train.name) in \(folder)"
    if part.sampleShape != train.sampleShape {
      throw DataError(
        action,
        "training samples have the shape \(train.sampleShape), \(role) samples \(part.sampleShape)")
    }
    if part.inputs.dtype != train.inputs.dtype {
      throw DataError(
        action,
        "training inputs are \(train.inputs.dtype), \(role) inputs \(part.inputs.dtype)")
    }
    if part.targets.dtype != train.targets.dtype {
      throw DataError(action, "training and \(role) samples are not both labelled with classes")
    }
  }
}
