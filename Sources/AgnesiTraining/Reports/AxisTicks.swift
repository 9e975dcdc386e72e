#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Places of an axis that get a line and a label: multiples of 1, 2 or 5 times a power of ten.
package struct AxisTicks: Equatable {
  package let values: [Double]
  package let labels: [String]

  /// About `count` ticks inside `range`, at equal distances.
  package static func linear(_ range: ClosedRange<Double>, about count: Int) -> AxisTicks {
    evenly(range, step: NiceStep(atLeast: (range.upperBound - range.lowerBound) / Double(count))) {
      NumberText.fixed($0, $1)
    }
  }

  /// As ``linear(_:about:)``, with fractions labelled as percent.
  package static func percent(_ range: ClosedRange<Double>, about count: Int) -> AxisTicks {
    evenly(range, step: NiceStep(atLeast: (range.upperBound - range.lowerBound) / Double(count))) {
      NumberText.percent($0, max($1 - 2, 0))
    }
  }

  /// As ``linear(_:about:)``, but only whole numbers.
  package static func whole(_ range: ClosedRange<Double>, about count: Int) -> AxisTicks {
    let step = max((range.upperBound - range.lowerBound) / Double(count), 1)
    return evenly(range, step: NiceStep(atLeast: step)) { NumberText.fixed($0, $1) }
  }

  /// Ticks of a logarithmic axis: powers of ten, with 2 and 5 between them where there is room.
  ///
  /// - Precondition: `range.lowerBound > 0`.
  package static func logarithmic(_ range: ClosedRange<Double>) -> AxisTicks {
    let values = logarithmicValues(range)
    // Less than about half a decade holds too few of them to read values from.
    if values.count < 3 { return linear(range, about: 4) }
    return AxisTicks(values: values.map(\.value), labels: values.map(\.label))
  }

  /// Ticks for accuracies whose errors, `1 - accuracy`, are on a logarithmic axis: 90 %, 95 %, …
  ///
  /// - Parameter errors: the errors at the axis's ends, above 0.
  package static func accuracy(errors: ClosedRange<Double>) -> AxisTicks {
    var values = logarithmicValues(errors).map { (value: $0.value, exponent: $0.exponent) }
    if values.count < 3 {
      let step = NiceStep(atLeast: (errors.upperBound - errors.lowerBound) / 4)
      values = step.multiples(in: errors).map { ($0, step.exponent) }
    }
    return AxisTicks(
      values: values.map { 1 - $0.value },
      labels: values.map { NumberText.percent(1 - $0.value, max(-$0.exponent - 2, 0)) })
  }

  private static func evenly(
    _ range: ClosedRange<Double>, step: NiceStep, label: (Double, Int) -> String
  ) -> AxisTicks {
    let values = step.multiples(in: range)
    return AxisTicks(values: values, labels: values.map { label($0, max(-step.exponent, 0)) })
  }

  private static func logarithmicValues(
    _ range: ClosedRange<Double>
  ) -> [(value: Double, exponent: Int, label: String)] {
    let first = Int(log10(range.lowerBound).rounded(.down))
    let last = Int(log10(range.upperBound).rounded(.up))
    let mantissas: [Double] = last - first <= 4 ? [1, 2, 5] : [1]
    return (first...max(first, last)).flatMap { exponent in
      mantissas.compactMap { mantissa in
        let value = mantissa * NiceStep.powerOfTen(exponent)
        let isInside = value >= range.lowerBound * 0.9999 && value <= range.upperBound * 1.0001
        return isInside ? (value, exponent, logarithmicLabel(value, exponent)) : nil
      }
    }
  }

  private static func logarithmicLabel(_ value: Double, _ exponent: Int) -> String {
    exponent < -4 || exponent > 5
      ? NumberText.significant(value, 1) : NumberText.fixed(value, max(-exponent, 0))
  }
}

/// A distance of 1, 2 or 5 times a power of ten.
private struct NiceStep {
  let mantissa: Double
  let exponent: Int

  /// The smallest such distance that is at least `size`; 1 where `size` is no positive number.
  init(atLeast size: Double) {
    guard size > 0, size.isFinite else {
      mantissa = 1
      exponent = 0
      return
    }
    let power = Int(log10(size).rounded(.down))
    let fraction = size / Self.powerOfTen(power)
    // The margin keeps 0.2 from becoming 0.5 by a rounding error.
    let candidates: [Double] = [1, 2, 5]
    if let fitting = candidates.first(where: { fraction <= $0 * 1.000001 }) {
      mantissa = fitting
      exponent = power
    } else {
      mantissa = 1
      exponent = power + 1
    }
  }

  func multiples(in range: ClosedRange<Double>) -> [Double] {
    let size = mantissa * Self.powerOfTen(exponent)
    let first = (range.lowerBound / size - 1e-6).rounded(.up)
    let last = (range.upperBound / size + 1e-6).rounded(.down)
    guard first <= last, last - first < 1000 else { return [] }
    // Divided by an exact power where that is possible, so that 3 · 0.1 is 0.3.
    return stride(from: first, through: last, by: 1).map { index in
      exponent < 0 ? index * mantissa / Self.powerOfTen(-exponent) : index * size
    }
  }

  static func powerOfTen(_ exponent: Int) -> Double { pow(10, Double(exponent)) }
}
