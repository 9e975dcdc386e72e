import AgnesiImages

extension TrainingReport {
  /// The report as one page that needs nothing else: pictures stand in it as `data:` addresses,
  /// and it holds no scripts. All texts are escaped.
  public var html: String { ReportPage(report: self).html.text }
}

/// Puts a report's sections together.
package struct ReportPage {
  package let report: TrainingReport

  package var html: HTML {
    let notation: HTML =
      report.notation.map { "<p class=\"notation\"><code>\($0)</code></p>" } ?? ""
    return HTMLPage(
      kicker: "Training report", title: report.title,
      lead: "<p class=\"lead\">\(report.dataSet)</p>\n\(notation)",
      main: """
        \(notes)
        \(ResultTiles(report: report).html)
        \(CurveSection(report: report).html)
        \(ConfusionSection(report: report).html)
        \(MistakeSection(report: report).html)
        \(KernelSection(report: report).html)
        \(NetworkSection(report: report).html)
        \(RunSection(report: report).html)
        """,
      version: report.version
    ).html
  }

  private var notes: HTML {
    let names = (report.confusion?.neverPredicted ?? []).map { "“\(report.className($0))”" }
    var all = report.notes
    if !names.isEmpty {
      all.append(
        "Never predicted, although present in the \(report.judgedPart) set: \(names.joined(separator: ", "))."
      )
    }
    return all.isEmpty ? "" : "<ul class=\"notes\">\(all.map { "<li>\($0)</li>" as HTML })</ul>"
  }
}

/// A section with a heading; nothing where the content is nil.
package func reportSection(_ heading: String, _ lead: HTML = "", _ content: HTML?) -> HTML {
  guard let content else { return "" }
  let words: HTML = lead == .empty ? "" : "<p class=\"lead\">\(lead)</p>"
  return """
    <section>
    <h2>\(heading)</h2>
    \(words)
    \(content)
    </section>
    """
}

/// A picture in the page, or the reason why there is none.
///
/// A report comes at the end of a long run: a picture that cannot be made must not cost the rest.
package func reportImage(
  alternative: String, scale: Int, _ make: () throws(PictureError) -> Picture
) -> HTML {
  do {
    let picture = try make()
    return """
      <img src="\(picture.dataURI)" alt="\(alternative)" \
      width="\(picture.width * scale)" height="\(picture.height * scale)">
      """
  } catch {
    return "<span class=\"broken\">\(error.description)</span>"
  }
}
