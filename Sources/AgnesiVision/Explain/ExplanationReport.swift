import AgnesiArrays
import AgnesiImages
import AgnesiTraining

/// Everything that was found out about what a network sees in one photo, as pictures and as a page.
public struct ExplanationReport: Sendable {
  /// The photo's name.
  public var photo: String
  /// What the network is called.
  public var modelName: String
  /// The picture as the network saw it.
  public var picture: Picture
  /// The likeliest classes with their probabilities.
  public var top: [(name: String, probability: Float)]
  /// What the methods found, in the order of showing.
  public var explanations: [Explanation] = []
  /// What a layer says.
  public var activations: Activations?
  /// How strongly Gabor filters answer to the photo.
  public var gabor: Activations?
  /// What a feature map sees in the photo.
  public var patches: [FeaturePatch] = []
  /// Which map that is, in words.
  public var patchTitle = ""
  /// The weights that look at pixels.
  public var firstLayer: FirstLayer?
  /// The command that made it.
  public var command: String?
  /// The version of the library.
  public var version: String?

  public init(
    photo: String, modelName: String, picture: Picture,
    top: [(name: String, probability: Float)]
  ) {
    self.photo = photo
    self.modelName = modelName
    self.picture = picture
    self.top = top
  }

  /// The names that the files of ``pictures()`` may have.
  ///
  /// - Parameter methods: the names of the methods that are to explain.
  package static func pictureFiles(methods: [String]) -> [String] {
    var names = ["photo.png"]
    for method in methods where !names.contains("\(method).png") { names.append("\(method).png") }
    return names + [
      "gabor-answers.png", "activations.png", "patches.png", "kernels.png", "gabor.png",
    ]
  }

  /// The pictures by file names, in the order of the page.
  public func pictures() throws -> [(file: String, picture: Picture)] {
    var result = [(file: "photo.png", picture: picture)]
    for explanation in explanations {
      result.append(("\(explanation.method.name).png", try explanation.drawn()))
    }
    if let gabor {
      result.append(("gabor-answers.png", try gabor.drawn()))
    }
    if let activations { result.append(("activations.png", try activations.drawn())) }
    if let sheet = try FeaturePatch.sheet(patches) { result.append(("patches.png", sheet)) }
    if let firstLayer, let kernels = try Self.kernels(firstLayer) {
      result.append(("kernels.png", kernels))
      if let gabor = try GaborFilter.bank().drawn() { result.append(("gabor.png", gabor)) }
    }
    return result
  }

  /// The page: it needs nothing else, and all texts are escaped.
  public var html: String {
    HTMLPage(
      kicker: "What the network saw", title: photo,
      lead: "<p class=\"lead\">\(modelName)</p>",
      main: """
        \(overview)
        \(methods)
        \(kernels)
        \(layer)
        \(gaborSection)
        \(patchSection)
        \(run)
        """,
      version: version, style: Self.style
    ).html.text
  }

  /// A first layer's kernels side by side.
  static func kernels(_ layer: FirstLayer) throws -> Picture? {
    let pictures = try KernelPictures(layer).pictures
    let scale = max(44 / (pictures.map(\.width).max() ?? 1), 1)
    return Picture.grid(pictures.map { $0.enlarged(by: scale) }, columns: 8, gap: 4)
  }
}

// MARK: - The page

extension ExplanationReport {
  private var overview: HTML {
    let rows = top.map { entry -> HTML in
      let share = NumberText.percent(Double(entry.probability), 1)
      let width = NumberText.fixed(Double(entry.probability) * 100, 1)
      return """
        <tr><th>\(entry.name)</th><td class="share"><span style="width:\(width)%"></span></td>\
        <td>\(share)</td></tr>
        """
    }
    return """
      <div class="overview">\(image(picture, "The photo as the network saw it"))
      <div class="card"><h3>What the network says</h3>
      <table class="top">\(rows)</table></div></div>
      """
  }

  private var methods: HTML {
    guard let first = explanations.first else { return "" }
    let cards = explanations.map { explanation -> HTML in
      let facts = explanation.facts.map {
        "<div><dt>\($0.label)</dt><dd>\($0.value)</dd></div>" as HTML
      }
      let list: HTML = facts.isEmpty ? "" : "<dl>\(facts)</dl>"
      return """
        <article class="card">\(drawn(explanation))
        <h3>\(explanation.method.title)</h3>
        <p>\(explanation.method.meaning)</p>
        \(list)
        <p class="source">\(explanation.method.source)</p></article>
        """
    }
    return reportSection(
      "Why “\(first.className)”",
      """
      Each method asks in its own way which pixels speak for the class. Where they agree, the \
      network looked there.
      """,
      "<div class=\"methods\">\(cards)</div>\(scale)")
  }

  private func drawn(_ explanation: Explanation) -> HTML {
    let words = "\(explanation.method.title) for \(explanation.className)"
    do {
      let details = try explanation.details().map { detail -> HTML in
        """
        <figure>\(image(detail.picture, detail.caption))\
        <figcaption>\(detail.caption)</figcaption></figure>
        """
      }
      let small: HTML = details.isEmpty ? "" : "<div class=\"details\">\(details)</div>"
      return image(try explanation.drawn(), words) + small
    } catch {
      return "<span class=\"broken\">\(String(describing: error))</span>"
    }
  }

