#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// How often samples of each class were taken for each class.
///
/// Rates are nil where nothing was counted that they could be taken of.
public struct ConfusionMatrix: Sendable, Equatable, Codable {
  /// `counts[actual][predicted]`.
  public private(set) var counts: [[Int]]

  /// A matrix of zeros.
  ///
  /// - Precondition: `classCount ≥ 1`.
  public init(classCount: Int) {
    precondition(classCount >= 1, "a confusion matrix of \(classCount) classes")
    counts = Array(repeating: Array(repeating: 0, count: classCount), count: classCount)
  }

  /// A matrix of counts, a row for each actual class.
  ///
  /// - Throws: ``ConfusionMatrixError`` where rows are missing, of different lengths or negative.
  public init(counts: [[Int]]) throws(ConfusionMatrixError) {
    for (row, values) in counts.enumerated() where values.count != counts.count {
      throw ConfusionMatrixError.rowLength(row: row, length: values.count, rows: counts.count)
    }
    for (row, values) in counts.enumerated() {
      for (column, value) in values.enumerated() where value < 0 {
        throw ConfusionMatrixError.negative(actual: row, predicted: column, count: value)
      }
    }
    guard !counts.isEmpty else { throw ConfusionMatrixError.empty }
    self.counts = counts
  }

  /// Counts one sample.
  ///
  /// - Throws: ``ConfusionMatrixError`` for a class that the matrix does not have.
  public mutating func add(predicted: Int, actual: Int) throws(ConfusionMatrixError) {
    for (role, label) in [("predicted", predicted), ("actual", actual)]
    where !counts.indices.contains(label) {
      throw ConfusionMatrixError.label(role: role, label: label, classes: counts.count)
    }
    counts[actual][predicted] += 1
  }

  /// Adds the counts of another matrix, such as another part of the same test.
  ///
  /// - Throws: ``ConfusionMatrixError`` where the two have different numbers of classes.
  public mutating func add(_ other: ConfusionMatrix) throws(ConfusionMatrixError) {
    guard other.classCount == classCount else {
      throw ConfusionMatrixError.classCounts(classCount, other.classCount)
    }
    for row in counts.indices {
      for column in counts.indices { counts[row][column] += other.counts[row][column] }
    }
  }

  /// Reads a matrix that ``encode(to:)`` wrote; one that is not square is refused.
  public init(from decoder: any Decoder) throws {
    enum Key: CodingKey { case counts }
    try self.init(
      counts: decoder.container(keyedBy: Key.self).decode([[Int]].self, forKey: .counts))
  }
}

// MARK: - What the counts say

extension ConfusionMatrix {
  /// The number of classes.
  public var classCount: Int { counts.count }

  /// All samples counted.
  public var total: Int { counts.joined().reduce(0, +) }

  /// Samples of a class that was not predicted for them.
  public var errorCount: Int { total - counts.indices.reduce(0) { $0 + counts[$1][$1] } }

  /// The fraction of wrong predictions, 0...1; nil without samples.
  public var errorRate: Double? { Self.fraction(errorCount, of: total) }

  /// The fraction of right predictions, 0...1; nil without samples.
  public var accuracy: Double? { Self.fraction(total - errorCount, of: total) }

  /// Samples that are of the class.
  public func actualCount(of label: Int) -> Int { counts[label].reduce(0, +) }

  /// Samples that were taken for the class.
  public func predictedCount(of label: Int) -> Int { counts.reduce(0) { $0 + $1[label] } }

  /// Of the samples that are of the class, the fraction found; nil where there are none.
  public func recall(of label: Int) -> Double? {
    Self.fraction(counts[label][label], of: actualCount(of: label))
  }

  /// Of the samples taken for the class, the fraction that are; nil where it was never predicted.
  public func precision(of label: Int) -> Double? {
    Self.fraction(counts[label][label], of: predictedCount(of: label))
  }

  /// Classes that occur but were never predicted: often rare ones, whose neglect costs little.
  public var neverPredicted: [Int] {
    counts.indices.filter { predictedCount(of: $0) == 0 && actualCount(of: $0) > 0 }
  }

  /// A pair of classes that were confused.
  public struct Confusion: Sendable, Equatable {
    /// The class of the samples.
    public let actual: Int
    /// The class they were taken for.
    public let predicted: Int
    /// How many.
    public let count: Int
  }

  /// The most frequent confusions, most frequent first; equal ones in the order of classes.
  public func largestConfusions(_ limit: Int) -> [Confusion] {
    let all = counts.indices.flatMap { actual in
      counts.indices.compactMap { predicted in
        actual == predicted || counts[actual][predicted] == 0
          ? nil
          : Confusion(actual: actual, predicted: predicted, count: counts[actual][predicted])
      }
    }
    // Stable, since equal counts are told apart by their place.
    let order = all.enumerated().sorted {
      ($1.element.count, $0.offset) < ($0.element.count, $1.offset)
    }
    return order.prefix(max(limit, 0)).map(\.element)
  }

  private static func fraction(_ part: Int, of whole: Int) -> Double? {
    whole == 0 ? nil : Double(part) / Double(whole)
  }
}

/// Counts that are no confusion matrix, or a label outside of one.
public enum ConfusionMatrixError: Error, Equatable, CustomStringConvertible, LocalizedError {
  /// No row at all.
  case empty
  /// A row that is not as long as there are rows.
  case rowLength(row: Int, length: Int, rows: Int)
  /// A count below zero.
  case negative(actual: Int, predicted: Int, count: Int)
  /// A label that is no class; `role` is "predicted" or "actual".
  case label(role: String, label: Int, classes: Int)
  /// Two matrices of different sizes.
  case classCounts(Int, Int)

  public var description: String {
    switch self {
    case .empty: "a confusion matrix needs at least one class, got none"
    case .rowLength(let row, let length, let rows):
      "a confusion matrix is square: row \(row) has \(length) counts, but there are \(rows) rows"
    case .negative(let actual, let predicted, let count):
      "a confusion matrix counts samples: \(count) of class \(actual) taken for \(predicted)"
    case .label(let role, let label, let classes):
      "\(role) label \(label) is no class: \(classes) classes, numbered 0 to \(classes - 1)"
    case .classCounts(let first, let second):
      "cannot add confusion matrices of \(first) and \(second) classes"
    }
  }

  public var errorDescription: String? { description }
}
