import AgnesiArrays
import AgnesiTraining
import TestSupport
import Testing

@Suite struct DataSetTests {
  @Test func countsWhatItHolds() throws {
    let set = try Samples.bytes(7)
    #expect(set.count == 7)
    #expect(set.sampleShape == [2, 3])
    #expect(set.isClassification)
    #expect(set.classCount == 3)
    #expect(set.labels == [0, 1, 2, 0, 1, 2, 0])
    #expect(set.labelCounts == [3, 2, 2])
    #expect(set.scaling == .unit)
  }

  @Test func labelsOfAnyIntegerTypeBecomeInt32() throws {
    for dtype in [DType.uint8, .int8, .int64, .uint64, .uint16] {
      let set = try DataSet(
        name: "x", inputs: NDArray(zeros: [3, 2]),
        targets: NDArray(rounding: [0, 4, 1], shape: [3], dtype))
      #expect(set.targets == NDArray([0, 4, 1] as [Int32]))
      #expect(set.classCount == 5)
    }
  }

  @Test func floatsBecomeFloat32AndAreNotScaled() throws {
    let set = try DataSet(
      name: "x", inputs: NDArray([1.5, 2] as [Double], shape: [2, 1]),
      targets: NDArray([0.5, 1] as [Double], shape: [2]))
    #expect(set.inputs == NDArray([1.5, 2] as [Float], shape: [2, 1]))
    #expect(set.targets == NDArray([0.5, 1] as [Float]))
    #expect(set.scaling == .identity)
    #expect(!set.isClassification)
    #expect(set.classCount == 0)
    #expect(set.labels == [])
  }

  @Test func partsKeepWhatBelongsTogether() throws {
    let set = try Samples.bytes(7)
    let part = set.subset([5, 0, 5])
    #expect(part.labels == [2, 0, 2])
    #expect(part.inputs.isIdentical(to: set.inputs.gathered([5, 0, 5])))
    #expect(part.classNames == set.classNames)
    #expect(set.subset(2..<4).labels == [2, 0])
    #expect(set.first(3).count == 3)
    #expect(set.first(100).count == 7)
    #expect(set.first(-1).count == 0)
    #expect(set.subset([]).count == 0)
  }

  @Test func whatDoesNotFitIsNamed() {
    func problem(_ inputs: NDArray, _ targets: NDArray, _ names: [String] = []) -> String {
      errorText {
        _ = try DataSet(name: "x", inputs: inputs, targets: targets, classNames: names)
      }
    }
    let labels = NDArray([0, 1] as [Int32])
    #expect(
      problem(NDArray(zeros: [3, 2]), labels)
        == "cannot make the data set x: inputs of shape [3, 2] and targets of shape [2] have not "
        + "the same number of samples")
    #expect(
      problem(NDArray(scalar: 1.0), labels)
        == "cannot make the data set x: inputs of shape [] and targets of shape [2] have not the "
        + "same number of samples")
    #expect(
      problem(NDArray(zeros: [2], .int32), labels)
        == "cannot make the data set x: its inputs are int32; they can be uint8 or floats")
    #expect(
      problem(NDArray(zeros: [2]), NDArray(zeros: [2, 1], .int32))
        == "cannot make the data set x: its labels have the shape [2, 1] instead of one axis")
    #expect(
      problem(NDArray(zeros: [2]), NDArray([0, -1] as [Int32]))
        == "cannot make the data set x: sample 1 has the label -1; labels are not negative")
    #expect(
      problem(NDArray(zeros: [2]), NDArray([0, 2] as [UInt8]), ["a", "b"])
        == "cannot make the data set x: sample 1 has the label 2; labels are 0 to 1")
    #expect(
      problem(NDArray(zeros: [2]), NDArray([0, .max] as [UInt64]))
        == "cannot make the data set x: sample 1 has the label 18446744073709551615; labels are "
        + "0 to 2147483647")
  }
}

