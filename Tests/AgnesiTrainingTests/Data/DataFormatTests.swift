import AgnesiArrays
import AgnesiTraining
import Foundation
import TestSupport
import Testing

@Suite struct IDXDataSetTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: ["", ".gz"]) func readsFourFiles(suffix: String) throws {
    try Samples.writeIDX(to: folder.path, suffix: suffix)
    #expect(DataFormat.detected(in: folder.path) == .idx)
    let split = try DataFormat.idx.read(folder.path, name: "small", classNames: ["a", "b"])
    #expect(split.train.inputs.shape == [6, 1, 2, 2])
    #expect(split.train.inputs.doubles == (0..<24).map(Double.init))
    #expect(split.train.labels == [0, 1, 0, 1, 0, 1])
    #expect(split.train.classNames == ["a", "b"])
    #expect(split.test?.count == 4)
    #expect(split.validation == nil)
    #expect(split.notes == ["6 training and 4 test samples in \(folder.path), 2 classes"])
  }

  @Test func readsNamesWithADot() throws {
    try Samples.writeIDX(to: folder.path)
    for name in folder.names {
      let new = name.replacingOccurrences(of: "-idx", with: ".idx")
      try FileManager.default.moveItem(atPath: folder.path(name), toPath: folder.path(new))
    }
    #expect(try DataFormat.idx.read(folder.path, name: "small").train.count == 6)
  }

  @Test func namesInCapitalsAndAValidationPart() throws {
    try Samples.writeIDX(to: folder.path)
    for (old, new) in [
      ("train-images-idx3-ubyte", "Train-Images-IDX3-ubyte"),
      ("t10k-labels-idx1-ubyte", "T10K-labels-idx1-ubyte"),
    ] {
      try FileManager.default.moveItem(atPath: folder.path(old), toPath: folder.path(new))
    }
    try IDXFile.write(
      NDArray(zeros: [3, 2, 2], .uint8), to: folder.path("Val-images-idx3-ubyte.gz"))
    try IDXFile.write(NDArray([1, 0, 1] as [UInt8]), to: folder.path("Val-labels-idx1-ubyte.gz"))
    #expect(DataFormat.detected(in: folder.path) == .idx)
    let split = try DataFormat.idx.read(folder.path, name: "small")
    #expect(split.validation?.labels == [1, 0, 1])
    #expect(
      split.notes == [
        "6 training, 3 validation and 4 test samples in \(folder.path), 2 classes"
      ])
  }

  @Test func samplesOfOtherShapesKeepThem() throws {
    try Samples.writeIDX(to: folder.path, shape: [5])
    #expect(try DataFormat.idx.read(folder.path, name: "x").train.sampleShape == [5])
  }

  @Test func classesAreReadFromTheirFile() throws {
    try Samples.writeIDX(to: folder.path)
    try folder.write(Array("cat \r\n\ndog\n".utf8), to: "classes.txt")
    #expect(try DataFormat.idx.read(folder.path, name: "x").train.classNames == ["cat", "dog"])
    let utf16 = "\u{FEFF}cät\r\ndog".utf16.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
    for marked in [Array("\u{FEFF}cät\ndog\n".utf8), utf16] {
      try folder.write(marked, to: "classes.txt")
      #expect(try DataFormat.idx.read(folder.path, name: "x").train.classNames == ["cät", "dog"])
    }
    try folder.write([0xff], to: "classes.txt")
    #expect(
      errorText { _ = try DataFormat.idx.read(folder.path, name: "x") }
        == "cannot read \(folder.path("classes.txt")) as a list of classes: it is not UTF-8")
  }

  @Test func whatIsMissingOrDisagreesIsNamed() throws {
    try Samples.writeIDX(to: folder.path, testShape: [3, 2])
    #expect(
      errorText { _ = try DataFormat.idx.read(folder.path, name: "x") }
        == "cannot read the data set x in \(folder.path): training samples have the shape "
        + "[1, 2, 2], test samples [1, 3, 2]")
    try FileManager.default.removeItem(atPath: folder.path("t10k-labels-idx1-ubyte"))
    #expect(DataFormat.detected(in: folder.path) == nil)
    #expect(
      errorText { _ = try DataFormat.idx.read(folder.path, name: "x") }
        == "cannot read the data set x in \(folder.path): it holds no t10k-labels-idx1-ubyte and "
        + "no t10k-labels-idx1-ubyte.gz")
  }

  @Test(.enabled(if: TestData.folder != nil, "AGNESI_TEST_DATA is not set"))
  func readsMNIST() throws {
    let split = try DataRegistry(folder: TestData.path("mnist"), environment: [:]).open("mnist")
    #expect(split.train.inputs.shape == [60_000, 1, 28, 28])
    #expect(split.test?.inputs.shape == [10_000, 1, 28, 28])
    #expect(
      split.train.labelCounts
        == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949])
    #expect(split.train.classNames == ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"])
  }

  @Test(
    .enabled(
      if: FileManager.default.fileExists(atPath: "/usr/share/datasets/fashion-mnist"),
      "the package dataset-fashion-mnist is not installed"))
  func readsFashionMNISTWhereDebianPutsIt() throws {
    let folder = try TemporaryFolder()
    let registry = DataRegistry(environment: ["AGNESI_DATA": folder.path])
    let split = try registry.open("fashion-mnist")
    #expect(split.train.labelCounts == [Int](repeating: 6000, count: 10))
    #expect(split.train.labels.prefix(3) == [9, 0, 0])
    #expect(split.train.classNames[9] == "Ankle boot")
    #expect(
      split.notes
        == [
          "60000 training and 10000 test samples in /usr/share/datasets/fashion-mnist, 10 classes"
        ])
  }
}

