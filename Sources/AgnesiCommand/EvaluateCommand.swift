import Agnesi
import ArgumentParser
import Foundation

/// `agnesi evaluate`.
struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Count a network's mistakes on a data set or a folder of photos.",
    discussion: """
      A folder of photos has a folder for each class, or a table labels.csv, or parts train and val
      (or test) of these forms. Its classes are found by name, by number, or by what else the
      network calls them.

      EXAMPLES
        agnesi evaluate model.safetensors fashion-mnist
        agnesi evaluate digits.safetensors mnist --data folder --json
        agnesi evaluate digits.safetensors mnist --data folder --part train
        agnesi evaluate efficientnet-lite0 photos
      """)

  @OptionGroup var network: PictureNetworkOptions

  @Argument(help: "A known data set (see `agnesi data`), or the folder of one or of photos.")
  var dataSet: String

  @OptionGroup var batches: PictureBatchOptions
  @OptionGroup var data: DataOptions
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var backend: BackendOptions
  @OptionGroup var profile: ProfileOptions

  @Option(help: "Which samples: test or train. Of a folder of photos without parts, all.")
  var part: Part = .test

  @Flag(help: "Print one JSON object.")
  var json = false

  enum Part: String, ExpressibleByArgument, CaseIterable { case test, train }

  func run() throws {
    try reportingErrors {
      threads.apply()
      let console = Console()
      // Networks of the zoo see nothing but photos: what is not in order with these is said then.
      if PictureFolder.isOne(dataSet) || Zoo.network(network.model) != nil {
        return try FolderEvaluation(command: self).run(console)
      }
      let model = network.model
      if network.weights != nil {
        throw CommandFailure(message: "evaluate: --weights is for photos, \(dataSet) holds none")
      }
      let profiling = try profile.profiling(backend, console)
      let classifier = try SavedClassifier(reading: model)
      let split = try data.open(dataSet, console: console)
      let samples = try part(of: split)
      try classifier.check(samples, model: model)
      samples.nonFiniteNotes(part: part == .train ? "training" : "test").forEach(console.note)
      let evaluator = try Evaluator(
        image: classifier.image, probabilities: classifier.probabilities,
        on: profiling.backend)
      try profiling.reporting {
        let result = try evaluator(samples) {
          console.progress("\($0) of \(samples.count) samples")
        }
        console.endLine()
        try report(result, classifier, samples)
      }
    }
  }

  private func part(of split: DataSplit) throws -> DataSet {
    switch part {
    case .train: return split.train
    case .test:
      guard let test = split.test else {
        throw CommandFailure(
          message: "evaluate: the data set \(dataSet) has no test samples\n  hint: --part train")
      }
      return test
    }
  }

  private func report(
    _ result: Evaluation, _ classifier: SavedClassifier, _ samples: DataSet
  ) throws {
    if json {
      let object = Output(
        model: network.model, data: dataSet, part: part.rawValue, count: result.count,
        mistakes: result.errorCount, error: result.error, loss: result.loss)
      print(try jsonLine(object))
      return
    }
    let percent = String(format: "%.2f", result.error * 100)
    print("\(result.errorCount) of \(result.count) wrong, \(percent) %")
    try result.printLossAndConfusions(classCount: classifier.classCount, name: samples.className)
    let constant = ConstantPrediction(
      result, part: part.rawValue, classNames: samples.classNames)
    if let constant { Console().note(constant.description) }
  }

  private struct Output: Encodable {
    var model: String
    var data: String
    var part: String
    var count: Int
    var mistakes: Int
    var error: Double
    var loss: Double
  }
}

extension SavedClassifier {
  /// How many classes the network tells apart.
  var classCount: Int { probabilities.shape.last?.known ?? 0 }

  /// Whether the samples are such that the network takes.
  func check(_ samples: DataSet, model: String) throws {
    guard samples.sampleShape == sampleShape else {
      throw CommandFailure(
        message: "\(model) takes samples of shape \(sampleShape), "
          + "those of \(samples.name) are \(samples.sampleShape)")
    }
    if samples.classCount > classCount {
      throw CommandFailure(
        message: "\(model) knows \(classCount) classes, \(samples.name) has \(samples.classCount)")
    }
  }
}

extension DataSet {
  func className(_ label: Int) -> String {
    classNames.indices.contains(label) ? classNames[label] : String(label)
  }
}
