import AgnesiArrays
import AgnesiTraining
import Foundation
import TestSupport
import Testing

@Suite struct BatchesTests {
  @Test func everySampleComesOnceAnEpoch() throws {
    let batches = try Batches(of: Samples.numbers(10), size: 4, order: .shuffled(seed: 7))
    #expect(batches.count == 3)
    for epoch in 0..<3 {
      let list = Array(batches.epoch(epoch))
      #expect(list.map(\.count) == [4, 4, 2])
      #expect(list.map(\.number) == [0, 1, 2])
      #expect(list.allSatisfy { $0.epoch == epoch })
      #expect(list.flatMap(\.indices).sorted() == Array(0..<10))
      for batch in list {
        #expect(batch.inputs.doubles == batch.indices.map(Double.init))
        #expect(batch.targets.doubles == batch.indices.map(Double.init))
        #expect(batch.inputs.shape == [batch.count, 1])
      }
    }
  }

  @Test func theLastBatchIsDroppedOnRequest() throws {
    let batches = try Batches(of: Samples.numbers(10), size: 4, dropsLast: true)
    #expect(batches.count == 2)
    #expect(Array(batches.epoch(0)).map(\.indices) == [[0, 1, 2, 3], [4, 5, 6, 7]])
  }

  @Test func smallAndEmptySetsAndLargeBatches() throws {
    let small = try Batches(of: Samples.numbers(3), size: 100)
    #expect(Array(small.epoch(0)).map(\.indices) == [[0, 1, 2]])
    #expect(try Batches(of: Samples.numbers(3), size: 100, dropsLast: true).count == 0)
    let empty = try Batches(of: Samples.numbers(0), size: 5)
    #expect(empty.count == 0)
    #expect(Array(empty.epochs(0..<1_000_000_000)).isEmpty)
    #expect(try Array(Batches(of: Samples.numbers(2), size: 1).epoch(0)).count == 2)
  }

  @Test func seedsAndEpochsHaveTheirOwnOrders() throws {
    func orders(_ seed: UInt64) throws -> [[Int]] {
      let batches = try Batches(of: Samples.numbers(50), size: 8, order: .shuffled(seed: seed))
      return (0..<4).map { batches.epoch($0).flatMap(\.indices) }
    }
    #expect(try orders(1) == orders(1))
    #expect(try Set(orders(1) + orders(2)).count == 8)
  }

  @Test func aResumedRunSeesWhatTheUnbrokenOneSaw() throws {
    let batches = try Batches(
      of: Samples.bytes(23), size: 5, order: .shuffled(seed: 11))
    let whole = Array(batches.epochs(0..<4))
    #expect(whole.count == 20)
    let resumed = Array(batches.epochs(2..<4, from: 3))
    #expect(resumed.count == 7)
    for (left, right) in zip(whole.suffix(7), resumed) {
      #expect(left.indices == right.indices)
      #expect(left.epoch == right.epoch && left.number == right.number)
      #expect(left.inputs.isIdentical(to: right.inputs))
      #expect(left.targets.isIdentical(to: right.targets))
    }
    // Resuming at the end of an epoch goes on with the next one.
    #expect(Array(batches.epochs(0..<2, from: 5)).map(\.epoch) == [1, 1, 1, 1, 1])
  }

  @Test func bytesAreScaled() throws {
    let set = try Samples.bytes(5)
    let batch = try #require(Batches(of: set, size: 5).epoch(0).next())
    let expected = set.inputs.scalars(as: UInt8.self).map { Float($0) * Float(1 / 255.0) }
    #expect(batch.inputs.scalars(as: Float.self) == expected)
    #expect(batch.inputs.shape == [5, 2, 3])
    #expect(batch.targets == NDArray([0, 1, 2, 0, 1] as [Int32]))

    let symmetric = try DataSet(
      name: "x", inputs: set.inputs, targets: set.targets, scaling: .symmetric)
    let other = try #require(Batches(of: symmetric, size: 5).epoch(0).next())
    for (x, y) in zip(set.inputs.doubles, other.inputs.doubles) {
      #expect(abs(x / 127.5 - 1 - y) < 1e-6)
    }
  }

