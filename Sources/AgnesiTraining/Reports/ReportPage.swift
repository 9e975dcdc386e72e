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
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="generator" content="\(generator)">
    <title>\(report.title) · Agnesi</title>
    <style>
    \(ChartStyle.css)
    \(ReportStyle.css)
    </style>
    </head>
    <body>
    \(header)
    <main>
    \(notes)
    \(ResultTiles(report: report).html)
    \(CurveSection(report: report).html)
    \(ConfusionSection(report: report).html)
    \(MistakeSection(report: report).html)
    \(KernelSection(report: report).html)
    \(NetworkSection(report: report).html)
    \(RunSection(report: report).html)
    </main>
    <footer>Written by \(generator).</footer>
    </body>
    </html>

    """
  }

  private var generator: String {
    ["Agnesi", report.version].compactMap(\.self).joined(separator: " ")
  }

  private var header: HTML {
    let notation: HTML =
      report.notation.map { "<p class=\"notation\"><code>\($0)</code></p>" } ?? ""
    return """
      <header>
      <div><p class="kicker">Training report</p>
      <h1>\(report.title)</h1>
      <p class="lead">\(report.dataSet)</p>
      \(notation)</div>
      \(Self.emblem)
      </header>
      """
  }

  /// The curve that Maria Gaetana Agnesi described, y = 8a³ / (x² + 4a²), over its circle.
  private static let emblem: HTML = """
    <svg class="emblem" viewBox="0 0 200 84" aria-hidden="true">
    <circle cx="100" cy="44" r="32"/>
    <path d="\(curve)"/><path class="base" d="M4 76H196"/>
    </svg>
    """

  private static var curve: String {
    stride(from: -96.0, through: 96, by: 4).map { x in
      // A circle of radius a = 32 that stands on the line y = 76.
      let height = 8 * 32.0 * 32 * 32 / (x * x + 4 * 32 * 32)
      let place = "\(NumberText.fixed(100 + x, 0)) \(NumberText.fixed(76 - height, 1))"
      return (x == -96 ? "M" : "L") + place
    }.joined()
  }

  private var notes: HTML {
    let names = (report.confusion?.neverPredicted ?? []).map { "“\(report.className($0))”" }
    var all = report.notes
    if !names.isEmpty {
      all.append(
        "Never predicted, although present in the test set: \(names.joined(separator: ", ")).")
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
