import AgnesiTraining
import Foundation
import Testing

@Suite struct BinomialIntervalTests {
  /// Ends from sums of the binomial distribution in Python, by bisection.
  @Test(arguments: [
    (8, 153, 0.02284140562266651, 0.10042618288188836), (0, 10, 0, 0.3084971078187607),
    (10, 10, 0.6915028921812392, 1), (29, 200, 0.09930862255520749, 0.20156149617317967),
    (1, 1, 0.025, 1), (30, 780, 0.026097585949816093, 0.05445309220908683),
    (5, 10, 0.18708602844739858, 0.8129139715526014),
  ])
  func endsAreThoseOfTheDistribution(hits: Int, count: Int, lower: Double, upper: Double) {
    let interval = BinomialInterval(hits, of: count)
    #expect(abs(interval.lower - lower) < 1e-12)
    #expect(abs(interval.upper - upper) < 1e-12)
    let others = BinomialInterval(count - hits, of: count)
    #expect(abs(interval.complement.lower - others.lower) < 1e-12)
    #expect(abs(interval.complement.upper - others.upper) < 1e-12)
  }

  /// What the interval means: the tails beyond its ends have half of the rest each.
  @Test func tailsHaveHalfOfTheRest() {
    func atMost(_ hits: Int, of count: Int, _ share: Double) -> Double {
      (0...hits).reduce(0) { sum, k in
        let ways = lgamma(Double(count + 1)) - lgamma(Double(k + 1)) - lgamma(Double(count - k + 1))
        return sum + exp(ways + Double(k) * log(share) + Double(count - k) * log1p(-share))
      }
    }
    for (hits, count) in [(3, 40), (700, 1000), (123, 10_000)] {
      for confidence in [0.5, 0.95, 0.999] {
        let interval = BinomialInterval(hits, of: count, confidence: confidence)
        let tail = (1 - confidence) / 2
        #expect(abs(atMost(hits, of: count, interval.upper) - tail) < 1e-8)
        #expect(abs(1 - atMost(hits - 1, of: count, interval.lower) - tail) < 1e-8)
      }
    }
  }

  @Test func manySamplesAndNone() {
    let many = BinomialInterval(50_000, of: 1_000_000)
    // Close to a normal distribution.
    #expect(abs(many.width - 2 * 1.95996 * sqrt(0.05 * 0.95 / 1e6)) < 2e-6)
    #expect(many.lower < 0.05 && many.upper > 0.05)
    #expect(BinomialInterval(0, of: 0).ends == [0, 1])
  }

  @Test func textsAndTheRuleOfTheWarning() {
    #expect(BinomialInterval(8, of: 153).text == "95 % interval 2.3 to 10.0 %")
    #expect(
      BinomialInterval.warning(mistakes: 8, of: 153, "validation photos")
        == "warning: 153 validation photos say little: the error may be anything from 2.3 to 10.0 %"
        + " (95 % interval)")
    #expect(BinomialInterval.warning(mistakes: 0, of: 10, "test samples") != nil)
    // Wider than 5 points, or not.
    #expect(BinomialInterval.warning(mistakes: 15, of: 280, "test samples") != nil)
    #expect(BinomialInterval.warning(mistakes: 17, of: 340, "test samples") == nil)
    #expect(BinomialInterval.warning(mistakes: 500, of: 10_000, "test samples") == nil)
  }

  @Test func evaluationsHaveBoth() {
    var evaluation = Evaluation()
    evaluation.predictions = [0, 1, 1, 1]
    evaluation.labels = [0, 1, 1, 0]
    evaluation.count = 4
    #expect(evaluation.errorInterval == BinomialInterval(1, of: 4))
    #expect(evaluation.accuracyInterval == BinomialInterval(1, of: 4).complement)
  }
}
