import AgnesiExpressions

extension Summary: CustomStringConvertible {
  /// A table with one line for each layer, and totals.
  public var description: String { text() }

  /// A table with one line for each layer or group of layers, and totals.
  ///
  /// - Parameters:
  ///   - depth: how many parts of names stand in lines of their own: at 1, `stage1.block1.conv1` and
  ///     all others of `stage1` are one line. Nil unfolds everything.
  ///   - batch: how many samples the memory is given for; nil leaves it out.
  ///   - width: the most columns of a line, kept by shortening what layers do; nil for any.
  public func text(depth: Int? = nil, batch: Int? = nil, width: Int? = nil) -> String {
    var table: [[String]] = [
      ["layer", "", "output", "parameters", "multiply-adds", "receptive field"]
    ]
    table += lines(depth: depth).map(\.cells)
    let work = multiplyAdds.map(Self.grouped) ?? "?"
    table.append(["total", "", "", Self.grouped(parameterCount), work, ""])
    var lines = Self.aligned(table, width)
    if statisticCount > 0 {
      lines.append("and \(Self.grouped(statisticCount)) running statistics")
    }
    if let batch { lines.append(memoryText(batch)) }
    if let failure { lines.append(failure.wording ?? failure.text(withSites: false)) }
    return lines.joined(separator: "\n")
  }

  /// The deepest unfolding that has at most `count` lines, or else the shallowest.
  public func depth(ofAtMost count: Int) -> Int {
    let deepest = rows.map(\.path.count).max() ?? 1
    return (1...max(deepest, 1)).last { lines(depth: $0).count <= count } ?? 1
  }

  private func memoryText(_ batch: Int) -> String {
    func bytes(_ count: Int?) -> String {
      guard let count else { return "?" }
      let (units, size) = (["B", "kB", "MB", "GB", "TB"], Double(count))
      let unit = units.indices.last { Self.power($0) <= max(size, 1) } ?? 0
      let value = size / Self.power(unit)
      let digits = unit == 0 || value >= 100 ? 0 : 1
      return "\(Self.rounded(value, digits)) \(units[unit])"
    }
    let samples = batch == 1 ? "1 sample" : "\(batch) samples"
    return "memory: parameters \(bytes(memory.parameters)); outputs of layers for \(samples) "
      + "\(bytes(memory.training.map { $0 * batch })) in training, "
      + "\(bytes(memory.inference.map { $0 * batch })) in inference"
  }

  private static func power(_ exponent: Int) -> Double {
    (0..<exponent).reduce(1) { product, _ in product * 1000 }
  }

  private static func rounded(_ value: Double, _ digits: Int) -> String {
    digits == 0
      ? String(Int(value.rounded())) : String((value * 10).rounded() / 10)
  }

  /// Columns of equal width: words to the left, numbers to the right.
  private static func aligned(_ table: [[String]], _ width: Int?) -> [String] {
    let columns = table[0].indices
    var widths = columns.map { column in table.map { $0[column].count }.max() ?? 0 }
    let total = widths.reduce(2 * (widths.count - 1), +)
    if let width, total > width {
      // Details give way first, then names.
      let details = max(4, widths[1] - (total - width))
      let rest = total - width - (widths[1] - details)
      (widths[0], widths[1]) = (max(8, widths[0] - max(rest, 0)), details)
    }
    return table.map { row in
      let cells = columns.map { column in
        let cell = shortened(row[column], to: widths[column])
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        return column == 3 || column == 4 ? padding + cell : cell + padding
      }
      let line = cells.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed())
    }
  }

  private static func shortened(_ text: String, to width: Int) -> String {
    text.count <= width ? text : text.prefix(max(width - 1, 0)) + "…"
  }

  fileprivate static func grouped(_ number: Int) -> String {
    let digits = String(number.magnitude)
    var result = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { result += "," }
      result.append(digit)
    }
    return number < 0 ? "-" + result : result
  }

  fileprivate static func grouped(_ size: Size) -> String {
    size.known.map { grouped($0) } ?? size.description
  }
}

// MARK: - Groups

extension Summary {
  /// A layer, or neighbouring layers whose names begin alike.
  private struct Line {
    var name: String
    var rows: ArraySlice<Row>

    var cells: [String] {
      guard let last = rows.last else { return [] }
      var details = rows.count == 1 ? last.details : "\(rows.count) layers"
      if rows.count == 1, let owner = last.sharedWith {
        details += (details.isEmpty ? "" : ", ") + "parameters of \(owner)"
      }
      let shared = rows.filter { $0.sharedWith != nil }.count
      if rows.count > 1, shared > 0 { details += ", \(shared) with shared parameters" }
      return [
        name, details, last.outputShape.map(\.description).joined(separator: "×"),
        Summary.grouped(rows.reduce(0) { $0 + $1.parameterCount }),
        rows.multiplyAdds.map { Summary.grouped($0) } ?? "?", last.field?.description ?? "–",
      ]
    }
  }

  private func lines(depth: Int?) -> [Line] {
    var lines: [Line] = []
    var paths: [[String]] = []
    for index in rows.indices {
      let path = Array(rows[index].path.prefix(depth ?? .max))
      let isGroup = path.count < rows[index].path.count
      if isGroup, let last = lines.indices.last, paths[last] == path {
        lines[last].rows = rows[lines[last].rows.startIndex...index]
        lines[last].name = path.joined(separator: ".")
      } else {
        lines.append(Line(name: rows[index].layer, rows: rows[index...index]))
        paths.append(isGroup ? path : [])
      }
    }
    return lines
  }
}
