import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiTraining

extension Explainer {
  /// The integral of the gradients along the straight line from the baseline, by the rule of
  /// midpoints.
  ///
  /// In both cases the baseline is 0 at some place of the graph: the pixels, or the pixels after
  /// scaling. The line is a factor there.
  ///
  /// - Source: Sundararajan, Taly & Yan 2017, eq. 3.
  func integratedGradients(
    _ question: Question, baseline: ExplanationMethod.Baseline, steps: Int
  ) throws -> Answer {
    guard steps >= 1 else {
      throw ExplanationError("integrated gradients", "\(steps) steps, at least 1 is needed")
    }
    let function = try integrand(baseline)
    let score = { (position: Double) in
      try function(question.pixels, question.classes(), NDArray([Float(position)])).scalar
    }
    let growth = try score(1) - score(0)
    var sum = RunningSum()
    var done = 0
    while done < steps {
      let count = min(Self.gradientBatch, steps - done)
      let positions = (done..<(done + count)).map { Float((Double($0) + 0.5) / Double(steps)) }
      let results = try function.call([
        question.pixels(times: count), question.classes(times: count), NDArray(positions),
      ])
      sum.add(results[1])
      done += count
      try question.progress(Double(done) / Double(steps))
    }
    let attributions = sum.array(dividedBy: Double(steps))
    let total = attributions.doubles.reduce(0, +)
    return Answer(
      heat: Self.summed(attributions), gradients: attributions,
      facts: [
        ("sum over all pixels", NumberText.fixed(total, 3)),
        ("growth of the score", NumberText.fixed(growth, 3)),
        ("steps", "\(steps) from \(baseline == .mean ? "the mean colour" : "black")"),
      ])
  }

  /// From pixels, classes and positions `[batch]` on the line: each picture's score, and the summed
  /// products of values and gradients.
  private func integrand(
    _ baseline: ExplanationMethod.Baseline
  ) throws -> BatchedFunction {
    let place = baseline == .mean ? graph.scaledPixels : model.pixels
    let batch = model.pixels.shape[0]
    return try function("integrated.\(baseline.rawValue)") {
      let classes = classInput()
      let position = Tensor.input("position", [batch])
      let point = place * position.reshaped([batch, 1, 1, 1])
      let logits = model.logits.replacing([place: point])
      let gradients = gradient(of: Self.score(logits, classes), withRespectTo: [point])[0]
      return (
        [model.pixels, classes, position],
        [logits.picked(classes, axis: 1), summedOverBatch(gradients * place)]
      )
    }
  }

  /// `[channels, height, width]` summed over the channels.
  static func summed(_ array: NDArray) -> NDArray {
    let area = array.shape[1] * array.shape[2]
    let values = array.doubles
    let sums = (0..<area).map { pixel in
      stride(from: pixel, to: values.count, by: area).reduce(0) { $0 + values[$1] }
    }
    return NDArray(rounding: sums, shape: Array(array.shape.dropFirst()), .float32)
  }
}