  private var scale: HTML {
    let glow: HTML = """
      <p class="scale">nothing<span class="bar" style="background:linear-gradient(90deg,\
      \(HeatColours.gradientStops))"></span>most</p>
      """
    let signs: HTML = """
      <p class="scale">against the class<span class="bar"></span>for the class</p>
      """
    return "<div class=\"scales\">\(glow)\(signs)</div>"
  }

  private var kernels: HTML {
    guard let firstLayer else { return "" }
    do {
      let learned = try Self.kernels(firstLayer)
      let written = try GaborFilter.bank().drawn(scale: 2)
      guard let learned, let written else { return "" }
      return reportSection(
        "The first layer, and filters written by hand",
        """
        The network learned the kernels on the left, in the colours that they look for. On the right \
        are Gabor filters, waves under a bell, of two wavelengths in six orientations: real parts \
        above, imaginary parts below. Learned edges and stripes are much like them.
        """,
        """
        <div class="pair"><div class="card wide">\(image(learned, "Kernels of the first layer"))</div>
        <div class="card wide">\(image(written, "Gabor filters"))
        <p class="source">Daugman, Uncertainty relation for resolution in space, spatial frequency, \
        and orientation, 1985</p></div></div>
        """)
    } catch {
      return reportSection(
        "The first layer", "", "<span class=\"broken\">\(String(describing: error))</span>")
    }
  }

  private var layer: HTML {
    guard let activations else { return "" }
    let count = activations.maps.shape[0]
    let shown = count > 64 ? "The first 64 of \(count) feature maps" : "The \(count) feature maps"
    let size = "\(activations.maps.shape[2]) × \(activations.maps.shape[1])"
    return reportSection(
      "What the layer “\(activations.layer)” says",
      "\(shown) of \(size), all on one scale.",
      "<div class=\"card wide\">\(image(activations, "Feature maps"))</div>")
  }

  private var gaborSection: HTML {
    guard let gabor else { return "" }
    return reportSection(
      "What Gabor filters answer",
      "Waves of two lengths in \(gabor.maps.shape[0] / 2) directions, all on one scale: what the first "
        + "layers of many networks learn to see.",
      "<div class=\"card wide\">\(image(gabor, "Magnitudes"))</div>")
  }

  private func image(_ activations: Activations, _ words: String) -> HTML {
    do {
      return image(try activations.drawn(), words)
    } catch {
      return "<span class=\"broken\">\(String(describing: error))</span>"
    }
  }

  private var patchSection: HTML {
    FeaturePatch.section(patches, title: patchTitle)
  }

  private var run: HTML {
    guard let command else { return "" }
    return "<div class=\"card command\"><pre>\(command)</pre></div>"
  }

  private func image(_ picture: Picture, _ words: String) -> HTML {
    reportImage(alternative: words, scale: 1) { () throws(PictureError) -> Picture in picture }
  }

  static let style: HTML = """
    .overview{display:grid;grid-template-columns:minmax(0,320px) minmax(0,1fr);gap:22px}
    .overview img{width:100%;height:auto;border-radius:14px;image-rendering:auto}
    .overview h3{margin-bottom:14px}
    .top{width:100%;font-size:15px}
    .top th{text-align:left;font-weight:500;padding:6px 14px 6px 0}
    .top td{padding:6px 0;text-align:right;white-space:nowrap}
    .top .share{width:45%}
    .share span{display:block;height:10px;border-radius:5px;background:var(--training);min-width:2px}
    .top td:last-child{width:64px}
    .methods{display:grid;grid-template-columns:repeat(auto-fill,minmax(250px,1fr));gap:18px}
    .methods .card{padding:0 0 16px;overflow:hidden}
    .methods .card>img{width:100%;height:auto;image-rendering:auto;margin-bottom:14px}
    .methods h3,.methods .card>p,.methods dl{margin-left:18px;margin-right:18px}
    .methods .card>h3{margin-bottom:6px;font-size:17px}
    .methods .card>p{font-size:14.5px}
    .methods dl{margin-top:10px}
    .methods dl>div{font-size:13.5px;padding:4px 0;flex-wrap:wrap;gap:0 12px}
    .methods dd{white-space:nowrap;margin-left:auto}
    .source{color:var(--soft);font-size:12.5px!important;margin-top:10px}
    .details{display:grid;grid-template-columns:1fr 1fr;gap:8px;padding:0 8px 12px}
    .details figure{border:0;padding:0;background:none;font-size:12.5px;color:var(--soft)}
    .details img{width:100%;image-rendering:auto;margin-bottom:4px}
    .scales{display:flex;flex-wrap:wrap;gap:0 36px}
    .wide img{max-width:100%;height:auto;margin:0 auto;border-radius:4px}
    .patches{display:grid;grid-template-columns:repeat(auto-fill,minmax(300px,1fr));gap:16px}
    .patches .both{display:grid;grid-template-columns:1fr 1fr;gap:6px}
    .patches img{width:100%;image-rendering:auto;margin:0 0 8px}
    @media (max-width:620px){.overview{grid-template-columns:minmax(0,1fr)}}
    """
}