  @Test(arguments: Standardization.Grain.allCases)
  func inputsAreStandardised(grain: Standardization.Grain) throws {
    let bytes = try Samples.bytes(9)
    let floats = try DataSet(
      name: "floats", inputs: bytes.inputs.cast(to: .float32), targets: bytes.targets,
      scaling: .unit)
    for set in [bytes, floats] {
      let standardization = try Standardization(of: set, per: grain)
      let batches = try Batches(of: set, size: 9, standardization: standardization)
      let batch = try #require(batches.epoch(0).next())
      let scaled = NDArray(
        rounding: set.inputs.doubles.map { $0 / 255 }, shape: set.inputs.shape, .float64)
      let expected = try standardization.applied(to: scaled)
      for (x, y) in zip(expected.doubles, batch.inputs.doubles) { #expect(abs(x - y) < 1e-5) }
    }
  }

  @Test func whatDoesNotFitIsNamed() throws {
    let set = try Samples.bytes(9)
    #expect(
      errorText { _ = try Batches(of: set, size: 0) }
        == "cannot cut the data set bytes into batches: a batch has 0 samples; it needs 1 or more")
    let other = try Standardization(of: Samples.numbers(4), per: .global)
    #expect(
      errorText { _ = try Batches(of: set, size: 1, standardization: other) }
        == "cannot standardise the data set bytes: samples of shape [2, 3] came, those of shape "
        + "[1] were measured")
  }
}

@Suite struct BatchStreamTests {
  @Test func batchesThatAreKeptAreNeverOverwritten() throws {
    let batches = try Batches(of: Samples.numbers(1000), size: 10, order: .shuffled(seed: 1))
    let kept = Array(batches.epochs(0..<3))
    #expect(kept.count == 300)
    for batch in kept { #expect(batch.inputs.doubles == batch.indices.map(Double.init)) }
  }

  @Test func oneKeptBatchSurvivesManyOthers() throws {
    let batches = try Batches(of: Samples.numbers(1000), size: 10, order: .shuffled(seed: 1))
    let stream = batches.epochs(0..<5)
    let first = try #require(stream.next())
    while let batch = stream.next() {
      #expect(batch.inputs.doubles == batch.indices.map(Double.init))
    }
    #expect(first.inputs.doubles == first.indices.map(Double.init))
    #expect(first.targets.doubles == first.indices.map(Double.init))
  }

  @Test func memoryIsUsedAgain() throws {
    let batches = try Batches(of: Samples.bytes(1005, shape: [64]), size: 10)
    var places: Set<UnsafeMutableRawPointer> = []
    var count = 0
    for batch in batches.epochs(0..<4) {
      places.insert(batch.inputs.storage.base)
      count += 1
    }
    #expect(count == 404)
    #expect(places.count <= 6)
  }

  @Test func changingABatchLeavesTheNextAlone() throws {
    let batches = try Batches(of: Samples.numbers(100), size: 5)
    for batch in batches.epochs(0..<3) {
      #expect(batch.inputs.doubles == batch.indices.map(Double.init))
      var copy = batch.inputs
      copy.withUnsafeMutableBytes { _ = $0.initializeMemory(as: UInt8.self, repeating: 0xff) }
    }
  }

  @Test(arguments: [true, false])
  func theThreadEndsWhenNobodyWantsMore(cancels: Bool) throws {
    weak var storage: ArrayStorage?
    do {
      let set = try Samples.numbers(1000)
      storage = set.inputs.storage
      let stream = try Batches(of: set, size: 1, order: .shuffled(seed: 1)).epochs(0..<1_000_000)
      for _ in 0..<5 { #expect(stream.next() != nil) }
      if cancels {
        stream.cancel()
        #expect(stream.next() == nil)
      }
    }
    // The thread is the last that refers to the data.
    let deadline = Date().addingTimeInterval(10)
    while storage != nil, Date() < deadline { usleep(1000) }
    #expect(storage == nil)
  }

  @Test func aQueueHoldsOnlySoMany() {
    let queue = BoundedQueue<Int>(capacity: 2)
    let pushed = BoundedQueue<Int>(capacity: 100)
    Thread.detachNewThread {
      for value in 0..<10 { if queue.push(value) { _ = pushed.push(value) } }
      pushed.finish()
      queue.finish()
    }
    #expect(pushed.pop() == 0)
    #expect(pushed.pop() == 1)
    #expect(queue.pop() == 0)
    #expect(pushed.pop() == 2)
    #expect(queue.pop() == 1)
    queue.cancel()
    #expect(queue.pop() == nil)
    var rest = 0
    while pushed.pop() != nil { rest += 1 }
    #expect(rest <= 1)
  }
}