@Suite struct DataSplitTests {
  @Test func theLastSamplesAreHeldOut() throws {
    let split = try DataSplit(train: Samples.numbers(10)).holdingOut(.last(3))
    #expect(split.train.targets.doubles == [0, 1, 2, 3, 4, 5, 6])
    #expect(split.validation?.targets.doubles == [7, 8, 9])
  }

  @Test func aSeedDrawsTheSameSamplesAlways() throws {
    let whole = try DataSplit(train: Samples.numbers(100))
    let split = try whole.holdingOut(.random(30, seed: 7))
    let validation = try #require(split.validation)
    #expect(split.train.count == 70)
    #expect(validation.count == 30)
    let train = split.train.targets.doubles
    #expect(train == train.sorted())
    #expect(validation.targets.doubles == validation.targets.doubles.sorted())
    #expect(Set(train + validation.targets.doubles) == Set((0..<100).map(Double.init)))

    let again = try whole.holdingOut(.random(30, seed: 7)).validation
    #expect(again?.targets == validation.targets)
    let other = try whole.holdingOut(.random(30, seed: 8)).validation
    #expect(other?.targets != validation.targets)
    #expect(validation.targets.doubles != (70..<100).map(Double.init))
  }

  @Test func nothingIsHeldOutOnRequest() throws {
    let split = try DataSplit(train: Samples.numbers(4)).holdingOut(.none)
    #expect(split.train.count == 4)
    #expect(split.validation == nil)
    #expect(try DataSplit(train: Samples.numbers(4)).holdingOut(.last(0)).validation == nil)
  }

  @Test func whatCannotBeHeldOutIsNamed() throws {
    let split = try DataSplit(train: Samples.numbers(4))
    for part in [DataSplit.HeldOut.last(4), .random(4, seed: 1)] {
      #expect(
        errorText { _ = try split.holdingOut(part) }
          == "cannot hold out 4 of 4 training samples of numbers: at least 1 must be left for "
          + "each part")
    }
    #expect(
      errorText { _ = try split.holdingOut(.last(-1)) }
        == "cannot hold out -1 of 4 training samples of numbers: at least 1 must be left for "
        + "each part")
    let twice = try split.holdingOut(.last(1))
    #expect(
      errorText { _ = try twice.holdingOut(.last(1)) }
        == "cannot hold out 1 of 3 training samples of numbers: it has 1 samples for validation "
        + "already")
  }
}

@Suite struct PermutationTests {
  private let stream = Philox(seed: 3, name: "test")

  @Test(arguments: [0, 1, 2, 3, 4, 5, 100, 1001])
  func everyNumberOccursOnce(count: Int) {
    for variant in 0..<3 as Range<UInt64> {
      let order = Permutation.drawn(count: count, from: stream, variant: variant)
      #expect(order.sorted() == Array(0..<count))
    }
  }

  /// The order is part of what a checkpoint means, so it must never change.
  @Test func theOrderIsTheDocumentedOne() {
    let words = (0..<4 as Range<UInt64>).flatMap { block in
      let (a, b, c, d) = stream.block(low: block, high: 5)
      return [UInt64(a) | UInt64(b) << 32, UInt64(c) | UInt64(d) << 32]
    }
    var expected = Array(0..<9)
    for (end, word) in zip((2...9).reversed(), words) {
      let chosen = Int((UInt128(word) * UInt128(end)) >> 64)
      expected.swapAt(end - 1, chosen)
    }
    #expect(Permutation.drawn(count: 9, from: stream, variant: 5) == expected)
  }

  @Test func allOrdersAreEquallyFrequent() {
    var counts: [[Int]: Int] = [:]
    for variant in 0..<24_000 as Range<UInt64> {
      counts[Permutation.drawn(count: 4, from: stream, variant: variant), default: 0] += 1
    }
    #expect(counts.count == 24)
    // χ² with 23 degrees of freedom is below 49.7 with probability 0.999.
    let squares = counts.values.map { Double(($0 - 1000) * ($0 - 1000)) / 1000 }
    #expect(squares.reduce(0, +) < 49.7)
  }
}
