/// Aligned columns: numbers to the right, texts, which come last, to the left.
struct TextTable {
  var head: [String]
  var rows: [[String]]
  /// How many of the columns are texts, which are shortened where the lines would be too long.
  var texts: Int

  /// The lines, at most `width` characters long unless the numbers alone need more.
  func text(width: Int) -> String {
    let lines = [head] + rows
    var widths = head.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    let first = head.count - texts
    let limit = width - widths[..<first].reduce(0, +) - (first - 1) - 2 * texts
    // The longest column gives way first.
    while widths[first...].reduce(0, +) > max(limit, 3 * texts),
      let widest = widths.indices[first...].max(by: { (widths[$0], $1) < (widths[$1], $0) })
    {
      widths[widest] -= 1
    }
    return lines.map { line in
      let cells = line.enumerated().map { column, cell in
        column < first ? right(cell, widths[column]) : left(cell, widths[column])
      }
      let numbers = cells[..<first].joined(separator: " ")
      let text = ([numbers] + cells[first...]).joined(separator: "  ")
      return String(text.reversed().drop { $0 == " " }.reversed())
    }.joined(separator: "\n")
  }

  private func right(_ cell: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - cell.count)) + cell
  }

  private func left(_ cell: String, _ width: Int) -> String {
    guard cell.count > width else {
      return cell + String(repeating: " ", count: width - cell.count)
    }
    return cell.prefix(max(0, width - 1)) + "…"
  }
}

/// Numbers as text, without the machinery of locales.
enum Digits {
  /// With so many digits behind the point.
  static func fixed(_ value: Double, _ decimals: Int) -> String {
    let scale = (0..<decimals).reduce(1.0) { scale, _ in scale * 10 }
    let scaled = (abs(value) * scale).rounded()
    // Beyond this a double has no such digits.
    guard scaled < 0x1p53 else { return "\(value)" }
    let digits = String(Int(scaled))
    let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
    let sign = value < 0 && scaled > 0 ? "-" : ""
    guard decimals > 0 else { return sign + padded }
    return "\(sign)\(padded.dropLast(decimals)).\(padded.suffix(decimals))"
  }

  /// Three digits, or all before the point.
  static func text(_ value: Double) -> String {
    fixed(value, abs(value) >= 99.95 ? 0 : abs(value) >= 9.995 ? 1 : 2)
  }
}
