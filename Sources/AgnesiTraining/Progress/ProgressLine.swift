/// The texts of a progress display; nothing here writes.
package enum ProgressLine {
  package struct Style: Sendable, Equatable {
    /// Whether the terminal shows colours and the user wants them.
    package var usesColour: Bool
    /// Whether the terminal shows more than ASCII.
    package var usesUnicode: Bool

    package init(usesColour: Bool, usesUnicode: Bool) {
      self.usesColour = usesColour
      self.usesUnicode = usesUnicode
    }
  }

  /// The line that is redrawn, at most `width` columns wide.
  ///
  /// Where it does not fit, the parts that matter least are left out: the samples per second, the
  /// time of a step, the bar, the percentage, the accuracy, the time left, the loss.
  package static func live(_ snapshot: ProgressSnapshot, width: Int, style: Style) -> String {
    let parts = parts(of: snapshot)
    var room = width
    var kept: Set<Part> = []
    // In the order of importance, which is not the order of showing; the first that does not fit
    // ends it, so that parts never appear and disappear by turns with the length of a number.
    for part in Part.byImportance {
      guard let length = part == .bar ? shortestBar : parts[part]?.count else { continue }
      let needed = length + (kept.isEmpty ? 0 : gap.count)
      if needed > room { break }
      kept.insert(part)
      room -= needed
    }
    if kept.isEmpty { return String((parts[.epoch] ?? "").prefix(max(width, 0))) }
    let cells = min(shortestBar + room, longestBar)
    return Part.allCases.filter(kept.contains).compactMap { part in
      part == .bar ? bar(snapshot.fraction, cells: cells, style: style) : parts[part]
    }.joined(separator: gap)
  }

  /// The line for files and pipes in the middle of an epoch.
  package static func plain(_ snapshot: ProgressSnapshot) -> String {
    let parts = parts(of: snapshot)
    return Part.allCases.compactMap { parts[$0] }.joined(separator: gap)
  }

  /// The line of a finished epoch.
  package static func epoch(_ record: EpochRecord, of epochs: Int, isBest: Bool) -> String {
    var parts = [head(record.epoch, epochs), "loss \(loss(record.trainingLoss))"]
    if let accuracy = record.trainingAccuracy { parts.append(percent(accuracy)) }
    if let value = record.validationLoss { parts.append("validation loss \(loss(value))") }
    if let accuracy = record.validationAccuracy {
      parts.append(
        record.validationLoss == nil ? "validation \(percent(accuracy))" : percent(accuracy))
    }
    parts.append(TimeText.measured(record.seconds))
    if isBest { parts.append("best") }
    return parts.joined(separator: gap)
  }

  /// `cells` columns, of which the done part is drawn stronger.
  package static func bar(_ fraction: Double, cells: Int, style: Style) -> String {
    let done = Int((min(max(fraction, 0), 1) * Double(cells)).rounded(.down))
    let (full, open) = style.usesUnicode ? ("━", "─") : ("=", "-")
    let first = String(repeating: full, count: done)
    let rest = String(repeating: open, count: cells - done)
    if !style.usesColour { return first + rest }
    return "\u{1B}[36m\(first)\u{1B}[0m\u{1B}[2m\(rest)\u{1B}[0m"
  }
}

// MARK: - The parts of a line

extension ProgressLine {
  /// In the order of showing.
  private enum Part: CaseIterable {
    case epoch, bar, percentage, loss, accuracy, stepTime, speed, timeLeft

    static let byImportance: [Part] = [
      .epoch, .loss, .timeLeft, .accuracy, .percentage, .bar, .stepTime, .speed,
    ]
  }

  private static let gap = "  "
  private static let shortestBar = 10
  private static let longestBar = 28

  private static func parts(of snapshot: ProgressSnapshot) -> [Part: String] {
    var parts: [Part: String] = [
      .epoch: head(snapshot.epoch, snapshot.epochs),
      .percentage: padded(NumberText.percent(snapshot.fraction, 0), to: 5),
    ]
    parts[.loss] = snapshot.loss.map { "loss \(loss($0))" }
    parts[.accuracy] = snapshot.accuracy.map(percent)
    parts[.timeLeft] = snapshot.secondsLeft.map { "\(TimeText.coarse($0)) left" }
    if let seconds = snapshot.secondsPerStep, seconds > 0 {
      let speed = Double(snapshot.batchSize) / seconds
      parts[.stepTime] = "\(NumberText.significant(seconds * 1000)) ms/step"
      parts[.speed] = "\(NumberText.grouped(rounded(speed))) samples/s"
    }
    return parts
  }

  /// `epoch  3/25`: the number takes as many columns as the last epoch's.
  private static func head(_ epoch: Int, _ epochs: Int) -> String {
    "epoch \(padded(String(epoch), to: String(epochs).count))/\(epochs)"
  }

  private static func loss(_ value: Double) -> String {
    abs(value) < 100 ? NumberText.fixed(value, 4) : NumberText.significant(value, 4)
  }

  private static func percent(_ accuracy: Double) -> String {
    "accuracy \(NumberText.percent(accuracy))"
  }

  private static func padded(_ text: String, to width: Int) -> String {
    String(repeating: " ", count: max(width - text.count, 0)) + text
  }

  /// Three significant digits, so that the last ones do not flicker.
  private static func rounded(_ speed: Double) -> Int {
    guard speed.isFinite, speed < 1e15 else { return 0 }
    var unit = 1.0
    while speed / unit >= 1000 { unit *= 10 }
    return Int((speed / unit).rounded() * unit)
  }
}
