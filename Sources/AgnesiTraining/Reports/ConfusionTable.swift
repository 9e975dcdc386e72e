/// A confusion matrix as a table whose cells are shaded by their share of the row.
package struct ConfusionTable {
  package let matrix: ConfusionMatrix
  /// May be shorter than the classes; the missing ones are called by their numbers.
  package let classNames: [String]

  package init(matrix: ConfusionMatrix, classNames: [String]) {
    self.matrix = matrix
    self.classNames = classNames
  }

  /// Above this many classes the cells show no numbers, only shades.
  private static let mostWithNumbers = 30

  package var html: HTML {
    let classes = Array(0..<matrix.classCount)
    var kind: HTML = classes.count > Self.mostWithNumbers ? "confusion compact" : "confusion"
    // Short names need not be turned to fit above their columns.
    if classes.allSatisfy({ name($0).count <= 3 }) { kind = kind + " short" }
    return """
      <div class="scroll" tabindex="0" role="region" aria-label="Confusion matrix">
      <table class="\(kind)">
      <thead><tr><td class="corner">is ↓ &#8199; taken for →</td>\
      \(classes.map { columnHead($0) })\
      <th scope="col" class="rate"><span>recall</span></th></tr></thead>
      <tbody>\(classes.map { row($0) })</tbody>
      <tfoot><tr><th scope="row">precision</th>\
      \(classes.map { rateCell(matrix.precision(of: $0)) })<td></td></tr></tfoot>
      </table></div>
      """
  }

  package func name(_ label: Int) -> String {
    classNames.indices.contains(label) ? classNames[label] : String(label)
  }

  private func columnHead(_ label: Int) -> HTML {
    "<th scope=\"col\"><span>\(name(label))</span></th>"
  }

  private func row(_ actual: Int) -> HTML {
    """
    <tr><th scope="row">\(name(actual))</th>\
    \((0..<matrix.classCount).map { cell(actual, $0) })\
    \(rateCell(matrix.recall(of: actual)))</tr>

    """
  }

  private func cell(_ actual: Int, _ predicted: Int) -> HTML {
    let count = matrix.counts[actual][predicted]
    let total = matrix.actualCount(of: actual)
    guard count > 0 else { return "<td class=\"none\">·</td>" }
    let share = Double(count) / Double(total)
    // The square root lets a few confusions among thousands be seen.
    let shade = share.squareRoot()
    var kind: HTML = actual == predicted ? "hit" : "miss"
    if shade > 0.6 { kind = kind + " strong" }
    let words =
      actual == predicted
      ? "\(NumberText.grouped(count)) of \(NumberText.grouped(total)) “\(name(actual))” found"
      : "\(NumberText.grouped(count)) of \(NumberText.grouped(total)) “\(name(actual))” "
        + "taken for “\(name(predicted))”"
    return """
      <td class="\(kind)" style="--shade:\(NumberText.fixed(shade, 3))" \
      title="\(words) (\(NumberText.percent(share, 1)))">\(NumberText.grouped(count))</td>
      """
  }

  private func rateCell(_ rate: Double?) -> HTML {
    "<td class=\"rate\">\(rate.map { NumberText.percent($0, 1) } ?? "–")</td>"
  }
}
