/// A whole page in the style of all reports: it needs nothing else, and holds no scripts.
package struct HTMLPage: Sendable {
  /// What kind of page it is, above the title.
  package var kicker: String
  package var title: String
  /// What stands below the title.
  package var lead: HTML
  /// What stands below the header.
  package var main: HTML
  /// The version of the library that wrote it.
  package var version: String?
  /// Rules of style of this page alone.
  package var style: HTML

  package init(
    kicker: String, title: String, lead: HTML, main: HTML, version: String? = nil, style: HTML = ""
  ) {
    self.kicker = kicker
    self.title = title
    self.lead = lead
    self.main = main
    self.version = version
    self.style = style
  }

  package var html: HTML {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="generator" content="\(generator)">
    <title>\(title) · Agnesi</title>
    <style>
    \(ChartStyle.css)
    \(ReportStyle.css)
    \(style)
    </style>
    </head>
    <body>
    <header>
    <div><p class="kicker">\(kicker)</p>
    <h1>\(title)</h1>
    \(lead)</div>
    \(Self.emblem)
    </header>
    <main>
    \(main)
    </main>
    <footer>Written by \(generator).</footer>
    </body>
    </html>

    """
  }

  private var generator: String { ["Agnesi", version].compactMap(\.self).joined(separator: " ") }

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
}
