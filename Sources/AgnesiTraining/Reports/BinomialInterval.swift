#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Where a share lies that was counted on a sample: the interval of Clopper and Pearson, which holds the
/// true share with the confidence asked for or more, whatever it is.
///
/// - Source: Clopper and Pearson, *The use of confidence or fiducial limits illustrated in the case of
///   the binomial*, Biometrika 26, 1934.
public struct BinomialInterval: Hashable, Sendable {
  /// The smallest share, 0...1.
  public let lower: Double
  /// The largest share, 0...1.
  public let upper: Double

  /// The interval of `hits` among `count` draws.
  ///
  /// - Parameters:
  ///   - hits: in 0...count.
  ///   - count: 0 for nothing known: the interval then is 0 to 1.
  ///   - confidence: the probability that the interval holds the share, above 0 and below 1.
  public init(_ hits: Int, of count: Int, confidence: Double = 0.95) {
    let tail = (1 - confidence) / 2
    let (hits, count) = (Double(max(hits, 0)), Double(max(count, 0)))
    lower = hits > 0 ? Self.quantile(tail, hits, count - hits + 1) : 0
    upper = hits < count ? Self.quantile(1 - tail, hits + 1, count - hits) : 1
  }

  private init(lower: Double, upper: Double) {
    self.lower = lower
    self.upper = upper
  }

  /// That of the share of all others.
  public var complement: BinomialInterval { BinomialInterval(lower: 1 - upper, upper: 1 - lower) }

  /// How far its ends are apart.
  public var width: Double { upper - lower }

  /// Both ends, lower first.
  public var ends: [Double] { [lower, upper] }

  /// In percent, as in "95 % interval 2.3 to 10.1 %".
  public var text: String {
    "95 % interval \(NumberText.fixed(lower * 100, 1)) to \(NumberText.percent(upper, 1))"
  }

  /// Where the distribution function of the beta distribution is `probability`, by bisection: the
  /// function rises, so nothing can go wrong, and 60 halvings leave nothing of a double.
  private static func quantile(_ probability: Double, _ a: Double, _ b: Double) -> Double {
    var (low, high) = (0.0, 1.0)
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if incompleteBeta(middle, a, b) < probability { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }

  /// The regularised incomplete beta function I_x(a, b), by its continued fraction.
  ///
  /// - Source: NIST Digital Library of Mathematical Functions, 8.17.22; Lentz's way of evaluation.
  static func incompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
    if x <= 0 { return 0 }
    if x >= 1 { return 1 }
    // The fraction converges quickly below the mean only; beyond, the other tail is computed.
    if x > (a + 1) / (a + b + 2) { return 1 - incompleteBeta(1 - x, b, a) }
    let scale = lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)
    let tiny = Double.leastNormalMagnitude
    func awayFromZero(_ value: Double) -> Double { abs(value) < tiny ? tiny : value }
    var c = 1.0
    var d = 1 / awayFromZero(1 - (a + b) * x / (a + 1))
    var fraction = d
    // Of a million samples some thousand terms are needed.
    for term in 1...100_000 {
      let m = Double(term)
      let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
      d = 1 / awayFromZero(1 + even * d)
      c = awayFromZero(1 + even / c)
      fraction *= d * c
      let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
      d = 1 / awayFromZero(1 + odd * d)
      c = awayFromZero(1 + odd / c)
      fraction *= d * c
      if abs(d * c - 1) < 1e-15 { break }
    }
    return exp(scale) * fraction / a
  }
}

extension BinomialInterval {
  /// A wider interval says too little: 5 points. A network that errs on 5 % of samples needs some 300
  /// of them for a narrower one, one that errs on half of them 1,600.
  static let widestTelling = 0.05

  /// A sentence where so many samples say little about how well a network does; nil where they are
  /// enough. The rule: the 95 % interval of the error is wider than 5 points.
  ///
  /// - Parameters:
  ///   - mistakes: how many of the samples are classified wrongly.
  ///   - samples: what they are, such as "test samples".
  public static func warning(mistakes: Int, of count: Int, _ samples: String) -> String? {
    let interval = BinomialInterval(mistakes, of: count)
    if interval.width <= widestTelling { return nil }
    return "warning: \(count) \(samples) say little: the error may be anything from "
      + "\(NumberText.fixed(interval.lower * 100, 1)) to \(NumberText.percent(interval.upper, 1)) "
      + "(95 % interval)"
  }
}

extension Evaluation {
  /// Where the error lies on samples that were not looked at, with 95 % confidence.
  public var errorInterval: BinomialInterval { BinomialInterval(errorCount, of: count) }
  /// The same of the accuracy.
  public var accuracyInterval: BinomialInterval { errorInterval.complement }
}
