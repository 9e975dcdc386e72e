import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiModels
import AgnesiTraining

/// A network of the zoo or of a file that classifies samples of a data set, which are arrays and not photos.
///
/// Samples are not brought to another size: they fit the network's input, or there is an error.
package struct ArrayClassifier {
  /// What is done to stored samples, in words: they are scaled in one of several ways, and a network that was
  /// trained with another one errs.
  package let scalingText: String
  /// The classes' names; numbers where the network has none.
  package let classNames: [String]
  private let function: BatchedFunction
  /// What makes inputs of stored values; nil where these go in as they are.
  private let scaling: InputScaling?

  /// - Parameters:
  ///   - name: the network's name or file, for messages.
  ///   - samples: those that are to be classified: their shape and dtype decide how they go in.
  /// - Throws: ``ModelError`` that says what the network takes and what the samples are; what the backend
  ///   throws.
  package init(_ model: Model, name: String, for samples: DataSet, on backend: any Backend) throws {
    let picture = Result { try PictureModel(model, path: name) }
    if samples.inputs.dtype == .uint8, let picture = try? picture.get(),
      picture.pixels.takes(samples)
    {
      let model = picture.specialized(for: .inference)
      let bytes = Tensor.input("pixels", model.pixels.shape, .uint8)
      let probabilities = model.probabilities.replacing([model.pixels: bytes.cast(to: .float32)])
      try self.init(
        [bytes], probabilities, batch: model.fixedBatch, names: model.classNames, scaling: nil,
        text: Self.scalingText(of: picture, samples), on: backend)
      return
    }
    guard let function = model.functions["run"] ?? model.functions[PictureModel.functionName],
      let (input, probabilities) = function.classification
    else {
      // Why it is no network for pictures is the nearest to a reason.
      _ = try picture.get()
      throw ModelError(name, "it has no output of scores for classes")
    }
    guard input.takes(samples), picture.isFailure || model.functions["run"] != nil else {
      throw Self.mismatch(samples, (try? picture.get())?.pixels ?? input, name)
    }
    let names: [String]? = model.information["classes"].flatMap { try? JSONText.decoded(from: $0) }
    let count = probabilities.shape[1].known ?? 0
    let fitting = names?.count == count ? names : nil
    let dtype = samples.inputs.dtype
    try self.init(
      [input], [probabilities].specialized(for: .inference)[0], batch: input.shape[0].known,
      names: fitting ?? (0..<count).map(String.init), scaling: samples.scaling,
      text: samples.scaling == .identity
        ? "the samples go into the network as they are stored, \(dtype)"
        : "the samples' bytes are divided by 255 for the network", on: backend)
  }

  private init(
    _ inputs: [Tensor], _ probabilities: Tensor, batch: Int?, names: [String],
    scaling: InputScaling?, text: String, on backend: any Backend
  ) throws {
    function = BatchedFunction(
      function: try compile(
        inputs, to: [probabilities], options: CompileOptions(name: "evaluate"), on: backend),
      batch: batch)
    classNames = names
    self.scaling = scaling
    scalingText = text
  }

  private static func scalingText(of model: PictureModel, _ samples: DataSet) -> String {
    let bytes = "the samples' bytes are pixels 0...255 for the network"
    guard let raw = model.model.functions["run"]?.inputs.first else {
      return "\(bytes), which scales them itself"
    }
    if raw.dtype == .uint8 { return "\(bytes), which takes bytes" }
    let usual = model.channels == 3 ? "as for torchvision's networks" : "to 0...1"
    return "\(bytes); ONNX files do not say how these are scaled: \(usual)"
  }

  private static func mismatch(_ samples: DataSet, _ input: Tensor, _ name: String) -> ModelError {
    let sizes = samples.sampleShape.map(String.init).joined(separator: "×")
    let wanted = input.shape.dropFirst().map(\.description).joined(separator: "×")
    let isPicture = input.rank == 4
    let fits = input.fits(samples)
    return ModelError(
      name,
      "it takes \(isPicture ? "pictures" : "samples") of \(wanted)"
        + (fits ? ", pixels 0...255" : "")
        + ", those of \(samples.name) are \(sizes)\(fits ? ", \(samples.inputs.dtype)" : "")",
      hint: isPicture && !fits
        ? "a folder of photos is brought to the network's size, a data set is not" : nil)
  }

  /// The network's class for each of the data set's: by name where all names are classes of the
  /// network's, else by number where there are as many.
  ///
  /// - Returns: the classes, and a remark where they are compared by number although both have names.
  /// - Throws: ``ModelError`` where neither can be.
  package func classes(
    of samples: DataSet, name: String
  ) throws -> (classes: [Int], remark: String?) {
    let names = samples.classNames
    let positions = Dictionary(
      classNames.enumerated().map { ($0.element.lowercased(), $0.offset) },
      uniquingKeysWith: { first, _ in first })
    let found = names.compactMap { positions[$0.lowercased()] }
    if !names.isEmpty, found.count == names.count, Set(found).count == names.count {
      return (found, nil)
    }
    let count = samples.classCount
    let isNumbered = classNames == classNames.indices.map(String.init)
    guard count == classNames.count || (names.isEmpty || isNumbered) && count <= classNames.count
    else {
      throw ModelError(
        name,
        "it tells \(classNames.count) classes apart, \(samples.name) has \(count), which are not among"
          + " them by name: \(listed(names))")
    }
    let remark =
      names.isEmpty || isNumbered
      ? nil
      : "the classes of \(samples.name) have other names than the network's: compared by number"
    return (Array(0..<count), remark)
  }

  private func listed(_ names: [String]) -> String {
    let missing = names.filter { name in
      !classNames.contains { $0.lowercased() == name.lowercased() }
    }
    let shown = missing.prefix(3).joined(separator: ", ")
    return missing.count > 3 ? "\(shown) and \(missing.count - 3) more" : shown
  }

  /// The probabilities of each class, a row for each sample.
  ///
  /// - Throws: ``ProbabilityError`` where a value is not finite.
  func callAsFunction(_ inputs: NDArray) throws -> NDArray {
    var values = inputs
    if let scaling {
      values = values.cast(to: .float32)
      if scaling != .identity {
        let (factor, offset) = (Float(scaling.factor), Float(scaling.offset))
        let numbers = values.scalars(as: Float.self).map { $0 * factor + offset }
        values = NDArray(numbers, shape: values.shape)
      }
    }
    let rows = try function(values)
    try ProbabilityError.check(rows)
    return rows
  }
}

