import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

extension ONNXOperators {
  /// What training minimises.
  static var losses: [ONNXOperator] {
    [
      ONNXOperator("NegativeLogLikelihoodLoss") { call in
        try loss(try call(0), try call(1), call)
      },
      ONNXOperator(
        "SoftmaxCrossEntropyLoss",
        results: { call in
          let scores = try call(0)
          guard scores.rank >= 2 else { throw ONNXRefusal("scores of \(scores.type)") }
          let logarithms = logSoftmax(scores, axis: 1)
          return [try loss(logarithms, try call(1), call), logarithms]
        }),
    ]
  }

  /// Minus the logarithm of the right class's probability, weighted by class.
  private static func loss(
    _ logarithms: Tensor, _ labels: Tensor, _ call: ONNXCall
  ) throws -> Tensor {
    guard logarithms.rank == labels.rank + 1, logarithms.rank >= 2 else {
      throw ONNXRefusal("labels \(labels.type) for \(logarithms.type)")
    }
    let ignored = try call.integer("ignore_index")
    let isCounted = ignored.map { labels .!= $0 } ?? .filled(1, labels.shape, .bool)
    // What is ignored may be no class at all.
    let known = select(isCounted, labels, .zeros(like: labels))
    let weights =
      call.optional(2)?.tensor.gathered(known) ?? .ones(like: logarithms.picked(known, axis: 1))
    let factors = select(isCounted, weights, .zeros(like: weights))
    let losses = -(logarithms.picked(known, axis: 1) * factors)
    switch try call.text("reduction", "mean") {
    case "none": return losses
    case "sum": return losses.sum()
    case "mean": return (losses.widened.sum() / factors.widened.sum()).narrowed(as: losses)
    case let other: throw ONNXRefusal("the reduction \"\(other)\" is not supported")
    }
  }
}
