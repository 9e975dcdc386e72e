import AgnesiImages
import AgnesiTraining
import Foundation

/// A page of photos and what a network says is on them.
public struct ClassificationPage: Sendable {
  /// What the network is called.
  public var modelName: String
  /// The command that made it.
  public var command: String?
  /// The version of the library.
  public var version: String?
  private var cards: [(position: Int, card: HTML)] = []
  private var failures: [(position: Int, text: String)] = []

  /// An empty page.
  public init(modelName: String) { self.modelName = modelName }

  /// A photo and its likeliest classes.
  ///
  /// - Parameters:
  ///   - position: its place on the page, which is sorted by it.
  ///   - picture: as the network saw it.
  public mutating func add(
    _ name: String, at position: Int, picture: Picture, classes: [RankedClass]
  ) {
    let rows = classes.map { entry -> HTML in
      let share = NumberText.percent(Double(entry.probability), 1)
      let width = NumberText.fixed(Double(entry.probability) * 100, 1)
      return """
        <tr><th>\(entry.name)</th><td>\(share)</td></tr>
        <tr><td class="share" colspan="2"><span style="width:\(width)%"></span></td></tr>
        """
    }
    let image = Data(picture.jpeg() ?? picture.png).base64EncodedString()
    let card: HTML = """
      <article class="card"><img src="data:image/jpeg;base64,\(image)" alt="\(name)" \
      width="\(picture.width)" height="\(picture.height)">
      <h3>\(name)</h3>
      <table class="top">\(rows)</table></article>
      """
    cards.append((position, card))
  }

  /// A photo that could not be read, and why.
  public mutating func addFailure(_ text: String, at position: Int) {
    failures.append((position, text))
  }

  /// The page: it needs nothing else, and all texts are escaped.
  public var html: String {
    let sorted = cards.sorted { $0.position < $1.position }.map(\.card)
    let broken = failures.sorted { $0.position < $1.position }
    let reasons = broken.map { "<p>\($0.text)</p>" as HTML }
    let unread: HTML = broken.isEmpty ? "" : "<div class=\"card\">\(reasons)</div>"
    let run: HTML =
      command.map { "<div class=\"card command\"><pre>\($0)</pre></div>" } ?? ""
    return HTMLPage(
      kicker: "What is on the photos", title: modelName,
      lead: """
        <p class="lead">Each photo as the network saw it, with the classes that it finds \
        most probable.</p>
        """,
      main: """
        <div class="photos">\(sorted)</div>
        \(reportSection("Could not be read", "", broken.isEmpty ? nil : unread))
        \(run)
        """,
      version: version, style: Self.style
    ).html.text
  }

  private static let style: HTML = """
    .photos{display:grid;grid-template-columns:repeat(auto-fill,minmax(230px,1fr));gap:18px}
    .photos .card{padding:0 0 16px;overflow:hidden}
    .photos img{width:100%;height:auto;image-rendering:auto;margin-bottom:14px}
    .photos h3{margin:0 18px 8px;font-size:15px;overflow-wrap:anywhere}
    .photos table{width:calc(100% - 36px);margin:0 18px;font-size:14px}
    .photos th{text-align:left;font-weight:500;padding:4px 8px 2px 0}
    .photos td{text-align:right;white-space:nowrap;padding:4px 0 2px}
    .photos .share{padding:0 0 4px}
    .share span{display:block;height:6px;border-radius:3px;background:var(--training);min-width:2px}
    """
}
