import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiTraining

extension Explainer {
  /// Noisy copies or steps that the network sees at once. Part of what a seed means: another number
  /// would draw other noise.
  static let gradientBatch = 8

  /// The gradients of the score with respect to the pixels, past rectifiers by a rule.
  func gradients(_ question: Question, _ rule: RectifierRule) throws -> Answer {
    let function = try function("gradients.\(rule.rawValue)") {
      let classes = classInput()
      let logits = [model.logits].passingRectifiers(by: rule)[0]
      let score = Self.score(logits, classes)
      return ([model.pixels, classes], [gradient(of: score, withRespectTo: [model.pixels])[0]])
    }
    try question.progress(0)
    let gradients = try function(question.pixels, question.classes())
    try question.progress(1)
    var answer = Self.answer(gradients.reshaped(Array(gradients.shape.dropFirst())))
    if !function.function.outputs[0].inputs.contains(model.pixels) {
      answer.facts = [("without maximum pools", "the same for every photo")]
    }
    if gradients.doubles.allSatisfy({ $0 == 0 }) {
      answer.facts.append(
        ("grey", "the gradient is exactly 0 at every pixel, since nothing passes the rectifiers"))
    }
    return answer
  }

  /// - Parameter gradients: `[channels, height, width]`.
  /// - Returns: with the largest magnitude among the channels as heat.
  static func answer(_ gradients: NDArray) -> Answer {
    let area = gradients.shape[1] * gradients.shape[2]
    let values = gradients.doubles
    let heat = (0..<area).map { pixel in
      stride(from: pixel, to: values.count, by: area).map { abs(values[$0]) }.max() ?? 0
    }
    return Answer(
      heat: NDArray(rounding: heat, shape: Array(gradients.shape.dropFirst()), .float32),
      gradients: gradients)
  }

  /// - Source: Smilkov et al. 2017, §3.1.
  func smoothGrad(
    _ question: Question, samples: Int, noise: Double, seed: UInt64
  ) throws -> Answer {
    guard samples >= 1, noise >= 0, noise.isFinite else {
      throw ExplanationError("smoothGrad", "\(samples) samples with noise of \(noise)")
    }
    let function = try function("smoothGrad.\(seed)") {
      let classes = classInput()
      let deviation = Tensor.input("deviation", [])
      let random = Scope.seeded(seed) { randomNormal(model.pixels.shape, name: "smoothGrad") }
      let noisy = model.pixels + random * deviation
      let logits = model.logits.replacing([model.pixels: noisy])
      let gradients = gradient(of: Self.score(logits, classes), withRespectTo: [noisy])[0]
      return ([model.pixels, classes, deviation], [summedOverBatch(gradients)])
    }
    // A seed means the same noise, however often the function was used before.
    function.function.callCount = 0
    let values = question.pixels.doubles
    let range = (values.max() ?? 0) - (values.min() ?? 0)
    var sum = RunningSum()
    var done = 0
    while done < samples {
      let count = min(Self.gradientBatch, samples - done)
      sum.add(
        try function(
          question.pixels(times: count), question.classes(times: count),
          NDArray(scalar: Float(noise * range))))
      done += count
      try question.progress(Double(done) / Double(samples))
    }
    var answer = Self.answer(sum.array(dividedBy: Double(samples)))
    answer.facts = [("noisy copies", "\(samples), noise \(Self.percent(noise))")]
    return answer
  }

  static func percent(_ fraction: Double) -> String {
    NumberText.percent(fraction, fraction < 0.1 ? 2 : 1)
  }
}

/// Arrays of one shape added up without losing digits.
struct RunningSum {
  private var shape: [Int] = []
  private var values: [Double] = []

  /// Adds each row.
  mutating func add(_ rows: NDArray) {
    for row in 0..<rows.shape[0] {
      let array = rows[rows: row..<(row + 1)]
      if values.isEmpty {
        (shape, values) = (Array(array.shape.dropFirst()), array.doubles)
      } else {
        for (index, value) in array.doubles.enumerated() { values[index] += value }
      }
    }
  }

  func array(dividedBy count: Double = 1) -> NDArray {
    NDArray(rounding: values.map { $0 / count }, shape: shape, .float32)
  }
}