@Suite struct CIFAR10Tests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func records(_ labels: [UInt8]) -> [UInt8] {
    labels.flatMap { [$0] + [UInt8](repeating: 10 + $0, count: 3072) }
  }

  @Test func readsTheBatchesThatAreThere() throws {
    try folder.write(records([3, 1]), to: "data_batch_1.bin")
    let packed = records([9]).withUnsafeBytes { Gzip.packed($0) }
    try folder.write(packed, to: "data_batch_4.bin.gz")
    try folder.write(records([5]), to: "test_batch_first1.bin")
    #expect(DataFormat.detected(in: folder.path) == .cifar10)
    let split = try DataFormat.cifar10.read(folder.path, name: "cifar10")
    #expect(split.train.inputs.shape == [3, 3, 32, 32])
    #expect(split.train.labels == [3, 1, 9])
    #expect(split.train.inputs[2, 2, 31, 31] == 19)
    #expect(split.test?.labels == [5])
    #expect(split.train.classNames[3] == "cat")
    #expect(
      split.notes == [
        "3 of 50000 training samples, from data_batch_1.bin and data_batch_4.bin.gz",
        "1 of 10000 test samples, from test_batch_first1.bin",
      ])
  }

  @Test func readsTheFolderOfTheArchive() throws {
    let inner = try folder.makeFolder("cifar-10-batches-bin")
    try folder.write(records([3]), to: "cifar-10-batches-bin/data_batch_2.bin")
    #expect(DataFormat.detected(in: folder.path) == .cifar10)
    let split = try DataFormat.cifar10.read(folder.path, name: "cifar10")
    #expect(split.train.count == 1)
    #expect(split.test == nil)
    #expect(split.notes[1] == "0 of 10000 test samples")
    #expect(try DataFormat.cifar10.read(inner, name: "cifar10").train.count == 1)
  }

  @Test func whatIsMissingOrDamagedIsNamed() throws {
    #expect(
      errorText { _ = try DataFormat.cifar10.read(folder.path, name: "c") }
        == "cannot read the data set c in \(folder.path): it holds none of data_batch_1.bin to "
        + "data_batch_5.bin, gzipped or not")
    let path = try folder.write(records([3]).dropLast(), to: "data_batch_1.bin")
    #expect(
      errorText { _ = try DataFormat.cifar10.read(folder.path, name: "c") }
        == "cannot read \(path) as CIFAR-10: its 3072 bytes are no whole number of records of "
        + "3073 bytes")
    try folder.write(records([3, 10]), to: "data_batch_1.bin")
    #expect(
      errorText { _ = try DataFormat.cifar10.read(folder.path, name: "c") }
        == "cannot read \(path) as CIFAR-10: record 1 has the label 10; labels are 0 to 9")
  }

  @Test(.enabled(if: TestData.folder != nil, "AGNESI_TEST_DATA is not set"))
  func readsAPartOfCIFAR10() throws {
    let split = try DataRegistry(folder: TestData.path("cifar10"), environment: [:]).open("cifar10")
    #expect(split.train.count == 20_000)
    let test = try #require(split.test)
    #expect(test.labelCounts == [103, 89, 100, 103, 90, 86, 112, 102, 106, 109])
    #expect(
      split.notes == [
        "20000 of 50000 training samples, from data_batch_1.bin.gz and data_batch_2.bin.gz",
        "1000 of 10000 test samples, from test_batch_first1000.bin.gz",
      ])
  }
}

