import AgnesiTraining
import Foundation
import Testing

@Suite struct ConfusionMatrixTests {
  private func example() throws -> ConfusionMatrix {
    try ConfusionMatrix(counts: [[8, 2, 0], [1, 4, 0], [3, 2, 0]])
  }

  @Test func countsBecomeRates() throws {
    let matrix = try example()
    #expect(matrix.total == 20)
    #expect(matrix.errorCount == 8)
    #expect(matrix.errorRate == 0.4)
    #expect(matrix.accuracy == 0.6)
    #expect(matrix.recall(of: 0) == 0.8)
    #expect(matrix.precision(of: 1) == 0.5)
    #expect(matrix.actualCount(of: 2) == 5)
    #expect(matrix.predictedCount(of: 0) == 12)
  }

  @Test func whatWasNeverPredictedHasNoPrecision() throws {
    let matrix = try example()
    #expect(matrix.precision(of: 2) == nil)
    #expect(matrix.recall(of: 2) == 0)
    #expect(matrix.neverPredicted == [2])
  }

  @Test func nothingCountedHasNoRates() {
    let matrix = ConfusionMatrix(classCount: 2)
    #expect(matrix.errorRate == nil)
    #expect(matrix.recall(of: 1) == nil)
    #expect(matrix.neverPredicted == [])
  }

  @Test func additionCountsActualByPredicted() throws {
    var matrix = ConfusionMatrix(classCount: 3)
    try matrix.add(predicted: 2, actual: 1)
    try matrix.add(predicted: 2, actual: 1)
    try matrix.add(predicted: 0, actual: 0)
    #expect(matrix.counts == [[1, 0, 0], [0, 0, 2], [0, 0, 0]])
    try matrix.add(matrix)
    #expect(matrix.counts == [[2, 0, 0], [0, 0, 4], [0, 0, 0]])
  }

  @Test func confusionsAreOrderedByCountThenPlace() throws {
    let pairs = try example().largestConfusions(3)
    #expect(pairs.map(\.actual) == [2, 0, 2])
    #expect(pairs.map(\.predicted) == [0, 1, 1])
    #expect(pairs.map(\.count) == [3, 2, 2])
    #expect(try example().largestConfusions(99).count == 4)
    #expect(try example().largestConfusions(-1).isEmpty)
  }

  @Test func errorsNameWhatDisagrees() throws {
    var matrix = ConfusionMatrix(classCount: 3)
    func text(_ body: () throws -> Void) -> String {
      do { try body() } catch { return "\(error)" }
      return "no error"
    }
    #expect(
      text { try matrix.add(predicted: 3, actual: 0) }
        == "predicted label 3 is no class: 3 classes, numbered 0 to 2")
    #expect(
      text { try matrix.add(predicted: 0, actual: -1) }
        == "actual label -1 is no class: 3 classes, numbered 0 to 2")
    #expect(
      text { try matrix.add(ConfusionMatrix(classCount: 2)) }
        == "cannot add confusion matrices of 3 and 2 classes")
    #expect(
      text { _ = try ConfusionMatrix(counts: [[1, 2], [3]]) }
        == "a confusion matrix is square: row 1 has 1 counts, but there are 2 rows")
    #expect(
      text { _ = try ConfusionMatrix(counts: [[1, 2], [-3, 0]]) }
        == "a confusion matrix counts samples: -3 of class 1 taken for 0")
    #expect(
      text { _ = try ConfusionMatrix(counts: []) }
        == "a confusion matrix needs at least one class, got none")
    #expect(matrix == ConfusionMatrix(classCount: 3))
  }

  @Test func readingBackChecksTheShape() throws {
    let matrix = try example()
    let data = try JSONEncoder().encode(matrix)
    #expect(try JSONDecoder().decode(ConfusionMatrix.self, from: data) == matrix)
    #expect(throws: ConfusionMatrixError.self) {
      try JSONDecoder().decode(ConfusionMatrix.self, from: Data(#"{"counts":[[1],[2]]}"#.utf8))
    }
  }
}
