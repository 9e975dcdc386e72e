/// A chart of values by epoch, as scalable vector graphics.
///
/// The colours come from the page's (or, of a chart by itself, its own) style, so that the chart
/// follows the reader's light or dark setting.
package struct LineChart {
  package struct Series {
    package enum Role: String {
      case training, validation
    }
    package let role: Role
    /// One for each epoch; nil where there is none.
    package let values: [Double?]

    package init(_ role: Role, _ values: [Double?]) {
      self.role = role
      self.values = values
    }

    fileprivate func value(_ index: Int) -> Double? {
      index < values.count ? values[index].flatMap { $0.isFinite ? $0 : nil } : nil
    }
  }

  package let title: String
  package let epochs: [Int]
  package let series: [Series]
  package let scale: ChartScale
  /// The epoch whose parameters were kept.
  package let best: Int?
  package let format: (Double) -> String

  /// A chart; series without any finite value are left out.
  package init(
    title: String, epochs: [Int], series: [Series], scale: ChartScale, best: Int? = nil,
    format: @escaping (Double) -> String
  ) {
    self.title = title
    self.epochs = epochs
    self.series = series.filter { line in epochs.indices.contains { line.value($0) != nil } }
    self.scale = scale
    self.best = best
    self.format = format
  }

  /// The picture; `standalone` for a file of its own, otherwise for a page that has
  /// ``ChartStyle/css``.
  package func svg(standalone: Bool = false) -> HTML {
    let size: HTML = "0 0 \(Plot.width) \(Plot.height)"
    let space: HTML = standalone ? " xmlns=\"http://www.w3.org/2000/svg\"" : ""
    let style: HTML = standalone ? "<style>\(ChartStyle.css)</style>" : ""
    return """
      <svg class="chart" viewBox="\(size)" role="img" aria-label="\(summary)"\(space)>\(style)
      \(legend)
      \(valueAxis)
      \(epochAxis)
      \(bestMark)
      \(series.map(line))
      \(epochs.indices.map(hoverBand))
      </svg>
      """
  }
}

// MARK: - Where things stand

/// The chart's plane, in its own units.
private enum Plot {
  static let width = 480
  static let height = 300
  static let left = 60.0
  static let right = 470.0
  static let top = 42.0
  static let bottom = 250.0
}

extension LineChart {
  /// The epochs at the left and the right edge.
  private var span: ClosedRange<Double> {
    let first = Double(epochs.min() ?? 1)
    let last = Double(epochs.max() ?? 1)
    return first < last ? first...last : (first - 1)...(first + 1)
  }

  private func x(_ epoch: Double) -> Double {
    let fraction = (epoch - span.lowerBound) / (span.upperBound - span.lowerBound)
    return Plot.left + 8 + fraction * (Plot.right - Plot.left - 16)
  }

  private func y(_ value: Double) -> Double {
    Plot.bottom - scale.height(of: value) * (Plot.bottom - Plot.top)
  }

  private func at(_ coordinate: Double) -> String { NumberText.fixed(coordinate, 1) }
}

// MARK: - The parts

extension LineChart {
  private var legend: HTML {
    let note: HTML =
      switch scale.kind {
      case .logarithmic: " <tspan class=\"note\" dx=\"4\">log scale</tspan>"
      case .accuracy: " <tspan class=\"note\" dx=\"4\">error on a log scale</tspan>"
      case .linear, .percent: ""
      }
    let entries = series.enumerated().map { index, line -> HTML in
      let start = Plot.right - 106 * Double(series.count - index)
      return """
        <path class="\(line.role.rawValue)" d="M\(at(start)) 14h24"/>\
        <text x="\(at(start + 30))" y="18">\(line.role.rawValue)</text>
        """
    }
    return """
      <text class="title" x="2" y="18">\(title)\(note)</text>\(entries)
      """
  }

  private var valueAxis: HTML {
    let ticks = scale.ticks
    let rows = zip(ticks.values, ticks.labels).map { value, label -> HTML in
      let height = at(y(value))
      return """
        <path class="grid" d="M\(at(Plot.left)) \(height)H\(at(Plot.right))"/>\
        <text class="tick end" x="\(at(Plot.left - 8))" y="\(at(y(value) + 4))">\(label)</text>
        """
    }
    return "<g>\(rows)</g>"
  }

