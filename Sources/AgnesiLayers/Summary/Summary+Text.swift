import AgnesiExpressions

extension Summary: CustomStringConvertible {
  /// A table with one line for each layer, and totals.
  public var description: String {
    var table: [[String]] = [
      ["layer", "", "output", "parameters", "multiply-adds", "receptive field"]
    ]
    table += rows.map(\.cells)
    let work = multiplyAdds.map(Self.grouped) ?? "?"
    table.append(["total", "", "", Self.grouped(parameterCount), work, ""])
    var lines = Self.aligned(table)
    if statisticCount > 0 {
      lines.append("and \(Self.grouped(statisticCount)) running statistics")
    }
    if let failure { lines.append(failure.text(withSites: false)) }
    return lines.joined(separator: "\n")
  }

  /// Columns of equal width: words to the left, numbers to the right.
  private static func aligned(_ table: [[String]]) -> [String] {
    let columns = table[0].indices
    let widths = columns.map { column in table.map { $0[column].count }.max() ?? 0 }
    return table.map { row in
      let cells = columns.map { column in
        let padding = String(repeating: " ", count: widths[column] - row[column].count)
        return column == 3 || column == 4 ? padding + row[column] : row[column] + padding
      }
      let line = cells.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed())
    }
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

extension Summary.Row {
  fileprivate var cells: [String] {
    [
      layer, details, outputShape.map(\.description).joined(separator: "×"),
      Summary.grouped(parameterCount), multiplyAdds.map { Summary.grouped($0) } ?? "?",
      field.map(\.description) ?? "–",
    ]
  }
}

extension ReceptiveField: CustomStringConvertible {
  /// `14×14, step 4`
  public var description: String {
    let size = "\(height)×\(width)"
    if verticalStep == 0, horizontalStep == 0 { return size }
    let step = Self.text(verticalStep)
    let both =
      verticalStep == horizontalStep ? step : "\(step)×\(Self.text(horizontalStep))"
    return "\(size), step \(both)"
  }

  private static func text(_ step: Double) -> String {
    step == step.rounded() ? String(Int(step)) : String(step)
  }
}
