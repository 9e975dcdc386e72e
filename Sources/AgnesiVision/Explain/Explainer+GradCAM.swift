import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiImages

extension Explainer {
  /// - Source: Selvaraju et al. 2017, eq. 1 and 2.
  func gradCAM(_ question: Question, layer: String?) throws -> Answer {
    let maps = try graph.featureMaps(layer, "Grad-CAM")
    let function = try function("gradCAM.\(maps.name)") {
      let classes = classInput()
      let gradients = gradient(
        of: Self.score(model.logits, classes), withRespectTo: [maps.tensor],
        disconnected: .zero)[0]
      let weights = gradients.mean(axes: [2, 3], keepingAxes: true)
      return ([model.pixels, classes], [relu((maps.tensor * weights).sum(axes: [1]))])
    }
    try question.progress(0)
    let map = try function(question.pixels, question.classes())
    try question.progress(1)
    let coarse = Plane(map.doubles, width: map.shape[2], height: map.shape[1])
    let heat = coarse.resized(width: question.width, height: question.height)
    return Answer(
      heat: heat.array,
      facts: [("layer", "\(maps.name), \(coarse.width) × \(coarse.height)")])
  }

  /// - Source: Selvaraju et al. 2017, §3.2.
  func guidedGradCAM(_ question: Question, layer: String?) throws -> Answer {
    let map = try gradCAM(question, layer: layer)
    guard let guided = try gradients(question, .guided).gradients else { return map }
    let weights = map.heat.doubles
    let products = guided.doubles.enumerated().map { $1 * weights[$0 % weights.count] }
    var answer = Self.answer(NDArray(rounding: products, shape: guided.shape, .float32))
    answer.facts = map.facts
    return answer
  }
}
