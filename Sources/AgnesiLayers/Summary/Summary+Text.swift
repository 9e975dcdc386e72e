import AgnesiArrays
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
  ///   - width: the most columns of a line, kept by shorter receptive fields, then by more lines for what
  ///     layers do and for their names; nil for any.
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
    if let batch { lines.append(memoryText(batch, width)) }
    if let failure { lines.append(failure.wording ?? failure.text(withLocations: false)) }
    return lines.joined(separator: "\n")
  }

  /// The deepest unfolding that has at most `count` lines, or else the shallowest.
  public func depth(ofAtMost count: Int) -> Int {
    let deepest = rows.map(\.path.count).max() ?? 1
    return (1...max(deepest, 1)).last { lines(depth: $0).count <= count } ?? 1
  }

  private func memoryText(_ batch: Int, _ width: Int?) -> String {
    func bytes(_ count: Int?) -> String {
      guard let count else { return "?" }
      let (units, size) = (["B", "kB", "MB", "GB", "TB"], Double(count))
      let unit = units.indices.last { Self.power($0) <= max(size, 1) } ?? 0
      let value = size / Self.power(unit)
      let digits = unit == 0 || value >= 100 ? 0 : 1
      return "\(Self.rounded(value, digits)) \(units[unit])"
    }
    let samples = batch == 1 ? "1 sample" : "\(batch) samples"
    let first = "memory: parameters \(bytes(memory.parameters)); outputs of layers for \(samples)"
    let second =
      "\(bytes(memory.training.map { $0.saturatingProduct(batch) })) in training, "
      + "\(bytes(memory.inference.map { $0.saturatingProduct(batch) })) in inference"
    let isLong = width.map { first.count + 1 + second.count > $0 } ?? false
    return isLong ? "\(first)\n  \(second)" : "\(first) \(second)"
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
    var table = table
    let columns = table[0].indices
    func widths() -> [Int] { columns.map { column in table.map { $0[column].count }.max() ?? 0 } }
    func total(_ widths: [Int]) -> Int { widths.reduce(2 * (widths.count - 1), +) }
    var chosen = widths()
    if let width, total(chosen) > width {
      for row in table.indices { table[row][5] = narrow(table[row][5]) }
      chosen = widths()
      // Details take more lines first, then names do, and then details again.
      let least = [8, min(leastDetails, chosen[1])]
      for (column, least) in [(1, least[1]), (0, least[0]), (1, 4)] {
        let excess = max(0, total(chosen) - width)
        chosen[column] = min(chosen[column], max(least, chosen[column] - excess))
      }
    }
    return table.flatMap { row in
      let names = wrapped(row[0], after: "._/", to: chosen[0])
      let details = wrapped(row[1], after: " ", to: chosen[1])
      func cells(_ number: Int) -> [String] {
        var cells = number == 0 ? row : row.map { _ in "" }
        cells[0] = names.indices.contains(number) ? names[number] : ""
        cells[1] = details.indices.contains(number) ? details[number] : ""
        return cells
      }
      return (0..<max(names.count, details.count)).map { line(cells($0), chosen) }
    }
  }

  /// Narrower columns of details are hard to read.
  private static let leastDetails = 14

  private static func line(_ cells: [String], _ widths: [Int]) -> String {
    let padded = cells.indices.map { column in
      let cell = shortened(cells[column], to: widths[column])
      let padding = String(repeating: " ", count: widths[column] - cell.count)
      return column == 3 || column == 4 ? padding + cell : cell + padding
    }
    let line = padded.joined(separator: "  ")
    return String(line.reversed().drop { $0 == " " }.reversed())
  }

  /// A receptive field and its step with a slash: `43×43 /8`.
  private static func narrow(_ field: String) -> String {
    field == "receptive field" ? "field /step" : field.replacing(", step ", with: " /")
  }

  /// The text in lines of at most `width` columns, broken behind some characters; a part that is longer
  /// stands alone.
  private static func wrapped(_ text: String, after ends: String, to width: Int) -> [String] {
    if text.count <= width { return [text] }
    var parts = [""]
    for character in text {
      parts[parts.count - 1].append(character)
      if ends.contains(character) { parts.append("") }
    }
    var lines = [""]
    for part in parts where !part.isEmpty {
      let last = lines[lines.count - 1]
      let isSpace = part.last == " "
      if last.isEmpty || last.count + part.count - (isSpace ? 1 : 0) <= width {
        lines[lines.count - 1] += part
      } else {
        lines.append(part)
      }
    }
    return lines.map { $0.last == " " ? String($0.dropLast()) : $0 }
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
