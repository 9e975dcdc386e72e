import AgnesiExpressions

extension Profiler {
  /// Tables for a person, at most 120 columns wide: for each function and each set of sizes its steps,
  /// the most expensive first.
  ///
  /// Steps of the same operations from the same line are one row in a first table, if there are any; a
  /// second one has each step, with the parameters that it reads or writes. What it took to bring parameters into the
  /// form that the steps read, when they are first called or a parameter has changed, is no step, and
  /// stands in the head. The columns:
  ///
  /// - `ms`: the median of the last calls, without the first one, which touches new memory;
  /// - `share`: in the time of all functions, in percent;
  /// - `n`: how many steps the row is, and `t`: on how many threads;
  /// - `GFLOP/s` and `GB/s`, each with its percentage of what the machine can do (for memory, with a
  ///   working set of that size). More than 100 is a convolution that needs fewer operations than
  ///   were counted, or limits that were measured on a busy machine;
  /// - `what`, `by` which library or loops, and, if that is known, `where` the user wrote it.
  ///
  /// - Parameters:
  ///   - limits: what the percentages are of; there are none without.
  ///   - rows: of a table of steps; what comes after them is summed up.
  public func report(against limits: MachineLimits? = nil, rows: Int = 40) -> String {
    let plans = plans
    let total = plans.map(\.entries).joined().reduce(0) { $0 + $1.expense }
    let sections = plans.map { ProfileSection($0, total: total) }.sorted { $0.expense > $1.expense }
    if sections.isEmpty { return "no function was called" }
    let head = limits.map { [$0.summary] } ?? []
    return (head + sections.map { $0.text(against: limits, rows: rows) })
      .joined(separator: "\n\n")
  }
}

extension Profiler: CustomStringConvertible {
  /// The report without percentages.
  public var description: String { report() }
}

extension MachineLimits {
  /// One line.
  fileprivate var summary: String {
    let levels = memory.map { level in
      let size = level.workingSet >= 1 << 20 ? level.workingSet >> 20 : level.workingSet >> 10
      let unit = level.workingSet >= 1 << 20 ? "MiB" : "KiB"
      return "\(Digits.text(level.fastest / 1e9)) in \(size) \(unit)"
    }
    let workers = threads == 1 ? "1 thread" : "\(threads) threads"
    return "100 % for \(workers): \(Digits.text(operations / 1e9)) GFLOP/s; GB/s "
      + levels.joined(separator: ", ")
  }
}

/// The steps of a function for given sizes.
private struct ProfileSection {
  let name: String
  let calls: Int
  /// Of all calls.
  let expense: Double
  let total: Double
  /// Before the steps could run, in all calls.
  let preparation: Double
  let steps: [ProfileRow]

  init(_ plan: Profiler.Plan, total: Double) {
    let entries = plan.entries
    preparation = plan.preparation
    name = entries.first?.function ?? ""
    calls = entries.first?.calls ?? 0
    expense = entries.reduce(0) { $0 + $1.expense }
    self.total = total
    steps = entries.map { ProfileRow($0) }.sorted { $0.seconds > $1.seconds }
  }

  func text(against limits: MachineLimits?, rows: Int) -> String {
    let milliseconds = Digits.fixed(steps.reduce(0) { $0 + $1.seconds } * 1e3, 3)
    let part = Digits.fixed(total > 0 ? expense / total * 100 : 0, 1)
    let times = calls == 1 ? "1 call" : "\(calls) calls"
    var head = "\(name): \(times), median \(milliseconds) ms, \(part) %"
    if preparation > 0 {
      head += "; before that \(Digits.fixed(preparation * 1e3, 3)) ms to prepack parameters"
    }
    let merged = ProfileRow.merged(steps)
    var tables = [table(Array(steps.prefix(rows)), against: limits)]
    if merged.count < steps.count {
      tables = [
        "steps of one kind together:\n" + table(merged, against: limits),
        "each step by itself, with its parameters:\n" + tables[0],
      ]
    }
    if steps.count > rows {
      let rest = steps.dropFirst(rows).reduce(0) { $0 + $1.seconds } * Double(calls)
      let part = Digits.fixed(total > 0 ? rest / total * 100 : 0, 1)
      tables[tables.count - 1] += "\nand \(steps.count - rows) more steps, \(part) %"
    }
    return ([head] + tables).joined(separator: "\n")
  }

  private func table(_ rows: [ProfileRow], against limits: MachineLimits?) -> String {
    let scale = total > 0 ? Double(calls) / total : 0
    var head = ProfileRow.head(hasLimits: limits != nil)
    var cells = rows.map { $0.cells(share: $0.seconds * scale, against: limits) }
    // Programs without debug information do not know any place.
    let hasPlaces = rows.contains { !$0.place.isEmpty }
    if !hasPlaces {
      head.removeLast()
      for row in cells.indices { cells[row].removeLast() }
    }
    return TextTable(head: head, rows: cells, texts: hasPlaces ? 3 : 2).text(width: 120)
  }
}

/// A step, or several steps of one kind.
private struct ProfileRow {
  /// Of one call.
  var seconds: Double
  var operations: Double
  var bytes: Double
  /// How many it is.
  var steps = 1
  var threads: Int
  let label: String
  let parameters: [String]
  let producer: String
  let place: String

  init(_ entry: Profiler.Entry) {
    seconds = entry.medianSeconds
    operations = entry.operations
    bytes = entry.bytes
    threads = entry.threads
    label = entry.label
    parameters = entry.parameters
    producer = entry.producer
    place = entry.location?.brief ?? ""
  }

  /// Rows of one label, place and producer as one, the most expensive first.
  static func merged(_ rows: [ProfileRow]) -> [ProfileRow] {
    var result: [ProfileRow] = []
    var positions: [[String]: Int] = [:]
    for row in rows {
      let key = [row.label, row.place, row.producer]
      guard let position = positions[key] else {
        positions[key] = result.count
        result.append(row)
        continue
      }
      result[position].add(row)
    }
    return result.sorted { $0.seconds > $1.seconds }
  }

  private mutating func add(_ other: ProfileRow) {
    seconds += other.seconds
    operations += other.operations
    bytes += other.bytes
    steps += other.steps
    threads = max(threads, other.threads)
  }

  static func head(hasLimits: Bool) -> [String] {
    let percent = hasLimits ? ["%"] : []
    return ["ms", "share", "n", "t", "GFLOP/s"] + percent + ["GB/s"] + percent
      + ["what", "by", "where"]
  }

  func cells(share: Double, against limits: MachineLimits?) -> [String] {
    func speed(_ amount: Double, _ peak: Double?) -> [String] {
      guard amount > 0, seconds > 0 else { return peak == nil ? [""] : ["", ""] }
      let speed = amount / seconds
      return [Digits.text(speed / 1e9)] + (peak.map { [Digits.fixed(speed / $0 * 100, 0)] } ?? [])
    }
    let each = bytes / Double(steps)
    let names = steps == 1 ? parameters : []
    return [Digits.fixed(seconds * 1e3, 3), Digits.fixed(share * 100, 1), "\(steps)", "\(threads)"]
      + speed(operations, limits?.operations)
      + speed(bytes, limits?.bytesPerSecond(moving: each))
      + [([label] + names).joined(separator: " "), producer, place]
  }
}