  private var epochAxis: HTML {
    let ticks = AxisTicks.whole(span, about: 8)
    let known = zip(ticks.values, ticks.labels).filter { value, _ in
      epochs.count > 1 || Int(value) == epochs.first
    }
    let marks = known.map { value, label -> HTML in
      """
      <path class="axis" d="M\(at(x(value))) \(at(Plot.bottom))v5"/>\
      <text class="tick middle" x="\(at(x(value)))" y="\(at(Plot.bottom + 20))">\(label)</text>
      """
    }
    return """
      <path class="axis" d="M\(at(Plot.left)) \(at(Plot.bottom))H\(at(Plot.right))"/>\(marks)
      <text class="tick end" x="\(at(Plot.right))" y="\(at(Plot.bottom + 42))">epoch</text>
      """
  }

  private var bestMark: HTML {
    guard let best, epochs.contains(best), epochs.count > 1 else { return "" }
    let place = x(Double(best))
    let side: HTML = place > (Plot.left + Plot.right) / 2 ? "end" : "start"
    let text = place > (Plot.left + Plot.right) / 2 ? place - 6 : place + 6
    return """
      <path class="best" d="M\(at(place)) \(at(Plot.top - 8))V\(at(Plot.bottom))"/>\
      <text class="tick \(side)" x="\(at(text))" y="\(at(Plot.top + 2))">kept: epoch \(best)</text>
      """
  }

  private func line(_ series: Series) -> HTML {
    var path = ""
    var penIsDown = false
    var dots: [HTML] = []
    for (index, epoch) in epochs.enumerated() {
      guard let value = series.value(index) else {
        penIsDown = false
        continue
      }
      let (left, top) = (at(x(Double(epoch))), at(y(value)))
      path += "\(penIsDown ? "L" : "M")\(left) \(top)"
      penIsDown = true
      dots.append("<circle cx=\"\(left)\" cy=\"\(top)\" r=\"2.6\"/>")
    }
    // Beyond this many, dots would touch each other.
    let shown = epochs.count <= 40 ? dots : []
    return """
      <g class="\(series.role.rawValue)"><path d="\(path)"/>\(shown)</g>

      """
  }

  /// A strip that shows an epoch's values while the pointer is on it.
  private func hoverBand(_ index: Int) -> HTML {
    let place = x(Double(epochs[index]))
    let before = index > 0 ? x(Double(epochs[index - 1])) : place - 16
    let after = index + 1 < epochs.count ? x(Double(epochs[index + 1])) : place + 16
    let start = max((before + place) / 2, Plot.left)
    let width = min((place + after) / 2, Plot.right) - start
    let values = series.compactMap { line -> (Series.Role, Double)? in
      line.value(index).map { (line.role, $0) }
    }
    let dots = values.map { role, value -> HTML in
      "<circle class=\"\(role.rawValue)\" cx=\"\(at(place))\" cy=\"\(at(y(value)))\" r=\"4.5\"/>"
    }
    let readout = values.map { role, value -> HTML in
      " · \(role.rawValue) <tspan class=\"\(role.rawValue)\">\(format(value))</tspan>"
    }
    let words = values.map { "\($0.0.rawValue) \(format($0.1))" }.joined(separator: ", ")
    return """
      <g class="epoch"><title>epoch \(epochs[index]): \(words)</title>\
      <rect x="\(at(start))" y="\(at(Plot.top))" width="\(at(max(width, 0)))" \
      height="\(at(Plot.bottom - Plot.top))"/>\
      <g class="hover"><path d="M\(at(place)) \(at(Plot.top))V\(at(Plot.bottom))"/>\(dots)\
      <text x="2" y="\(at(Plot.bottom + 42))">epoch \(epochs[index])\(readout)</text>\
      </g></g>

      """
  }

  /// The chart in words, for those who do not see it.
  private var summary: String {
    let parts = series.compactMap { line -> String? in
      let known = epochs.indices.compactMap { index in
        line.value(index).map { (epochs[index], $0) }
      }
      guard let first = known.first, let last = known.last else { return nil }
      return
        "\(line.role.rawValue) from \(format(first.1)) in epoch \(first.0) "
        + "to \(format(last.1)) in epoch \(last.0)"
    }
    return "\(title) by epoch: \(parts.joined(separator: "; "))"
  }
}