extension Tensor {
  /// Whether samples of a data set have this shape, whatever their numbers mean.
  fileprivate func fits(_ samples: DataSet) -> Bool {
    rank == samples.inputs.rank
      && zip(shape.dropFirst(), samples.sampleShape).allSatisfy { $0.mayEqual(Size($1)) }
  }

  fileprivate func takes(_ samples: DataSet) -> Bool { dtype == .float32 && fits(samples) }
}

extension Result {
  fileprivate var isFailure: Bool { if case .failure = self { true } else { false } }
}

extension PictureEvaluation {
  /// Samples that go through a network at a time.
  private static let batchSize = 64

  /// Runs a network over a data set.
  ///
  /// - Parameters:
  ///   - classes: the network's class for each label.
  ///   - interruption: stops between batches; the result covers the samples so far.
  ///   - progress: called after each batch with the number of samples done.
  package init(
    of classifier: ArrayClassifier, on samples: DataSet, classes: [Int],
    interruption: Interruption = Interruption(), progress: (Int) -> Void = { _ in }
  ) throws {
    self.init()
    let labels = samples.labels.map { classes[Int($0)] }
    for start in stride(from: 0, to: samples.count, by: Self.batchSize)
    where !interruption.isRequested {
      let rows = start..<min(start + Self.batchSize, samples.count)
      add(
        try classifier(samples.inputs[rows: rows]), Array(labels[rows]),
        classCount: classifier.classNames.count)
      progress(result.count)
    }
  }
}
