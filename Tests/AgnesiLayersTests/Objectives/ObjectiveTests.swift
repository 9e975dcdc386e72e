import AgnesiArrays
import AgnesiExpressions
import AgnesiLayers
import Testing

@Suite struct ObjectiveTests {
  private let losses = Tensor.constant(NDArray([1.0, 2, 6]))
  private let weights = Tensor.constant(NDArray([2.0, 0, 1]))

  @Test func aggregates() throws {
    #expect(try value(aggregated(losses)).scalar == 3)
    #expect(try value(aggregated(losses, by: .sum)).scalar == 9)
    #expect(try value(aggregated(losses, by: .normalizedSum)).scalar == 3)
    #expect(isClose([try value(aggregated(losses, weights: weights)).scalar], [8.0 / 3]))
    #expect(try value(aggregated(losses, weights: weights, by: .sum)).scalar == 8)
    #expect(
      isClose(
        [try value(aggregated(losses, weights: weights, by: .normalizedSum)).scalar], [8.0 / 3]))
    let half = Tensor.constant(0.5, .float64)
    #expect(try value(aggregated(losses, weights: half, by: .normalizedSum)).scalar == 3)
  }

  @Test func aMaskTakesOutWhatIsNoNumber() throws {
    let broken = Tensor.constant(NDArray([1.0, .nan, 6]))
    let mask = Tensor.constant(NDArray([true, false, true]))
    #expect(try value(aggregated(broken, weights: mask, by: .normalizedSum)).scalar == 3.5)
  }

  @Test func shapesThatSlip() {
    let column = Tensor.input("loss", [.batch, 1])
    let mask = Tensor.input("mask", [.batch])
    #expect(
      failureText(aggregated(column, weights: mask)) == """
        aggregated: losses and weights must have the same shape
          losses   "loss" float32[batch, 1]
          weights  "mask" float32[batch]
          hint: flattened() makes a vector of the column
        """)
    #expect(
      failureText(aggregated(.input("loss", [4]), weights: .input("mask", [5]))) == """
        aggregated: losses and weights must have the same shape
          losses   "loss" float32[4]
          weights  "mask" float32[5]
        """)
  }

  @Test func columnsAndVectorsAlign() {
    let column = Tensor.input("p", [.batch, 1])
    let vector = Tensor.input("t", [.batch])
    #expect(aligned(column, vector).targets.shape == [.batch, 1])
    #expect(aligned(vector, column).predictions.shape == [.batch, 1])
    #expect(aligned(vector, vector) == (vector, vector))
    #expect(
      failureText(aligned(.input("p", [4, 2]), .input("t", [4])).predictions) == """
        aligned: predictions and targets must have the same shape
          predictions  "p" float32[4, 2]
          targets      "t" float32[4]
        """)
  }

  @Test func binaryHits() throws {
    let predictions = Tensor.constant(NDArray([0.9, 0.5, 0.2, .nan]))
    let targets = Tensor.constant(NDArray([1, 1, 0, 0] as [Int32]))
    #expect(try value(binaryAccuracy(predictions, targets)).doubles == [1, 0, 1, 0])
    let flags = Tensor.constant(NDArray([true, false, false, true]))
    #expect(
      try value(binaryAccuracy(predictions, flags, threshold: 0.1)).doubles == [1, 0, 0, 0])
    let column = predictions.reshaped([4, 1])
    #expect(try value(binaryAccuracy(column, targets)).doubles == [1, 0, 1, 0])
  }

  private let scores = Tensor.constant(
    NDArray([0.1, 0.7, 0.2, 0.4, 0.4, 0.2, 0.5, .nan, 0.4, 0, 0, 0], shape: [4, 3]))

  @Test func categoricalHits() throws {
    let labels = Tensor.constant(NDArray([1, 1, 1, 0] as [Int32]))
    // The second row is a tie, of which the first class wins; the third has no number there.
    #expect(try value(categoricalAccuracy(scores, labels)).doubles == [1, 0, 0, 1])
    #expect(try value(categoricalAccuracy(scores, labels, topK: 2)).doubles == [1, 1, 0, 1])
    let oneHot = Tensor.constant(
      NDArray([0.0, 1, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0], shape: [4, 3]))
    #expect(try value(categoricalAccuracy(scores, oneHot)).doubles == [1, 0, 0, 1])
  }

  @Test func equalPredictionsAreNoSuccess() throws {
    let same = Tensor.constant(NDArray(filled: 0.1, shape: [10, 10]))
    let labels = Tensor.constant(NDArray((0..<10).map { Int32($0) }))
    #expect(try value(categoricalAccuracy(same, labels).mean()).scalar == Double(Float(0.1)))
    #expect(try value(categoricalAccuracy(same, labels, topK: 5).mean()).scalar == 0.5)
  }

  @Test func mistakes() {
    let logits = Tensor.input("logits", [.batch, 10])
    func text(_ labels: Tensor, topK: Int = 1) -> String {
      failureText(categoricalAccuracy(logits, labels, topK: topK))
    }
    #expect(
      text(.input("label", [.batch, 1], .int32)) == """
        categoricalAccuracy: labels must be [batch] or of the shape of the predictions
          predictions  "logits" float32[batch, 10]
          labels       "label" int32[batch, 1]
          hint: flattened() makes a vector of the column
        """)
    #expect(
      text(.input("label", [.batch])) == """
        categoricalAccuracy: labels [batch] must be integers, got float32
          predictions  "logits" float32[batch, 10]
          labels       "label" float32[batch]
        """)
    #expect(
      text(.input("label", [.batch], .int32), topK: 0) == """
        categoricalAccuracy: topK must be at least 1, got 0
          predictions  "logits" float32[batch, 10]
          labels       "label" int32[batch]
        """)
    #expect(
      failureText(categoricalAccuracy(.input("x", [5]), .input("label", [5], .int32))) == """
        categoricalAccuracy: needs predictions [batch, classes]
          predictions  "x" float32[5]
          labels       "label" int32[5]
        """)
  }
}
