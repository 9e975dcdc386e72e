import AgnesiArrays
import AgnesiExpressions
import Testing

@Suite struct CrossEntropyTests {
  private let scores = Tensor.doubles([0, ln(3), 1, 1], [2, 2])

  @Test func ofLabels() throws {
    let loss = softmaxCrossEntropy(scores, .labels([1, 0]))
    let values = try evaluated(loss).doubles
    #expect(abs(values[0] - ln(4.0 / 3)) < 1e-15)
    #expect(abs(values[1] - ln(2)) < 1e-15)
    let gradients = try evaluated(gradient(of: loss.sum(), withRespectTo: [scores])[0]).doubles
    for (gradient, expected) in zip(gradients, [0.25, -0.25, -0.5, 0.5]) {
      #expect(abs(gradient - expected) < 1e-15)
    }
  }

  @Test func ofDistributionsAgreesWithLabels() throws {
    let oneHot = Tensor.doubles([0, 1, 1, 0], [2, 2])
    let pair = [
      softmaxCrossEntropy(scores, .labels([1, 0])), softmaxCrossEntropy(scores, oneHot),
      crossEntropy(softmax(scores), .labels([1, 0])), crossEntropy(softmax(scores), oneHot),
      // Whole numbers in the shape of the scores are a distribution too.
      softmaxCrossEntropy(scores, oneHot.cast(to: .int32)),
    ]
    let gradients = pair.map { gradient(of: $0.sum(), withRespectTo: [scores])[0] }
    let values = try evaluated(pair + gradients, [:]).map(\.doubles)
    for other in values[1..<5] { #expect(close(values[0], other)) }
    for other in values[6...] { #expect(close(values[5], other)) }
  }

  private func close(_ a: [Double], _ b: [Double]) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) < 1e-14 }
  }

  @Test func aConfidentMistakeIsFinite() throws {
    let x = Tensor.constant(NDArray([Float(1000), -1000], shape: [1, 2]))
    let loss = softmaxCrossEntropy(x, .labels([1]))
    #expect(try evaluated(loss).scalar == 2000)
    #expect(try evaluated(softmaxCrossEntropy(x, .labels([0]))).scalar == 0)
    let gradient = gradient(of: loss.sum(), withRespectTo: [x])[0]
    #expect(try evaluated(gradient).doubles == [1, -1])
    // Of probabilities that were rounded to 0 nothing can be saved.
    #expect(try evaluated(crossEntropy(softmax(x), .labels([1]))).scalar == .infinity)
  }

  @Test func largeScoresKeepTheirDigits() throws {
    let x = Tensor.constant(NDArray([Float(1000), 1000.5], shape: [1, 2]))
    let loss = try evaluated(softmaxCrossEntropy(x, .labels([1]))).scalar
    #expect(abs(loss - 0.474_076_984_180_107) < 1e-7)
  }

  @Test func labelsOutsideAreSeen() throws {
    let x = Tensor.doubles([1, 2, 3, 4, 5, 6], [3, 2])
    for loss in [
      softmaxCrossEntropy(x, .labels([-1, 1, 2])), crossEntropy(softmax(x), .labels([-1, 1, 2])),
    ] {
      let values = try evaluated(loss).doubles
      #expect(values.map(\.isNaN) == [true, false, true])
      let gradients = try evaluated(gradient(of: loss.sum(), withRespectTo: [x])[0]).doubles
      #expect(gradients[2...3].allSatisfy { $0.isFinite })
    }
    let loss = softmaxCrossEntropy(x, .labels([-1, 1, 2]))
    let gradients = try evaluated(gradient(of: loss.sum(), withRespectTo: [x])[0]).doubles
    #expect(gradients.map(\.isNaN) == [true, true, false, false, true, true])
  }

  @Test func impossibleClassesCostNothing() throws {
    let x = Tensor.doubles([0, -.infinity], [1, 2])
    #expect(try evaluated(softmaxCrossEntropy(x, .labels([0]))).scalar == 0)
    #expect(try evaluated(softmaxCrossEntropy(x, .doubles([1, 0], [1, 2]))).scalar == 0)
    let p = Tensor.doubles([1, 0], [1, 2])
    let loss = crossEntropy(p, .doubles([1, 0], [1, 2]))
    #expect(try evaluated(loss).scalar == 0)
    #expect(try evaluated(gradient(of: loss.sum(), withRespectTo: [p])[0]).doubles == [-1, 0])
    let picked = crossEntropy(p, .labels([0]))
    #expect(try evaluated(gradient(of: picked.sum(), withRespectTo: [p])[0]).doubles == [-1, 0])
  }

  @Test func ofEachElement() throws {
    let x = Tensor.doubles([0, 2, -3, 1000, -1000, 40], [6])
    let t = Tensor.doubles([1, 0, 0.5, 1, 1, 1], [6])
    let values = try evaluated(sigmoidCrossEntropy(x, t)).doubles
    let expected = [
      ln(2), 2 + ln(1 + power(of: -2)), 1.5 + ln(1 + power(of: -3)), 0, 1000, power(of: -40),
    ]
    // The last one is smaller than the rounding of its score.
    for (value, want) in zip(values, expected) { #expect(abs(value - want) <= 2e-15 * want) }
    let gradients = try evaluated(
      gradient(of: sigmoidCrossEntropy(x, t).sum(), withRespectTo: [x])[0]
    ).doubles
    #expect(gradients[0] == -0.5)
    #expect(gradients[3] == 0)
    #expect(gradients[4] == -1)
  }

  @Test func ofGivenProbabilities() throws {
    let p = Tensor.doubles([0.25, 0, 1, 0, 1], [5])
    let t = Tensor.doubles([1, 0, 1, 1, 0], [5])
    let loss = binaryCrossEntropy(p, t)
    #expect(try evaluated(loss).doubles == [ln(4), 0, 0, .infinity, .infinity])
    let gradients = try evaluated(gradient(of: loss.sum(), withRespectTo: [p])[0]).doubles
    #expect(gradients == [-4, 1, -1, -.infinity, .infinity])
  }

  @Test func mistakes() {
    let logits = Tensor.input("logits", [.batch, 10])
    #expect(
      softmaxCrossEntropy(logits, .input("label", [.batch, 1], .int32)).failureText == """
        softmaxCrossEntropy: labels are [batch], or distributions [batch, 10], got [batch, 1]
          logits  "logits" float32[batch, 10]
          labels  "label" int32[batch, 1]
        """)
    #expect(
      softmaxCrossEntropy(logits, .input("label", [.batch])).failureText == """
        softmaxCrossEntropy: labels are integers, got float32
          logits  "logits" float32[batch, 10]
          labels  "label" float32[batch]
          hint: convert them with cast(to: .int32)
        """)
    #expect(
      crossEntropy(.input("p", [], .float32), .input("label", [], .int32)).failureText == """
        crossEntropy: needs an axis of classes
          probabilities  "p" float32[]
          labels         "label" int32[]
        """)
    #expect(
      multiclassHingeLoss(logits, .input("t", [.batch, 10])).failureText == """
        multiclassHingeLoss: needs labels, got distributions
          scores  "logits" float32[batch, 10]
          labels  "t" float32[batch, 10]
        """)
  }
}
