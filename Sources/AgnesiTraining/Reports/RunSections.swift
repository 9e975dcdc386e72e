/// The network's layers.
package struct NetworkSection {
  package let report: TrainingReport

  package var html: HTML {
    guard !report.layers.isEmpty else { return "" }
    let heads = ["Layer", "Output", "Parameters"] + optionalHeads
    return reportSection(
      "Network", "",
      """
      <div class="card scroll" tabindex="0" role="region" aria-label="Network">
      <table class="numbers network"><thead><tr>\
      \(heads.map { "<th scope=\"col\">\($0)</th>" as HTML })</tr></thead>
      <tbody>\(report.layers.map(row))</tbody>
      <tfoot>\(total)</tfoot></table></div>
      """)
  }

  private var hasOperations: Bool { report.layers.contains { $0.multiplyAdds != nil } }
  private var hasFields: Bool { report.layers.contains { $0.receptiveField != nil } }

  private var optionalHeads: [String] {
    (hasOperations ? ["Multiply-adds"] : []) + (hasFields ? ["Receptive field"] : [])
  }

  private func row(_ layer: TrainingReport.Layer) -> HTML {
    var cells = [
      layer.outputShape.map(String.init).joined(separator: " × "),
      number(layer.parameters),
    ]
    if hasOperations { cells.append(number(layer.multiplyAdds ?? 0)) }
    if hasFields { cells.append(layer.receptiveField.map { "\($0) × \($0)" } ?? "–") }
    return """
      <tr><th scope="row">\(layer.name)</th>\(cells.map { "<td>\($0)</td>" as HTML })</tr>

      """
  }

  private var total: HTML {
    var cells = ["", NumberText.grouped(report.layers.reduce(0) { $0 + $1.parameters })]
    if hasOperations {
      cells.append(NumberText.grouped(report.layers.reduce(0) { $0 + ($1.multiplyAdds ?? 0) }))
    }
    if hasFields { cells.append("") }
    return "<tr><th scope=\"row\">Total</th>\(cells.map { "<td>\($0)</td>" as HTML })</tr>"
  }

  private func number(_ count: Int) -> String { count == 0 ? "–" : NumberText.grouped(count) }
}

/// What was chosen, what it ran on, and how to repeat it.
package struct RunSection {
  package let report: TrainingReport

  package var html: HTML {
    let lists = [
      list("Settings", report.settings), list("Machine and time", machine + files),
    ].compactMap(\.self)
    if lists.isEmpty, report.command == nil { return "" }
    let command: HTML =
      report.command.map {
        """
        <div class="card command"><h3>To repeat it</h3>\
        <pre tabindex="0"><code>\($0)</code></pre></div>
        """
      } ?? ""
    return reportSection("Run", "", "<div class=\"pair\">\(lists)</div>\(command)")
  }

  private func list(_ heading: String, _ entries: [TrainingReport.Setting]) -> HTML? {
    if entries.isEmpty { return nil }
    let rows = entries.map { entry -> HTML in
      "<div><dt>\(entry.name)</dt><dd>\(entry.value)</dd></div>\n"
    }
    return "<div class=\"card\"><h3>\(heading)</h3><dl>\(rows)</dl></div>"
  }

  private var machine: [TrainingReport.Setting] {
    var entries: [TrainingReport.Setting] = []
    if let machine = report.machine {
      if let processor = machine.processor { entries.append(.init("processor", processor)) }
      entries.append(.init("cores", String(machine.cores)))
      entries.append(.init("threads used", String(machine.threads)))
      if let system = machine.system { entries.append(.init("system", system)) }
    }
    guard let timing = report.timing else { return entries }
    entries.append(.init("training time", TimeText.measured(timing.total)))
    if !report.history.isEmpty {
      let mean = report.history.reduce(0) { $0 + $1.seconds } / Double(report.history.count)
      let phase = report.phase.map { ", phase “\($0)”" } ?? ""
      entries.append(.init("time per epoch\(phase)", TimeText.measured(mean)))
    }
    if let first = timing.firstStep {
      entries.append(.init("until the first step was done", TimeText.measured(first)))
    }
    return entries
  }

  private var files: [TrainingReport.Setting] {
    var entries: [TrainingReport.Setting] = []
    if let loss = report.testLoss {
      entries.append(.init("\(report.judgedPart) loss", NumberText.significant(loss, 4)))
    }
    if let file = report.modelFile { entries.append(.init("model file", file)) }
    return entries
  }
}
