import AgnesiArrays

/// The parts of a data set: what is trained on, what the model is chosen by, what it is judged by.
public struct DataSplit: Sendable {
  /// What parameters are learned from.
  public var train: DataSet { didSet { labelFindings = nil } }
  /// What the model is chosen by; nil where nothing is held out.
  public var validation: DataSet? { didSet { labelFindings = nil } }
  /// What the chosen model is judged by; nil where there is none.
  public var test: DataSet? { didSet { labelFindings = nil } }
  /// What was found where, in sentences for a person; above all, what is only a part.
  public var notes: [String]
  /// What the labels of these parts are like; nil where nobody has looked, or a part is another one since.
  package var labelFindings: LabelFindings?

  /// A data set of these parts.
  public init(
    train: DataSet, validation: DataSet? = nil, test: DataSet? = nil, notes: [String] = []
  ) {
    self.train = train
    // A part without samples says nothing, so it is none.
    self.validation = validation.flatMap { $0.count > 0 ? $0 : nil }
    self.test = test.flatMap { $0.count > 0 ? $0 : nil }
    let empty = [("validation", validation), ("test", test)].filter { $0.1?.count == 0 }.map(\.0)
    self.notes = notes + empty.map { "the \($0) part has no samples, so it is left out" }
  }

  /// Which training samples are held out for validation.
  public enum HeldOut: Codable, Hashable, Sendable {
    case none
    /// The last samples in stored order.
    case last(Int)
    /// Samples drawn without replacement; the same seed draws the same. They keep their order.
    case random(Int, seed: UInt64)

    var count: Int {
      switch self {
      case .none: 0
      case .last(let count), .random(let count, _): count
      }
    }
  }

  /// The same with a part of the training samples moved to validation.
  ///
  /// - Throws: ``DataError`` where too many are asked for, or there is a validation part already.
  public func holdingOut(_ part: HeldOut) throws(DataError) -> DataSplit {
    if part.count == 0 { return self }
    let action = "hold out \(part.count) of \(train.count) training samples of \(train.name)"
    if let validation {
      throw DataError(action, "it has \(validation.count) samples for validation already")
    }
    guard part.count > 0, part.count < train.count else {
      throw DataError(action, "at least 1 must be left for each part")
    }
    var result = self
    let kept = train.count - part.count
    switch part {
    case .none, .last:
      result.train = train.subset(0..<kept)
      result.validation = train.subset(kept..<train.count)
    case .random(_, let seed):
      let stream = Philox(seed: seed, name: "validation")
      let order = Permutation.drawn(count: train.count, from: stream, variant: 0)
      result.train = train.subset(order[..<kept].sorted())
      result.validation = train.subset(order[kept...].sorted())
    }
    return result
  }
}

/// Random orders that stay the same for all time.
///
/// Swift's own `shuffled(using:)` may change its way of drawing between versions, and a resumed run
/// would see other batches.
package enum Permutation {
  /// A permutation of `0..<count`, by Fisher and Yates' method in Durstenfeld's form.
  ///
  /// - Parameter variant: selects one of 2⁶⁴ independent permutations of the stream.
  /// - Complexity: O(count).
  package static func drawn(count: Int, from stream: Philox, variant: UInt64) -> [Int] {
    var order = Array(0..<count)
    order.withUnsafeMutableBufferPointer { order in
      var block: UInt64 = 0
      var end = count
      while end > 1 {
        let words = stream.block(low: block, high: variant)
        block += 1
        swap(&order, end, UInt64(words.0) | UInt64(words.1) << 32)
        if end > 2 { swap(&order, end - 1, UInt64(words.2) | UInt64(words.3) << 32) }
        end -= 2
      }
    }
    return order
  }

  /// Moves one of the first `end` to their end. The high half of a product maps a word to
  /// `0..<end` with a bias below `end / 2⁶⁴`.
  private static func swap(
    _ order: inout UnsafeMutableBufferPointer<Int>, _ end: Int, _ word: UInt64
  ) {
    order.swapAt(end - 1, Int(word.multipliedFullWidth(by: UInt64(end)).high))
  }
}
