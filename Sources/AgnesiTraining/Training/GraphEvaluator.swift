import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions

/// How a network does on a data set, in two numbers.
public struct Score: Codable, Hashable, Sendable {
  /// The mean loss.
  public var loss: Double
  /// The share of what is right, 0...1, as the ``Goal`` counts it; nil where it counts nothing.
  public var accuracy: Double?

  /// What was measured.
  public init(loss: Double, accuracy: Double?) {
    self.loss = loss
    self.accuracy = accuracy
  }
}

/// A network compiled for measuring its loss, and what of its goal can be counted.
struct GraphEvaluator {
  private let function: Function
  private let loss: Tensor
  private let mistakes: Tensor?
  private let work: Int

  init(_ graph: TrainingGraph, on backend: any Backend) throws {
    let output = graph.output.specialized(for: .inference)
    work = Evaluator.work(of: output, for: graph.input)
    loss = graph.goal.loss(output, graph.target)
    mistakes = graph.goal.mistakes(output, graph.target)
    function = try compile(
      [graph.input, graph.target], to: [loss] + (mistakes.map { [$0] } ?? []),
      options: CompileOptions(name: "evaluate"), on: backend)
  }

  /// - Returns: means over the samples; of masks the loss of a batch counts by its samples.
  ///
  /// - Throws: ``StoppedEvaluation`` where somebody interrupted it.
  func callAsFunction(_ dataSet: DataSet, _ interruption: Interruption) throws -> Score {
    let size = Evaluator.batchSize(for: dataSet, work: work)
    let stream = try Batches(of: dataSet, size: size).epoch(0)
    defer { stream.cancel() }
    var (lossSum, wrong, count) = (0.0, 0.0, 0.0)
    while let batch = stream.next() {
      if interruption.isRequested { throw StoppedEvaluation() }
      let results = try function(batch.inputs, batch.targets)
      lossSum += results[loss].scalar * Double(batch.count)
      if let mistakes { wrong += results[mistakes].scalar }
      count += Double(batch.count)
    }
    return Score(loss: lossSum / count, accuracy: mistakes == nil ? nil : 1 - wrong / count)
  }
}
