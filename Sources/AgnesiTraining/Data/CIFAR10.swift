import AgnesiArrays

/// CIFAR-10's binary version: records of one label and 3 × 32 × 32 bytes, red, green and blue.
///
/// A folder may hold only some of the five training batches, and a test file with only some of the
/// records; what was found is noted.
///
/// - Source: Krizhevsky, *Learning Multiple Layers of Features from Tiny Images*, 2009; the layout
///   is described on the data set's page.
enum CIFAR10 {
  static let classNames = [
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
  ]
  private static let sampleShape = [3, 32, 32]
  private static let recordSize = 1 + 3 * 32 * 32
  /// Several times the size of all batches in one file.
  private static let longestFile = 1 << 30

  static func isFound(in folder: String) -> Bool { !trainFiles(in: place(folder)).isEmpty }

  static func read(_ folder: String, name: String) throws -> DataSplit {
    let folder = place(folder)
    let files = trainFiles(in: folder)
    guard !files.isEmpty else {
      throw DataError(
        "read the data set \(name) in \(folder)",
        "it holds none of data_batch_1.bin to data_batch_5.bin, gzipped or not")
    }
    let written = try DataFolder.classNames(in: folder, file: "batches.meta.txt")
    let names = written.count == classNames.count ? written : classNames
    let train = try dataSet(files, name, names)
    var notes = [note("training", train.count, of: 50_000, files)]
    let testFile = testFile(in: folder)
    let test = try testFile.map { try dataSet([$0], name, names) }
    notes.append(note("test", test?.count ?? 0, of: 10_000, testFile.map { [$0] } ?? []))
    return DataSplit(train: train, test: test, notes: notes)
  }

  /// The published archive unpacks to a folder of its own.
  private static func place(_ folder: String) -> String {
    let inner = "\(folder)/cifar-10-batches-bin"
    return trainFiles(in: folder).isEmpty && DataFolder.isFolder(inner) ? inner : folder
  }

  private static func trainFiles(in folder: String) -> [String] {
    (1...5).compactMap { DataFolder.file(["data_batch_\($0).bin"], in: folder) }
  }

  private static func testFile(in folder: String) -> String? {
    if let whole = DataFolder.file(["test_batch.bin"], in: folder) { return whole }
    let parts = DataFolder.names(in: folder).filter {
      $0.hasPrefix("test_batch") && ($0.hasSuffix(".bin") || $0.hasSuffix(".bin.gz"))
    }
    return parts.first.map { "\(folder)/\($0)" }
  }

  private static func note(_ part: String, _ count: Int, of all: Int, _ files: [String]) -> String {
    let names = files.map { String($0.split(separator: "/").last ?? "") }
    let whole = count == all ? "all \(all)" : "\(count) of \(all)"
    return "\(whole) \(part) samples" + (names.isEmpty ? "" : ", from \(DataFolder.list(names))")
  }

  private static func dataSet(
    _ files: [String], _ name: String, _ classNames: [String]
  ) throws -> DataSet {
    let batches = try files.map { path in
      let bytes = try InputFile(path).readAll(limit: longestFile)
      try check(bytes, path)
      return bytes
    }
    let count = batches.reduce(0) { $0 + $1.count / recordSize }
    var inputs = NDArray(zeros: [count] + sampleShape, .uint8)
    var labels: [Int32] = []
    inputs.withUnsafeMutableBytes { pixels in
      for batch in batches {
        for start in stride(from: 0, to: batch.count, by: recordSize) {
          let target = labels.count * (recordSize - 1)
          let record = batch[(start + 1)..<(start + recordSize)]
          UnsafeMutableRawBufferPointer(rebasing: pixels[target...]).copyBytes(from: record)
          labels.append(Int32(batch[start]))
        }
      }
    }
    return try DataSet(name: name, inputs: inputs, targets: NDArray(labels), classNames: classNames)
  }

  private static func check(_ bytes: [UInt8], _ path: String) throws {
    guard !bytes.isEmpty, bytes.count % recordSize == 0 else {
      throw FormatError(
        path: path, format: "CIFAR-10",
        reason: "its \(bytes.count) bytes are no whole number of records of \(recordSize) bytes")
    }
    for record in 0..<(bytes.count / recordSize) where bytes[record * recordSize] > 9 {
      throw FormatError(
        path: path, format: "CIFAR-10",
        reason: "record \(record) has the label \(bytes[record * recordSize]); labels are 0 to 9")
    }
  }
}
