import Agnesi
import ArgumentParser
import Foundation

/// `agnesi predict`.
struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict",
    abstract: "Say what a saved model sees.",
    discussion: HelpText.discussion(
      """
      The samples are those of a data set, or of an .npy or IDX file that holds one sample or many.
      Bytes are scaled as the training data were; floats are taken as they are.
      """,
      examples: [
        "agnesi predict model.safetensors fashion-mnist --index 0 1 2",
        "agnesi predict model.safetensors picture.npy",
        "agnesi predict model.safetensors t10k-images-idx3-ubyte.gz --index 5 --top 5",
      ]))

  @Argument(help: "A model that `agnesi train` saved.")
  var model: String

  @Argument(help: "A data set, or a file of samples (.npy, IDX, IDX.gz).")
  var source: String

  @OptionGroup var data: DataOptions
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var backend: BackendOptions
  @OptionGroup var profile: ProfileOptions

  @Option(
    parsing: .upToNextOption, help: "Which samples, counted from 0; by default the first ten.")
  var index: [Int] = []

  @Option(parsing: .unconditional, help: "How many classes to print for each.")
  var top = 3

  @Flag(help: "Print one JSON object for each sample.")
  var json = false

  func validate() throws {
    if top < 1 { throw ValidationError("--top is \(top), it must be at least 1") }
  }

  func run() throws {
    try reportingErrors(stopped: "stopped; what is printed is all that was done") {
      threads.apply()
      let profiling = try profile.profiling(backend, Console())
      let classifier = try SavedClassifier(reading: model)
      let samples = try samples(for: classifier)
      try classifier.check(samples, model: model)
      let chosen = try chosenIndices(of: samples)
      samples.subset(chosen).nonFiniteNotes(part: "chosen").forEach(Console().note)
      let function = try compile(
        [classifier.image], to: [classifier.probabilities], on: profiling.backend)
      try profiling.reporting {
        for number in chosen {
          let batches = try Batches(of: samples.subset([number]), size: 1)
          let stream = batches.epoch(0)
          defer { stream.cancel() }
          guard let batch = stream.next() else { continue }
          let row = try function(batch.inputs)[classifier.probabilities].scalars(as: Float.self)
          try report(number, row, classifier)
        }
      }
    }
  }

  private func samples(for classifier: SavedClassifier) throws -> DataSet {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: source, isDirectory: &isFolder)
    guard exists, !isFolder.boolValue else {
      let split = try data.open(source, console: Console())
      return split.test ?? split.validation ?? split.train
    }
    let array =
      source.hasSuffix(".npy")
      ? try NPYFile.read(source) : try IDXFile.read(source)
    let shape = classifier.sampleShape
    let count = array.count / max(1, shape.product)
    guard count > 0, array.count == count * shape.product else {
      throw CommandFailure(
        message: "predict: \(source) is \(array.dtype)\(array.shape), "
          + "\(model) takes samples of shape \(shape)")
    }
    return try DataSet(
      name: source, inputs: array.reshaped([count] + shape),
      targets: NDArray(zeros: [count], .int32),
      scaling: array.dtype == .uint8 ? classifier.scaling : nil)
  }

  private func chosenIndices(of samples: DataSet) throws -> [Int] {
    if index.isEmpty { return Array(0..<min(10, samples.count)) }
    if let wrong = index.first(where: { $0 < 0 || $0 >= samples.count }) {
      throw CommandFailure(
        message: "predict: --index \(wrong), \(samples.name) has samples 0 to \(samples.count - 1)")
    }
    return index
  }

  private func report(_ number: Int, _ row: [Float], _ classifier: SavedClassifier) throws {
    let order = row.indices.sorted { (row[$1], $0) < (row[$0], $1) }.prefix(top)
    func name(_ label: Int) -> String {
      classifier.classNames.indices.contains(label) ? classifier.classNames[label] : String(label)
    }
    if json {
      let classes = order.map { Prediction.Class(name: name($0), probability: row[$0]) }
      print(try jsonLine(Prediction(index: number, classes: classes)))
    } else {
      let text = order.map { "\(name($0)) \(String(format: "%.3f", row[$0]))" }
      print("\(number): \(text.joined(separator: ", "))")
    }
  }

  private struct Prediction: Encodable {
    struct Class: Encodable {
      var name: String
      var probability: Float
    }
    var index: Int
    var classes: [Class]
  }
}
