import AgnesiArrays
import AgnesiCompiler
import AgnesiTraining

/// How a classifier does on photos whose classes are known.
public struct PictureEvaluation: Sendable {
  /// The photos that could be read, in order: the classes taken, their probabilities, and the true
  /// ones, as numbers of the model's classes.
  public private(set) var result = Evaluation()
  /// How many of them do not have the true class among the five most probable.
  public private(set) var mistakesOfFive = 0
  /// The files that could not be read.
  public private(set) var failures: [(path: String, error: any Error)] = []

  /// The share of photos whose class is not among the five most probable; NaN without photos.
  public var errorOfFive: Double { Double(mistakesOfFive) / Double(result.count) }

  /// Where that share lies on photos that were not looked at, with 95 % confidence.
  public var errorOfFiveInterval: BinomialInterval {
    BinomialInterval(mistakesOfFive, of: result.count)
  }

  init() {}

  /// Runs `classifier` over `photos`.
  ///
  /// - Parameters:
  ///   - classes: the model's class for each label of the photos.
  ///   - stream: the photos' pictures, in the same order.
  ///   - interruption: stops between batches; the result covers the photos so far.
  ///   - progress: called after each batch with the number of photos done.
  public init(
    of classifier: PictureClassifier, on photos: [PictureFolder.Photo], classes: [Int],
    stream: PictureStream, interruption: Interruption = Interruption(),
    progress: (Int) -> Void = { _ in }
  ) throws {
    while !interruption.isRequested, let batch = stream.next() {
      failures += batch.failures.map { (photos[$0.position].path, $0.error) }
      if !batch.positions.isEmpty {
        let labels = batch.positions.map { classes[photos[$0].label] }
        add(try classifier(batch.pixels), labels, classCount: classifier.model.classCount)
      }
      progress(result.count + failures.count)
    }
    stream.cancel()
  }

  /// - Parameter rows: a row of probabilities for each label.
  mutating func add(_ rows: NDArray, _ labels: [Int], classCount width: Int) {
    let values = rows.scalars(as: Float.self)
    for (row, label) in labels.enumerated() {
      let line = values[(row * width)..<((row + 1) * width)]
      let first = line.startIndex
      // Of equal ones the one with the smaller number; NaN is no probability, and comes last.
      func isBefore(_ one: Int, _ other: Int) -> Bool {
        let (a, b) = (line[one].isNaN ? -1 : line[one], line[other].isNaN ? -1 : line[other])
        return a == b ? one < other : a > b
      }
      let best = line.indices.min(by: isBefore) ?? first
      result.predictions.append(best - first)
      result.confidences.append(Double(line[best]))
      result.labels.append(label)
      if line.indices.count(where: { isBefore($0, first + label) }) >= 5 { mistakesOfFive += 1 }
      result.addLoss(probability: line[first + label])
    }
    result.count += labels.count
  }
}
