import Agnesi
import ArgumentParser
import Foundation

/// `agnesi evaluate`.
struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Count a network's mistakes on a data set or a folder of photos.",
    discussion: HelpText.discussion(
      """
      A folder of photos has a folder for each class, or a table labels.csv, or parts train, val
      and test of these forms. Its classes are found by name, by number, or by what else the
      network calls them. Photos are brought to the network's size; samples of data sets have to be
      of the shape that it takes.
      """,
      examples: [
        "agnesi evaluate model.safetensors fashion-mnist",
        "agnesi evaluate digits.safetensors mnist --data folder --json",
        "agnesi evaluate digits.safetensors mnist --data folder --part train",
        "agnesi evaluate efficientnet-lite0 photos",
        "agnesi evaluate network.onnx cifar10",
      ]))

  @OptionGroup var network: PictureNetworkOptions

  @Argument(help: "A known data set (see `agnesi data`), or the folder of one or of photos.")
  var dataSet: String

  @OptionGroup var batches: PictureBatchOptions
  @OptionGroup var data: DataOptions
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var backend: BackendOptions
  @OptionGroup var profile: ProfileOptions

  @Option(
    help: """
      Which samples: test, validation or train; by default the test, else the validation part. Of a \
      folder of photos without parts, all.
      """)
  var part: Part?

  @Flag(help: "Print one JSON object.")
  var json = false

  enum Part: String, ExpressibleByArgument, CaseIterable {
    case test, validation, train

    /// What its samples are called.
    var name: String { self == .train ? "training" : rawValue }
  }

  /// The part that is counted of those that are there; the validation part in the test's place is
  /// told, for a network may have been chosen by it.
  func chosenPart(
    hasTest: Bool, hasValidation: Bool, console: Console
  ) -> Part {
    switch part {
    case .train, .validation: return part ?? .test
    case .test, nil:
      if hasTest || !hasValidation { return .test }
      console.note("\(dataSet) has no test part, so its validation part is counted")
      return .validation
    }
  }

  func run() throws {
    try reportingErrors {
      threads.apply()
      let console = Console()
      let model = network.model
      let isFile = FileManager.default.fileExists(atPath: model) && Zoo.network(model) == nil
      let isOwn = isFile && !model.lowercased().hasSuffix(".onnx")
      if PictureFolder.isOne(dataSet) || (!isOwn && isFolderWithoutArrays) {
        return try FolderEvaluation(command: self).run(console)
      }
      if !isOwn {
        let opened = try Zoo.open(model, weights: network.weights)
        return try DataSetEvaluation(command: self).run(opened, console)
      }
      if network.weights != nil {
        throw CommandFailure(
          message: "evaluate: --weights is for networks of the zoo, \(model) has its own")
      }
      let profiling = try profile.profiling(backend, console)
      let classifier = try SavedClassifier(reading: model)
      // What the trainer did not save takes pixels, and scales them itself.
      if classifier.scaling == nil, (try? PictureModel(classifier.model)) != nil {
        return try DataSetEvaluation(command: self).run(classifier.model, console)
      }
      let (samples, chosen) = try samples(console)
      try classifier.check(samples, model: model)
      let evaluator = try Evaluator(
        image: classifier.image, probabilities: classifier.probabilities,
        on: profiling.backend)
      try profiling.reporting {
        let result = try evaluator(samples) {
          console.progress("\($0) of \(samples.count) samples")
        }
        console.endLine()
        try report(result, classifier, samples, chosen)
        warn(
          result, chosen, "samples", classNames: samples.classNames, data: samples, console)
      }
    }
  }

  /// Says where there are too few samples to say much, and where all are taken for one class.
  func warn(
    _ result: Evaluation, _ part: Part, _ samples: String, classNames: [String],
    data: DataSet? = nil, _ console: Console
  ) {
    BinomialInterval.warning(
      mistakes: result.errorCount, of: result.count, "\(part.name) \(samples)"
    ).map { console.note($0) }
    let constant = ConstantPrediction(
      result, part: part.name, classNames: classNames, data: data)
    if let constant { console.note(constant.description) }
  }

  /// Whether the data set is a folder that can only be one of photos, which its reader may have to say
  /// something about.
  private var isFolderWithoutArrays: Bool {
    PhotoFiles.isFolder(dataSet) && DataFormat.detected(in: dataSet) == nil
      && DataRegistry(folder: data.folder).known(dataSet) == nil
  }

  /// The samples of the data set that are counted.
  func samples(_ console: Console) throws -> (DataSet, Part) {
    let split = try data.open(dataSet, console: console)
    let chosen = chosenPart(
      hasTest: split.test != nil, hasValidation: split.validation != nil, console: console)
    let samples = try samples(chosen, of: split)
    samples.nonFiniteNotes(part: chosen.name).forEach(console.note)
    return (samples, chosen)
  }

  private func samples(_ part: Part, of split: DataSplit) throws -> DataSet {
    switch part {
    case .train: return split.train
    case .validation:
      guard let validation = split.validation else {
        throw CommandFailure(
          message: """
            evaluate: the data set \(dataSet) has no validation samples
              hint: --part test
            """)
      }
      return validation
    case .test:
      guard let test = split.test else {
        throw CommandFailure(
          message: "evaluate: the data set \(dataSet) has no test samples\n  hint: --part train")
      }
      return test
    }
  }

  private func report(
    _ result: Evaluation, _ classifier: SavedClassifier, _ samples: DataSet, _ part: Part
  ) throws {
    if json {
      let object = Output(
        model: network.model, data: dataSet, part: part.rawValue, count: result.count,
        mistakes: result.errorCount, error: result.error,
        errorInterval: result.errorInterval.ends, loss: result.loss)
      print(try jsonLine(object))
      return
    }
    let percent = String(format: "%.2f", result.error * 100)
    print(
      "\(result.errorCount) of \(result.count) wrong, \(percent) %, \(result.errorInterval.text)")
    try result.printLossAndConfusions(classCount: classifier.classCount, name: samples.className)
  }

  private struct Output: Encodable {
    var model: String
    var data: String
    var part: String
    var count: Int
    var mistakes: Int
    var error: Double
    /// Both ends of the 95 % interval.
    var errorInterval: [Double]
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
      let beyond = samples.labels.count { Int($0) >= classCount }
      let counts = beyond > 0 ? "; \(beyond) of \(samples.count) samples are of the others" : ""
      let isShifted = samples.labels.min() == 1 && samples.classCount == classCount + 1
      let hint = isShifted ? "\n  hint: the labels seem to begin at 1: subtract 1 from each" : ""
      throw CommandFailure(
        message: "\(model) knows \(classCount) classes, \(samples.name) has "
          + "\(samples.classCount)\(counts)\(hint)")
    }
  }
}

extension DataSet {
  func className(_ label: Int) -> String {
    classNames.indices.contains(label) ? classNames[label] : String(label)
  }
}
