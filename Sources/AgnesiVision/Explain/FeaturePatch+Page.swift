import AgnesiImages
import AgnesiTraining

extension FeaturePatch {
  /// Patches with what the map responds to in them beside, three pairs in a row; nil without patches.
  ///
  /// - Parameter side: each is brought to about this many pixels.
  public static func sheet(
    _ patches: [FeaturePatch], side: Int = 112
  ) throws(PictureError) -> Picture? {
    var pictures: [Picture] = []
    for patch in patches {
      let pair = [patch.patch, try patch.drawnReconstruction()].map { picture in
        let longer = max(picture.width, picture.height)
        return picture.resized(
          width: max(picture.width * side / longer, 1),
          height: max(picture.height * side / longer, 1), filter: .bicubic)
      }
      if let joined = Picture.grid(pair, columns: 2, gap: 2) { pictures.append(joined) }
    }
    return Picture.grid(pictures, columns: min(3, max(pictures.count, 1)), gap: 8)
  }

  /// The part of a page that shows patches.
  static func section(_ patches: [FeaturePatch], title: String) -> HTML {
    guard !patches.isEmpty else { return "" }
    let figures = patches.map { patch -> HTML in
      let value = NumberText.significant(patch.activation)
      let images = HTML.joinedImages(of: patch)
      return """
        <figure><div class="both">\(images)</div><figcaption><span>\(patch.name)</span>\
        <span class="sure">\(value) at row \(patch.row), column \(patch.column)</span>\
        </figcaption></figure>
        """
    }
    return reportSection(
      title,
      """
      Left, the pixels that the map sees where it is strongest. Right, its value alone sent back \
      through the network: what in these pixels it responds to. \
      Source: Zeiler &amp; Fergus, Visualizing and understanding convolutional networks, 2014.
      """,
      "<div class=\"patches\">\(figures)</div>")
  }

  /// A page of patches alone.
  public static func page(
    _ patches: [FeaturePatch], title: String, modelName: String, version: String? = nil
  ) -> String {
    HTMLPage(
      kicker: "What a feature map sees", title: title,
      lead: "<p class=\"lead\">\(modelName)</p>",
      main: section(patches, title: "Its strongest places"), version: version,
      style: ExplanationReport.style
    ).html.text
  }
}

extension HTML {
  fileprivate static func joinedImages(of patch: FeaturePatch) -> HTML {
    reportImage(alternative: "Patch of \(patch.name)", scale: 1) {
      () throws(PictureError) -> Picture in patch.patch
    }
      + reportImage(alternative: "What the map responds to", scale: 1) {
        () throws(PictureError) -> Picture in try patch.drawnReconstruction()
      }
  }
}
