/// Loss and accuracy by epoch, and the same as a table.
package struct CurveSection {
  package let report: TrainingReport

  package var html: HTML {
    guard !report.history.isEmpty else { return "" }
    let charts = [lossChart, accuracyChart].compactMap(\.self).map { chart -> HTML in
      "<div class=\"card\">\(chart.svg())</div>"
    }
    return reportSection(
      "Learning curves", report.phase.map { "Of the phase “\($0)”." } ?? "",
      "<div class=\"pair\">\(charts)</div>\(table)")
  }

  private var epochs: [Int] { report.history.map(\.epoch) }

  private var lossChart: LineChart? {
    let training = report.history.map { Optional($0.trainingLoss) }
    let validation = report.history.map(\.validationLoss)
    return LineChart(
      title: "Loss", epochs: epochs,
      series: [.init(.training, training), .init(.validation, validation)],
      scale: .loss((training + validation).compactMap(\.self)), best: report.bestEpoch
    ) { NumberText.significant($0) }
  }

  private var accuracyChart: LineChart? {
    let training = report.history.map(\.trainingAccuracy)
    let validation = report.history.map(\.validationAccuracy)
    let known = (training + validation).compactMap(\.self)
    if known.isEmpty { return nil }
    return LineChart(
      title: "Accuracy", epochs: epochs,
      series: [.init(.training, training), .init(.validation, validation)],
      scale: .accuracy(known), best: report.bestEpoch
    ) { NumberText.percent($0) }
  }

  private var table: HTML {
    let heads: [HTML] = [
      "Epoch", "Training loss", "Training accuracy", "Validation loss", "Validation accuracy",
      "Learning rate", "Seconds",
    ]
    return """
      <details><summary>All epochs as numbers</summary>
      <div class="scroll" tabindex="0" role="region" aria-label="All epochs as numbers">
      <table class="numbers"><thead><tr>\
      \(heads.map { "<th scope=\"col\">\($0)</th>" as HTML })</tr></thead>
      <tbody>\(report.history.map(row))</tbody></table></div></details>
      """
  }

  private func row(_ record: EpochRecord) -> HTML {
    let cells = [
      NumberText.significant(record.trainingLoss, 4),
      record.trainingAccuracy.map { NumberText.percent($0) },
      record.validationLoss.map { NumberText.significant($0, 4) },
      record.validationAccuracy.map { NumberText.percent($0) },
      record.learningRate.map { NumberText.significant($0) },
      NumberText.fixed(record.seconds, 1),
    ]
    let isKept = record.epoch == report.bestEpoch
    let kind: HTML = isKept ? " class=\"kept\"" : ""
    let mark: HTML = isKept ? " <span class=\"tag\">kept</span>" : ""
    return """
      <tr\(kind)><th scope="row">\(record.epoch)\(mark)</th>\
      \(cells.map { "<td>\($0 ?? "–")</td>" as HTML })</tr>

      """
  }
}