@Suite struct ArrayFolderTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func write(_ array: NDArray, _ name: String) throws {
    try NPYFile.write(array, to: folder.path("\(name).npy"))
  }

  private func read() throws -> DataSplit { try DataFormat.arrays.read(folder.path, name: "x") }

  @Test func readsLabelledArrays() throws {
    try write(NDArray([1, 2, 3, 4] as [UInt8], shape: [2, 2]), "train-inputs")
    try write(NDArray([1, 0] as [Int]), "train-labels")
    try write(NDArray([5, 6] as [UInt8], shape: [1, 2]), "validation-inputs")
    try write(NDArray([1] as [UInt8]), "validation-labels")
    try folder.write(Array("no\nyes".utf8), to: "classes.txt")
    #expect(DataFormat.detected(in: folder.path) == .arrays)
    let split = try read()
    #expect(split.train.labels == [1, 0])
    #expect(split.train.inputs.dtype == .uint8)
    #expect(split.train.scaling == .unit)
    #expect(split.validation?.inputs.doubles == [5, 6])
    #expect(split.test == nil)
    #expect(split.train.classNames == ["no", "yes"])
    #expect(split.notes == ["2 training and 1 validation samples in \(folder.path), 2 classes"])
  }

  /// Whatever a part is called, and in capitals.
  @Test(arguments: [
    ("Train", "val", "testing"), ("TRAINING", "Valid", "Test"), ("train", "dev", "TEST"),
  ])
  func partsHaveManyNames(train: String, validation: String, test: String) throws {
    for (name, label) in [(train, 0), (validation, 1), (test, 2)] {
      try write(NDArray(zeros: [1, 2]), "\(name)-inputs")
      try write(NDArray([label]), "\(name)-labels")
    }
    #expect(DataFormat.detected(in: folder.path) == .arrays)
    let split = try read()
    #expect(split.train.labels == [0])
    #expect(split.validation?.labels == [1])
    #expect(split.test?.labels == [2])
    #expect(
      split.notes == [
        "1 training, 1 validation and 1 test samples in \(folder.path), 3 classes"
      ])
  }

  @Test func twoNamesOfAPartAreAnError() throws {
    for name in ["train", "Training"] {
      try write(NDArray(zeros: [1, 2]), "\(name)-inputs")
      try write(NDArray([0]), "\(name)-labels")
    }
    #expect(
      errorText { _ = try read() }
        == "cannot read the parts of \(folder.path): Training-inputs.npy and train-inputs.npy both"
        + " name its training part; rename or remove one of them")
  }

  @Test func labelsWithoutInputsAreAnError() throws {
    try write(NDArray(zeros: [1, 2]), "train-inputs")
    try write(NDArray([0]), "train-labels")
    try write(NDArray([0]), "val-labels")
    #expect(
      errorText { _ = try read() }
        == "cannot read the data set x in \(folder.path): it holds val-labels.npy, but no inputs of"
        + " that part")
  }

  @Test func readsArraysToBePredicted() throws {
    try write(NDArray([1, 2, 3, 4] as [Int32], shape: [2, 2]), "train-inputs")
    try write(NDArray([1, 2, 3, 4] as [Int32], shape: [2, 2]), "train-targets")
    let split = try read()
    #expect(!split.train.isClassification)
    #expect(split.train.inputs.dtype == .float32)
    #expect(split.train.targets == NDArray([1, 2, 3, 4] as [Float], shape: [2, 2]))
  }

  @Test func whatIsMissingOrDisagreesIsNamed() throws {
    let action = "cannot read the data set x in \(folder.path): "
    #expect(errorText { _ = try read() } == action + "it holds no train-inputs.npy")
    try write(NDArray(zeros: [2, 2]), "train-inputs")
    #expect(
      errorText { _ = try read() }
        == action
        + "it holds train-inputs.npy, but neither train-labels.npy nor train-targets.npy")
    try write(NDArray(zeros: [2]), "train-labels")
    #expect(
      errorText { _ = try read() }
        == "cannot read the labels \(folder.path("train-labels.npy")): they are float32, labels "
        + "are integers; values to be predicted belong in train-targets.npy")
    try write(NDArray(zeros: [2], .int32), "train-labels")
    try write(NDArray(zeros: [1, 3]), "test-inputs")
    try write(NDArray(zeros: [1], .int32), "test-labels")
    #expect(
      errorText { _ = try read() }
        == action + "training samples have the shape [2], test samples [3]")
    try write(NDArray(zeros: [1, 2], .uint8), "test-inputs")
    #expect(
      errorText { _ = try read() } == action + "training inputs are float32, test inputs uint8")
    try write(NDArray(zeros: [1, 2]), "test-inputs")
    try FileManager.default.removeItem(atPath: folder.path("test-labels.npy"))
    try write(NDArray(zeros: [1]), "test-targets")
    #expect(
      errorText { _ = try read() }
        == action + "training and test samples are not both labelled with classes")
  }
}
