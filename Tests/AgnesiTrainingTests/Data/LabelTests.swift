import AgnesiArrays
import AgnesiCPU
import AgnesiLayers
import AgnesiTraining
import TestSupport
import Testing

/// Classes and labels that do not match, said before training.
@Suite struct LabelTests {
  private func set(_ labels: [Int32]) throws -> DataSet {
    try DataSet(
      name: "x", inputs: NDArray(zeros: [labels.count, 2]), targets: NDArray(labels), classNames: []
    )
  }

  /// One label of a thousand million would ask for as many classes.
  @Test func moreClassesThanSamplesCanShow() throws {
    let split = DataSplit(train: try set([0, 1_000_000_000, 2]))
    #expect(
      errorText { try split.checkingLabels() } == """
        cannot use the training samples of x: sample 1 has the label 1000000000, so that 3 samples \
        would be of 1000000001 classes; number the classes 0, 1, 2 and so on
        """)
  }

  @Test func partsWithoutSamplesAreNone() throws {
    let split = DataSplit(train: try set([0, 1]), validation: try set([]), test: try set([]))
    #expect(split.validation == nil && split.test == nil)
    #expect(
      split.notes == [
        "the validation part has no samples, so it is left out",
        "the test part has no samples, so it is left out",
      ])
    #expect(
      errorText { try DataSplit(train: try set([])).checkingLabels() }
        == "cannot use the training samples of x: there are none")
  }

  private func data(_ labels: [Int], _ names: [String] = []) throws -> DataSet {
    try DataSet(
      name: "x", inputs: NDArray(zeros: [labels.count, 2]), targets: NDArray(labels),
      classNames: names)
  }

  @Test func labelsBeyondTheClassesAreAnErrorWithCounts() throws {
    let split = DataSplit(
      train: try data([0, 1, 2]), validation: try data([0, 3, 4, 4]), test: try data([5]))
    #expect(
      errorText { try split.checkingLabels() }
        == "cannot use the validation samples of x: 3 of 4 have labels beyond the classes, up to 4;"
        + " those of the training samples are 0 to 2; give the names of all classes, or leave these"
        + " samples out")
    let test = DataSplit(train: split.train, test: split.test)
    #expect(
      errorText { try test.checkingLabels() }.hasPrefix(
        "cannot use the test samples of x: 1 of 1 have labels beyond the classes, up to 5; "))
    // Before anything is learned, whoever trains.
    #expect(
      errorText {
        _ = try Trainer(
          Chain([Dense(units: 3)]), on: test,
          settings: TrainingSettings(optimizer: .sgd, rate: 0.1, schedule: .constant),
          standardization: nil, output: nil, backend: .cpu)
      }.contains("labels beyond the classes"))
    let values = try DataSet(
      name: "x", inputs: NDArray(zeros: [1, 2]), targets: NDArray(zeros: [1, 1]))
    #expect(
      errorText { try DataSplit(train: split.train, test: values).checkingLabels() }
        == "cannot use the test samples of x: their targets are float32[1, 1], those of the training"
        + " samples are labels of classes")
  }

  @Test func classesThatAreMisspeltInAPart() throws {
    let names = ["ants", "bees", "bes", "img10", "img11"]
    let split = DataSplit(
      train: try data([0, 1, 3], names), validation: try data([0, 2, 2, 4], names))
    #expect(
      split.labelWarnings == [
        "warning: the class bes has no training samples, but 2 validation samples: they cannot be told"
          + " rightly; did you mean bees?",
        "warning: the class img11 has no training samples, but 1 validation sample: it cannot be told"
          + " rightly",
      ])
    let whole = DataSplit(train: split.train)
    #expect(
      whole.labelWarnings(besides: [(name: "test", labels: [2, 4])]).allSatisfy {
        $0.contains("but 1 test sample: it cannot")
      })
    #expect(
      whole.labelWarnings == ["warning: the classes bes and img11 have no samples in any part"])
  }

  @Test func labelsThatBeginAtOne() throws {
    let split = DataSplit(train: try data([1, 2, 3, 3]), test: try data([3, 1]))
    try split.checkingLabels()
    #expect(
      split.labelWarnings == [
        "warning: the labels are 1 to 3, no sample has the label 0: labels count from 0, and the"
          + " network gets a class that is never seen"
      ])
    #expect(
      errorText { _ = try data([1, 2, 3], ["a", "b", "c"]) }
        == "cannot make the data set x: sample 2 has the label 3; labels are 0 to 2; they seem to"
        + " begin at 1: subtract 1 from each")
    #expect(
      errorText {
        _ = try Trainer(
          Chain([Dense(units: 3)]), on: split,
          settings: TrainingSettings(optimizer: .sgd, rate: 0.1, schedule: .constant),
          standardization: nil, output: nil, backend: .cpu)
      }
        == """
        train: the network's output is float32[batch, 3], the data have 4 classes
          hint: labels are numbers from 0, these are 1 to 3: subtract 1 from each
        """)
  }

  @Test func classesWithoutSamples() throws {
    let names = ["ant", "bee", "cow", "dog"]
    let split = DataSplit(
      train: try data([0, 0, 1], names), validation: try data([2, 2, 0], names),
      test: try data([2], names))
    #expect(
      split.labelWarnings == [
        "warning: the class cow has no training samples, but 2 validation samples and 1 test"
          + " sample: they cannot be told rightly",
        "warning: the class dog has no samples in any part",
      ])
    #expect(
      DataSplit(train: try data([0, 0], names)).labelWarnings == [
        "warning: the classes bee, cow and dog have no samples in any part",
        "warning: all 2 training samples are of the class ant: there is nothing to tell apart",
      ])
    #expect(DataSplit(train: try data([0, 1, 2, 3], names)).labelWarnings.isEmpty)
  }

  /// A trainer and a report that get the same parts need not look at each label again.
  @Test func whatWasFoundTravelsWithTheParts() throws {
    let names = ["ant", "bee"]
    var split = try DataSplit(train: try data([0, 0], names)).checkingLabels()
    #expect(split.labelFindings?.warnings == split.labelWarnings)
    #expect(split.labelWarnings.count == 2)
    split.train = try data([0, 1], names)
    #expect(split.labelFindings == nil)
    #expect(split.labelWarnings.isEmpty)
  }

  @Test func manyEmptyClassesAreShortened() throws {
    let names = (0..<100).map(String.init)
    let split = DataSplit(train: try data([0, 1], names))
    #expect(
      split.labelWarnings == [
        "warning: the classes 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 88 more have no samples in any part"
      ])
  }

  @Test func negativeLabels() throws {
    #expect(
      errorText { _ = try data([0, -1]) }
        == "cannot make the data set x: sample 1 has the label -1; labels are not negative")
  }
}
