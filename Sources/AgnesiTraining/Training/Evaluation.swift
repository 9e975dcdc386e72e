import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLayers

/// How a classifier does on a data set.
public struct Evaluation: Sendable {
  /// Samples.
  public var count = 0
  /// The sum of the samples' losses, in nats.
  public var lossSum = 0.0
  /// The most probable class of each sample, in order.
  public var predictions: [Int] = []
  /// Its probability, 0...1.
  public var confidences: [Double] = []
  /// The true classes.
  public var labels: [Int] = []

  package init() {}

  public var errorCount: Int { zip(predictions, labels).count { $0 != $1 } }
  /// The fraction of wrong predictions, 0...1; NaN without samples.
  public var error: Double { Double(errorCount) / Double(count) }
  public var loss: Double { lossSum / Double(count) }
  public var accuracy: Double { 1 - error }

  /// The class that every sample is taken for, where they are of several; nil where predictions differ.
  public var constantPrediction: Int? {
    guard let first = predictions.first, predictions.allSatisfy({ $0 == first }),
      labels.contains(where: { $0 != labels.first })
    else { return nil }
    return first
  }

  /// - Throws: ``ConfusionMatrixError`` where a prediction is no class of the data set.
  public func confusion(classCount: Int) throws -> ConfusionMatrix {
    var matrix = ConfusionMatrix(classCount: classCount)
    for (prediction, label) in zip(predictions, labels) {
      try matrix.add(predicted: prediction, actual: label)
    }
    return matrix
  }

  /// Counts the loss of a sample whose true class is this probable.
  package mutating func addLoss(probability: Float) {
    lossSum -= logarithm(Double(max(probability, Float.leastNonzeroMagnitude)))
  }

  /// The samples that the network is most surely wrong about, surest first.
  public func worstMistakes(_ limit: Int) -> [Int] {
    let wrong = predictions.indices.filter { predictions[$0] != labels[$0] }
    // What is NaN is no confidence.
    let doubts = confidences.map { $0.isNaN ? .infinity : -$0 }
    let ordered = wrong.sorted { (doubts[$0], $0) < (doubts[$1], $1) }
    return Array(ordered.prefix(limit))
  }
}

/// A compiled classifier that is run over data sets.
public struct Evaluator: Sendable {
  private let function: Function
  private let probabilities: Tensor
  /// Multiplications with an addition for one sample.
  private let work: Int

  /// Samples of one call: of large pictures so few that what the network remembers of them stays
  /// small, and of large networks so few that a call takes a fraction of a second on one core, because who
  /// stops an evaluation waits for it.
  package static func batchSize(for dataSet: DataSet, work: Int) -> Int {
    let bytes = 4 * dataSet.sampleShape.product
    return max(1, min(500, (16 << 20) / max(bytes, 1), 4_000_000_000 / max(work, 1)))
  }

  /// Multiplications with an addition for one sample; 0 where they are not known.
  package static func work(of output: Tensor, for input: Tensor) -> Int {
    Summary(inputs: [input], outputs: [output]).multiplyAdds?.known ?? 0
  }

  /// - Parameters:
  ///   - image: the function's input.
  ///   - probabilities: `[batch, classes]`, made of `image`.
  public init(image: Tensor, probabilities: Tensor, on backend: any Backend) throws {
    self.probabilities = probabilities
    work = Self.work(of: probabilities, for: image)
    function = try compile(
      [image], to: [probabilities], options: CompileOptions(name: "evaluate"), on: backend)
  }

  /// - Parameters:
  ///   - interruption: stops between batches; the result then covers the samples so far.
  ///   - progress: called after each batch with the number of samples done.
  public func callAsFunction(
    _ dataSet: DataSet, interruption: Interruption = Interruption(),
    progress: (Int) -> Void = { _ in }
  ) throws -> Evaluation {
    let batches = try Batches(of: dataSet, size: Self.batchSize(for: dataSet, work: work))
    var result = Evaluation()
    let stream = batches.epoch(0)
    defer { stream.cancel() }
    while let batch = stream.next(), !interruption.isRequested {
      let rows = try function(batch.inputs)[probabilities]
      add(rows, batch, to: &result)
      progress(result.count)
    }
    return result
  }

  private func add(_ rows: NDArray, _ batch: Batch, to result: inout Evaluation) {
    let classes = rows.shape[1]
    let values = rows.scalars(as: Float.self)
    let labels = batch.targets.scalars(as: Int32.self)
    for row in 0..<batch.count {
      let line = values[(row * classes)..<((row + 1) * classes)]
      let best = line.indices.max { (line[$0], $1) < (line[$1], $0) } ?? line.startIndex
      let label = Int(labels[row])
      let known = label < classes ? line[line.startIndex + label] : 0
      result.predictions.append(best - line.startIndex)
      result.confidences.append(Double(line[best]))
      result.labels.append(label)
      result.addLoss(probability: known)
    }
    result.count += batch.count
  }
}
