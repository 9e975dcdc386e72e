/// The numbers that a reader looks for first.
package struct ResultTiles {
  package let report: TrainingReport

  package var html: HTML {
    let tiles = [testError, validation, size, time, speed].compactMap(\.self)
    return tiles.isEmpty ? "" : "<div class=\"tiles\">\(tiles)</div>"
  }

  private func tile(_ name: String, _ value: String, _ detail: String, kind: HTML = "") -> HTML {
    """
    <div class="tile \(kind)"><span class="name">\(name)</span>\
    <span class="value">\(value)</span><span class="detail">\(detail)</span></div>

    """
  }

  private var testError: HTML? {
    guard let error = report.shownTestError else { return nil }
    var detail = "accuracy \(NumberText.percent(1 - error))"
    if let matrix = report.confusion {
      let (wrong, all) = (NumberText.grouped(matrix.errorCount), NumberText.grouped(matrix.total))
      let interval = BinomialInterval(matrix.errorCount, of: matrix.total)
      detail = "\(wrong) of \(all) wrong, \(interval.text); \(detail)"
    }
    return tile(
      "\(report.judgedPartAtStart) error", NumberText.percent(error), detail, kind: "main")
  }

  private var validation: HTML? {
    guard let kept = report.keptRecord else { return nil }
    let phase = report.phase.map { "phase “\($0)”, " } ?? ""
    let place = "\(phase)epoch \(kept.epoch) of \(report.history.last?.epoch ?? kept.epoch)"
    let detail = report.bestEpoch == kept.epoch ? "\(place), kept" : place
    if let accuracy = kept.validationAccuracy {
      let interval = report.validationCount.map { count in
        let mistakes = Int(((1 - accuracy) * Double(count)).rounded())
        return "\(BinomialInterval(mistakes, of: count).complement.text); "
      }
      return tile("Validation accuracy", NumberText.percent(accuracy), (interval ?? "") + detail)
    }
    if let loss = kept.validationLoss {
      return tile("Validation loss", NumberText.significant(loss), detail)
    }
    return tile("Training loss", NumberText.significant(kept.trainingLoss), detail)
  }

  private var size: HTML? {
    guard !report.layers.isEmpty else { return nil }
    let parameters = report.layers.reduce(0) { $0 + $1.parameters }
    let operations = report.layers.compactMap(\.multiplyAdds).reduce(0, +)
    let detail = operations > 0 ? "\(NumberText.short(operations)) multiply-adds a sample" : ""
    return tile("Parameters", NumberText.grouped(parameters), detail)
  }

  private var time: HTML? {
    guard let timing = report.timing else { return nil }
    let detail = timing.firstStep.map { "first step after \(TimeText.measured($0))" } ?? ""
    return tile("Training time", TimeText.measured(timing.total), detail)
  }

  private var speed: HTML? {
    guard let rate = report.timing?.samplesPerSecond, rate.isFinite else { return nil }
    let threads = report.machine.map { "on \($0.threads) thread\($0.threads == 1 ? "" : "s")" }
    return tile("Samples per second", NumberText.grouped(Int(rate.rounded())), threads ?? "")
  }
}
