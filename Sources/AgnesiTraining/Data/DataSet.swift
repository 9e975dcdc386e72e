import AgnesiArrays

/// Samples and what is to be predicted of them.
///
/// A value: copies share memory.
public struct DataSet: Sendable {
  /// What the data set is called in messages and reports.
  public let name: String
  /// `[count, …]`, uint8 or float32, contiguous. Images are `[count, channels, height, width]`.
  public let inputs: NDArray
  /// int32 labels `[count]` or masks `[count, height, width]`, or float32 values `[count, …]`;
  /// contiguous.
  public let targets: NDArray
  /// The name of each label; empty where they have none.
  public let classNames: [String]
  /// What each sample is called, such as the path of its file; empty where they have no names.
  public let sampleNames: [String]
  /// How stored inputs become what a network sees.
  public let scaling: InputScaling

  /// A data set of arrays.
  ///
  /// - Parameters:
  ///   - inputs: `[count, …]`, uint8 or floating; floating ones are kept as float32.
  ///   - targets: integer labels `[count]` or masks of labels `[count, height, width]`, kept as
  ///     int32, or floating values `[count, …]`, kept as float32.
  ///   - classNames: one name for each label, or none.
  ///   - sampleNames: one name for each sample, or none.
  ///   - scaling: by default bytes are divided by 255 and floats are left as they are.
  /// - Throws: ``DataError`` where counts or dtypes do not fit, or a label has no name.
  public init(
    name: String, inputs: NDArray, targets: NDArray, classNames: [String] = [],
    sampleNames: [String] = [], scaling: InputScaling? = nil
  ) throws(DataError) {
    let action = "make the data set \(name)"
    guard inputs.rank > 0, targets.rank > 0, inputs.shape[0] == targets.shape[0] else {
      throw DataError(
        action,
        "inputs of shape \(inputs.shape) and targets of shape \(targets.shape) have not "
          + "the same number of samples")
    }
    guard sampleNames.isEmpty || sampleNames.count == inputs.shape[0] else {
      throw DataError(
        action, "it has \(inputs.shape[0]) samples and \(sampleNames.count) names of samples")
    }
    guard inputs.dtype == .uint8 || inputs.dtype.isFloating else {
      throw DataError(action, "its inputs are \(inputs.dtype); they can be uint8 or floats")
    }
    self.name = name
    self.inputs = (inputs.dtype == .uint8 ? inputs : inputs.cast(to: .float32)).contiguous()
    self.targets = try Self.checkedTargets(targets, classNames, action)
    self.classNames = classNames
    self.sampleNames = sampleNames
    self.scaling = scaling ?? (inputs.dtype == .uint8 ? .unit : .identity)
  }

  /// A part of a set that is checked already.
  private init(
    _ whole: DataSet, inputs: NDArray, targets: NDArray, _ indices: some Collection<Int>
  ) {
    name = whole.name
    self.inputs = inputs
    self.targets = targets
    classNames = whole.classNames
    sampleNames = whole.sampleNames.isEmpty ? [] : indices.map { whole.sampleNames[$0] }
    scaling = whole.scaling
  }

  /// How many samples there are.
  public var count: Int { inputs.shape[0] }

  /// The shape of one sample's input.
  public var sampleShape: [Int] { Array(inputs.shape.dropFirst()) }

  /// Whether the targets are labels of classes.
  public var isClassification: Bool { targets.dtype == .int32 && targets.rank == 1 }

  /// Whether the targets are masks: the class of each pixel.
  public var isSegmentation: Bool { targets.dtype == .int32 && targets.rank == 3 }

  /// How many classes there are: the names', or else one more than the largest label; 0 where the
  /// targets are no labels.
  public var classCount: Int {
    if !isClassification { return 0 }
    return classNames.isEmpty ? Int(labels.max() ?? -1) + 1 : classNames.count
  }

  /// The label of each sample; empty where the targets are no labels.
  public var labels: [Int32] { isClassification ? targets.scalars(as: Int32.self) : [] }

  /// How many samples have each label.
  public var labelCounts: [Int] {
    var counts = [Int](repeating: 0, count: classCount)
    for label in labels { counts[Int(label)] += 1 }
    return counts
  }
}

// MARK: - Parts

extension DataSet {
  /// The samples at `indices`, in that order, copied.
  ///
  /// - Precondition: every index is in `0..<count`.
  public func subset(_ indices: some Collection<Int>) -> DataSet {
    DataSet(self, inputs: inputs.gathered(indices), targets: targets.gathered(indices), indices)
  }

  /// The samples in `range`; shares memory.
  ///
  /// - Precondition: the range is within `0..<count`.
  public func subset(_ range: Range<Int>) -> DataSet {
    DataSet(self, inputs: inputs[rows: range], targets: targets[rows: range], range)
  }

  /// The first `count` samples, or all where there are fewer; shares memory.
  public func first(_ count: Int) -> DataSet { subset(0..<min(max(count, 0), self.count)) }
}

// MARK: - Checks

extension DataSet {
  /// What labels beyond the classes' names may be: numbers from 1 on.
  private static func hint(_ labels: NDArray, _ classNames: [String]) -> String? {
    let values = labels.doubles
    guard labels.rank == 1, values.min() == 1, values.max() == Double(classNames.count) else {
      return nil
    }
    return "they seem to begin at 1: subtract 1 from each"
  }

  private static func checkedTargets(
    _ targets: NDArray, _ classNames: [String], _ action: String
  ) throws(DataError) -> NDArray {
    if targets.dtype.isFloating { return targets.cast(to: .float32).contiguous() }
    guard targets.rank == 1 || targets.rank == 3 else {
      throw DataError(action, "its labels have the shape \(targets.shape) instead of one axis")
    }
    // Before the cast, which would wrap what int32 cannot hold.
    let size = max(targets.shape.dropFirst().product, 1)
    for (position, label) in targets.doubles.enumerated() {
      if label >= 0, label <= Double(Int32.max),
        classNames.isEmpty || label < Double(classNames.count)
      {
        continue
      }
      let bits = targets.wholes[position]
      let text = targets.dtype == .uint64 ? "\(UInt64(bitPattern: bits))" : "\(bits)"
      let most = classNames.isEmpty ? Int(Int32.max) : classNames.count - 1
      let allowed = classNames.isEmpty && label < 0 ? "not negative" : "0 to \(most)"
      throw DataError(
        action, "sample \(position / size) has the label \(text); labels are \(allowed)",
        hint: hint(targets, classNames))
    }
    return targets.cast(to: .int32).contiguous()
  }
}
