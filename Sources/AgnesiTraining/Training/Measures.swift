import AgnesiCompiler
import Foundation

/// What measures a network on a data set.
enum Measures {
  case classifier(Evaluator)
  case other(GraphEvaluator)

  /// What was measured.
  struct Measured {
    var score: Score
    /// Of a classifier.
    var evaluation: Evaluation?
    /// The class that all samples are taken for, where that is so.
    var constant: Int? { evaluation?.constantPrediction }
  }

  init(_ graph: TrainingGraph, on backend: any Backend) throws {
    self =
      graph.goal == .classes
      ? .classifier(
        try Evaluator(image: graph.input, probabilities: graph.probabilities, on: backend))
      : .other(try GraphEvaluator(graph, on: backend))
  }

  /// - Throws: ``StoppedEvaluation`` where somebody interrupted it.
  func callAsFunction(
    _ dataSet: DataSet, _ interruption: Interruption = Interruption()
  ) throws -> Measured {
    switch self {
    case .classifier(let evaluator):
      let evaluation = try evaluator(dataSet, interruption: interruption)
      guard evaluation.count == dataSet.count else { throw StoppedEvaluation() }
      let score = Score(loss: evaluation.loss, accuracy: evaluation.accuracy)
      return Measured(score: score, evaluation: evaluation)
    case .other(let evaluator): return Measured(score: try evaluator(dataSet, interruption))
    }
  }
}

/// An evaluation that somebody interrupted, so that there is no result.
struct StoppedEvaluation: LocalizedError {
  var errorDescription: String? { "the evaluation was stopped" }
}
