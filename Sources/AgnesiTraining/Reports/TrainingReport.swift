import AgnesiArrays
import AgnesiImages

/// All that is worth knowing about a training run, to be shown as one page.
///
/// Whatever is left out (nil or empty) is left out of the page too. A typical use, once training
/// has ended:
///
/// ```swift
/// var report = TrainingReport(title: "LeNet on Fashion-MNIST", dataSet: "Fashion-MNIST")
/// report.history = records
/// report.confusion = confusion
/// let page = report.html
/// ```
public struct TrainingReport: Sendable {
  /// The heading.
  public var title: String
  /// The data set's name, perhaps with its sizes.
  public var dataSet: String
  /// The network in the literature's notation.
  public var notation: String?
  /// The command that repeats the run.
  public var command: String?
  /// The network's layers, input first.
  public var layers: [Layer] = []
  /// Optimiser, rate, batch size, seed and whatever else was chosen, in the order of showing.
  public var settings: [Setting] = []
  /// What it ran on.
  public var machine: Machine?
  /// How long it took.
  public var timing: Timing?
  /// The epochs, first to last.
  public var history: [EpochRecord] = []
  /// The phase of the training that `history` and `bestEpoch` are of, where there were several.
  public var phase: String?
  /// The epoch whose parameters were kept, chosen on validation data.
  public var bestEpoch: Int?
  /// The fraction of the test set classified wrongly, 0...1; by default what `confusion` says.
  public var testError: Double?
  /// The mean loss on the samples of ``judgedPart``.
  public var testLoss: Double?
  /// The test set's predictions.
  public var confusion: ConfusionMatrix?
  /// How many samples the epoch was chosen by.
  public var validationCount: Int?
  /// The names of the classes; missing ones are shown as numbers.
  public var classNames: [String] = []
  /// The weights that can be shown as pictures.
  public var firstLayer: FirstLayer?
  /// Test samples that were classified wrongly with the greatest certainty, worst first.
  public var mistakes: [Mistake] = []
  /// What a reader must know, such as that training was interrupted.
  public var notes: [String] = []
  /// Which samples `confusion`, `testError` and `mistakes` are of: `test`, or `validation` where there
  /// are no others.
  public var judgedPart = "test"
  /// Where the model was saved.
  public var modelFile: String?
  /// Agnesi's version.
  public var version: String?

  /// A report that says nothing yet but its title and data set.
  public init(title: String, dataSet: String) {
    self.title = title
    self.dataSet = dataSet
  }
}

// MARK: - The parts

extension TrainingReport {
  /// A row of the network's summary.
  public struct Layer: Sendable, Equatable {
    /// Such as "conv1: 20C5".
    public var name: String
    /// Without the batch axis.
    public var outputShape: [Int]
    /// Numbers that training changes.
    public var parameters: Int
    /// Multiplications with addition for one sample.
    public var multiplyAdds: Int?
    /// Input pixels along one side that an output sees.
    public var receptiveField: Int?

    /// A row with the given parts.
    public init(
      name: String, outputShape: [Int], parameters: Int, multiplyAdds: Int? = nil,
      receptiveField: Int? = nil
    ) {
      self.name = name
      self.outputShape = outputShape
      self.parameters = parameters
      self.multiplyAdds = multiplyAdds
      self.receptiveField = receptiveField
    }
  }

  /// Something chosen for the run.
  public struct Setting: Sendable, Equatable {
    /// Such as "learning rate".
    public var name: String
    /// As it is to be shown.
    public var value: String

    /// A setting with the given name and value.
    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  /// How long a run took.
  public struct Timing: Sendable, Equatable {
    /// Seconds from the start to the end of training, validation included.
    public var total: Double
    /// Seconds until the first training step was done, compilation included.
    public var firstStep: Double?
    /// Training samples in a second, without the first step.
    public var samplesPerSecond: Double?

    /// A timing with the given parts.
    public init(total: Double, firstStep: Double? = nil, samplesPerSecond: Double? = nil) {
      self.total = total
      self.firstStep = firstStep
      self.samplesPerSecond = samplesPerSecond
    }
  }

  /// A sample that was classified wrongly.
  public struct Mistake: Sendable {
    /// As for ``Picture/init(_:range:)``.
    public var image: NDArray
    /// The sample's class.
    public var actual: Int
    /// The class it was taken for.
    public var predicted: Int
    /// The probability given to `predicted`, 0...1.
    public var probability: Double
    /// The sample's number in the test set, from 0.
    public var index: Int?
    /// What the sample is called, such as the name of its file; then its number is not shown.
    public var name: String?

    /// A mistake with the given parts.
    public init(
      image: NDArray, actual: Int, predicted: Int, probability: Double, index: Int? = nil,
      name: String? = nil
    ) {
      self.image = image
      self.actual = actual
      self.predicted = predicted
      self.probability = probability
      self.index = index
      self.name = name
    }
  }
}

extension TrainingReport {
  /// The test error to show.
  package var shownTestError: Double? { testError ?? confusion?.errorRate }

  /// The record of the epoch whose parameters were kept; without one, the last.
  package var keptRecord: EpochRecord? {
    history.first { $0.epoch == bestEpoch } ?? history.last
  }

  /// ``judgedPart`` at the beginning of a sentence.
  package var judgedPartAtStart: String {
    judgedPart.prefix(1).uppercased() + judgedPart.dropFirst()
  }

  package func className(_ label: Int) -> String {
    classNames.indices.contains(label) ? classNames[label] : String(label)
  }
}
