import AgnesiArrays

/// Folders of NumPy arrays: `train-inputs.npy` with `train-labels.npy` (integers) or
/// `train-targets.npy` (floats), likewise for the parts `validation` and `test` where there are any,
/// and the names of the classes, one a line, in `classes.txt`. Parts may be called as ``DataPart``
/// knows them, in upper or lower case.
enum ArrayFolder {
  static func isFound(in folder: String) -> Bool {
    DataFolder.names(in: folder).contains { name in
      let lower = name.lowercased()
      return lower.hasSuffix(inputs)
        && DataPart(named: String(lower.dropLast(inputs.count))) == .training
    }
  }

  // Not gzipped: NumPy does not read that either.
  private static let inputs = "-inputs.npy"

  static func read(_ folder: String, name: String, classNames: [String]) throws -> DataSplit {
    let names = try classNames.isEmpty ? DataFolder.classNames(in: folder) : classNames
    let files = Files(
      inputs: try DataFolder.parts(inputs, in: folder),
      labels: try DataFolder.parts("-labels.npy", in: folder),
      targets: try DataFolder.parts("-targets.npy", in: folder))
    guard let train = try part(.training, files, folder, name, names) else {
      throw DataError("read the data set \(name) in \(folder)", "it holds no train-inputs.npy")
    }
    let validation = try part(.validation, files, folder, name, names)
    let test = try part(.test, files, folder, name, names)
    for (role, other) in [("validation", validation), ("test", test)] {
      if let other { try check(role, other, fits: train, folder) }
    }
    var split = DataSplit(train: train, validation: validation, test: test)
    split.notes = [DataFolder.note(split, in: folder)]
    return split
  }

  /// The paths of the parts' files.
  private struct Files {
    var inputs: [DataPart: String]
    var labels: [DataPart: String]
    var targets: [DataPart: String]
  }

  private static func part(
    _ part: DataPart, _ files: Files, _ folder: String, _ name: String, _ classNames: [String]
  ) throws -> DataSet? {
    guard let inputsPath = files.inputs[part] else {
      guard let path = files.labels[part] ?? files.targets[part] else { return nil }
      throw DataError(
        "read the data set \(name) in \(folder)",
        "it holds \(lastName(path)), but no inputs of that part")
    }
    let inputs = try NPYFile.read(inputsPath)
    let isSmall = inputs.dtype == .uint8 || inputs.dtype.isFloating
    return try DataSet(
      name: name, inputs: isSmall ? inputs : inputs.cast(to: .float32),
      targets: targets(part, inputsPath, files, folder, name), classNames: classNames)
  }

  private static func lastName(_ path: String) -> String {
    String(path.split(separator: "/").last ?? "")
  }

  private static func targets(
    _ part: DataPart, _ inputsPath: String, _ files: Files, _ folder: String, _ name: String
  ) throws -> NDArray {
    let role = lastName(inputsPath).dropLast(inputs.count)
    if let path = files.labels[part] {
      let labels = try NPYFile.read(path)
      if !labels.dtype.isFloating { return labels }
      throw DataError(
        "read the labels \(path)", "they are \(labels.dtype), labels are integers",
        hint: "values to be predicted belong in \(role)-targets.npy")
    }
    guard let path = files.targets[part] else {
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
