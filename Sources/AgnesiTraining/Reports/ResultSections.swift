import AgnesiImages

/// Which classes are confused.
package struct ConfusionSection {
  package let report: TrainingReport

  package var html: HTML {
    guard let matrix = report.confusion, matrix.total > 0 else { return "" }
    let table = ConfusionTable(matrix: matrix, classNames: report.classNames)
    return reportSection(
      "Confusion matrix", sentence(matrix), "<div class=\"card\">\(table.html)</div>")
  }

  private func sentence(_ matrix: ConfusionMatrix) -> HTML {
    let pairs = matrix.largestConfusions(3).map { pair -> HTML in
      """
      <b>\(report.className(pair.actual))</b> taken for <b>\(report.className(pair.predicted))</b> \
      (\(NumberText.grouped(pair.count)))
      """
    }
    if pairs.isEmpty { return "No \(report.judgedPart) sample was classified wrongly." }
    return "Most often: \(pairs.joined(separator: "; "))."
  }
}

/// The wrong answers given with the greatest certainty.
package struct MistakeSection {
  package let report: TrainingReport

  package var html: HTML {
    guard !report.mistakes.isEmpty else { return "" }
    return reportSection(
      "Worst mistakes",
      """
      \(report.judgedPartAtStart) samples classified wrongly with the greatest certainty: what each is, what the network \
      said, the probability it gave to that, and the sample's \(nameOrNumber).
      """,
      "<div class=\"mistakes\">\(report.mistakes.map(figure))</div>")
  }

  private var nameOrNumber: String {
    report.mistakes.allSatisfy { $0.name != nil } ? "name" : "number"
  }

  private func figure(_ mistake: TrainingReport.Mistake) -> HTML {
    let actual = report.className(mistake.actual)
    let predicted = report.className(mistake.predicted)
    let certainty = NumberText.percent(mistake.probability, 1)
    let part = report.judgedPartAtStart
    let place = (mistake.name ?? mistake.index.map(String.init)).map { "\(part) sample \($0)" }
    let words = "\(place ?? "\(part) sample"): \(actual), taken for \(predicted) with \(certainty)"
    let side = mistake.image.shape.last ?? 1
    let image = reportImage(alternative: words, scale: max(1, 84 / max(side, 1))) {
      () throws(PictureError) -> Picture in try Picture(mistake.image)
    }
    return """
      <figure title="\(words)">\(image)<figcaption>\
      <span class="good">\(actual)</span>\
      <span class="bad">said \(predicted)</span>\
      <span class="sure">\(certainty)\(mistake.number)</span>\(mistake.nameLine)\
      </figcaption></figure>

      """
  }
}

extension TrainingReport.Mistake {
  fileprivate var number: String { name == nil ? index.map { " #\($0)" } ?? "" : "" }
  fileprivate var nameLine: HTML { name.map { "<span class=\"file\">\($0)</span>" } ?? "" }
}

/// The first layer's weights as pictures.
package struct KernelSection {
  package let report: TrainingReport

  package var html: HTML {
    guard let layer = report.firstLayer else { return "" }
    do {
      let kernels = try KernelPictures(layer)
      return reportSection("First layer", lead(kernels), content(kernels))
    } catch {
      return reportSection("First layer", "", "<span class=\"broken\">\(error.description)</span>")
    }
  }

  private func lead(_ kernels: KernelPictures) -> HTML {
    let size = kernels.kernelShape
    let shown = kernels.pictures.count
    let count =
      shown < kernels.total
      ? "The first \(shown) of \(kernels.total) kernels"
      : kernels.total == 1 ? "The kernel" : "The \(kernels.total) kernels"
    let colours =
      size[0] == 3
      ? "in the colours that they look for; mid-grey is zero"
      : "blue where bright input counts against it, red where it counts for it"
    return "\(count) of \(size[1]) × \(size[2]), \(colours). All are on one scale."
  }

  private func content(_ kernels: KernelPictures) -> HTML {
    let wide = kernels.pictures.map(\.width).max() ?? 1
    let scale = max(1, 60 / wide)
    let images = kernels.pictures.enumerated().map { index, picture -> HTML in
      reportImage(alternative: "Kernel \(index)", scale: scale) {
        () throws(PictureError) -> Picture in picture
      }
    }
    let limit = NumberText.significant(kernels.limit, 2)
    let bar: HTML =
      kernels.kernelShape[0] == 3
      ? ""
      : "<p class=\"scale\">−\(limit)<span class=\"bar\"></span>+\(limit)</p>"
    return "<div class=\"card\"><div class=\"kernels\">\(images)</div>\(bar)</div>"
  }
}
