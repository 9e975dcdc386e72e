#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// How values become heights of a chart.
package struct ChartScale: Equatable {
  package enum Kind: Equatable {
    case linear
    /// Equal factors are equal distances.
    case logarithmic
    /// Fractions as percent, at equal distances.
    case percent
    /// Fractions as percent; halving the error is always the same distance, so that 99.2 % and
    /// 99.4 % can still be told apart.
    case accuracy
  }

  package let kind: Kind
  /// The values at the bottom and at the top.
  package let domain: ClosedRange<Double>

  /// The scale that holds all finite values, with a little room at both ends.
  package init(_ kind: Kind, values: [Double]) {
    self.kind = kind
    let usable = values.filter { $0.isFinite && Self.isUsable($0, kind) }
    let places = usable.map { Self.place($0, kind) }
    var (low, high) = (places.min() ?? 0, places.max() ?? 1)
    if high - low < 1e-9 * max(abs(high), 1e-3) {
      let margin = kind == .linear ? max(abs(high) * 0.1, 1e-6) : 0.05
      (low, high) = (low - margin, high + margin)
    }
    let room = (high - low) * 0.06
    (low, high) = (low - room, high + room)
    if kind == .percent { (low, high) = (max(low, 0), min(high, 1)) }
    domain = Self.value(low, kind)...Self.value(high, kind)
  }

  /// 0 at the bottom, 1 at the top; values outside are put on the nearer edge.
  package func height(of value: Double) -> Double {
    guard Self.isUsable(value, kind) else { return kind == .accuracy ? 1 : 0 }
    let low = Self.place(domain.lowerBound, kind)
    let high = Self.place(domain.upperBound, kind)
    return min(max((Self.place(value, kind) - low) / (high - low), 0), 1)
  }

  package var ticks: AxisTicks {
    switch kind {
    case .linear: return .linear(domain, about: 5)
    case .logarithmic: return .logarithmic(domain)
    case .percent: return .percent(domain, about: 5)
    case .accuracy: return .accuracy(errors: (1 - domain.upperBound)...(1 - domain.lowerBound))
    }
  }

  private static func isUsable(_ value: Double, _ kind: Kind) -> Bool {
    switch kind {
    case .linear, .percent: true
    case .logarithmic: value > 0
    case .accuracy: value < 1
    }
  }

  private static func place(_ value: Double, _ kind: Kind) -> Double {
    switch kind {
    case .linear, .percent: value
    case .logarithmic: log10(value)
    case .accuracy: -log10(1 - value)
    }
  }

  private static func value(_ place: Double, _ kind: Kind) -> Double {
    switch kind {
    case .linear, .percent: place
    case .logarithmic: pow(10, place)
    case .accuracy: 1 - pow(10, -place)
    }
  }
}

extension ChartScale {
  /// A loss's scale: logarithmic where it falls by more than a factor of 20, which on a linear
  /// scale would hide all but the first epochs.
  package static func loss(_ values: [Double]) -> ChartScale {
    let finite = values.filter(\.isFinite)
    guard let low = finite.min(), let high = finite.max(), low > 0, high > 20 * low else {
      return ChartScale(.linear, values: values)
    }
    return ChartScale(.logarithmic, values: values)
  }

  /// An accuracy's scale: by halved errors once any exceeds 95 %.
  package static func accuracy(_ values: [Double]) -> ChartScale {
    ChartScale((values.filter(\.isFinite).max() ?? 0) > 0.95 ? .accuracy : .percent, values: values)
  }
}
