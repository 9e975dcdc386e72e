import AgnesiArrays

/// Some samples, ready for a training step.
public struct Batch: Sendable {
  /// float32 `[count, …]`: scaled, and standardised where that was asked for.
  public let inputs: NDArray
  /// int32 labels `[count]`, or float32 values `[count, …]`.
  public let targets: NDArray
  /// Which samples of the data set these are.
  public let indices: [Int]
  /// Counted from 0.
  public let epoch: Int
  /// Which batch of the epoch this is, counted from 0.
  public let number: Int

  /// Samples in this batch.
  public var count: Int { indices.count }
}

/// How a data set is cut into mini-batches.
///
/// A pure value: the batch of an epoch and number is always the same, so a run that is resumed at
/// epoch `e` and batch `b` sees what the unbroken run would have seen.
public struct Batches: Sendable {
  /// In which order the samples come.
  public enum Order: Codable, Hashable, Sendable {
    /// As they are stored.
    case stored
    /// In another random order each epoch; the same seed gives the same orders.
    case shuffled(seed: UInt64)
  }

  /// What is cut into batches.
  public let dataSet: DataSet
  /// Samples in each batch but the last.
  public let size: Int
  /// In which order its samples come.
  public let order: Order
  /// Whether samples that do not fill a batch are left out.
  public let dropsLast: Bool
  /// What is applied to the scaled inputs.
  public let standardization: Standardization?
  /// The shape of one sample's input in a batch.
  public let sampleShape: [Int]
  private let gather: RowGather
  private let augmenter: Augmenter?

  /// - Parameters:
  ///   - size: samples in each batch; where there are fewer, the only batch is smaller.
  ///   - standardization: applied to the scaled inputs.
  ///   - augmentation: what happens to each sample, anew in each epoch; it excludes standardisation,
  ///     which is then a part of the network.
  /// - Throws: ``DataError`` where `size` is not positive, the standardisation is of samples of
  ///   another shape, or samples that are no pictures are to be augmented.
  public init(
    of dataSet: DataSet, size: Int, order: Order = .stored, dropsLast: Bool = false,
    standardization: Standardization? = nil,
    augmentation: (Augmentation, seed: UInt64)? = nil
  ) throws(DataError) {
    guard size > 0 else {
      throw DataError(
        "cut the data set \(dataSet.name) into batches", "a batch has \(size) samples",
        hint: "it needs 1 or more")
    }
    gather = try RowGather(dataSet, standardization)
    augmenter = try augmentation.map { augmentation throws(DataError) in
      try Augmenter(augmentation.0, dataSet, seed: augmentation.seed)
    }
    if augmenter != nil, standardization != nil {
      throw DataError(
        "augment the data set \(dataSet.name)", "its samples are to be standardised too",
        hint: "standardise inside of the network")
    }
    sampleShape = augmenter?.sampleShape ?? dataSet.sampleShape
    self.dataSet = dataSet
    self.size = size
    self.order = order
    self.dropsLast = dropsLast
    self.standardization = standardization
  }

  /// The shape of one sample's input in batches of `dataSet`.
  ///
  /// - Throws: ``DataError`` where the samples cannot be augmented so.
  static func sampleShape(
    of dataSet: DataSet, _ augmentation: Augmentation?
  ) throws(DataError) -> [Int] {
    try augmentation?.sampleShape(of: dataSet) ?? dataSet.sampleShape
  }

  /// Batches in each epoch.
  public var count: Int {
    dropsLast ? dataSet.count / size : (dataSet.count + size - 1) / size
  }

  /// The samples of an epoch, in order.
  ///
  /// - Complexity: O(samples).
  public func sampleOrder(ofEpoch epoch: Int) -> [Int] {
    switch order {
    case .stored: Array(0..<dataSet.count)
    case .shuffled(let seed):
      Permutation.drawn(
        count: dataSet.count, from: Philox(seed: seed, name: "batches"),
        variant: UInt64(bitPattern: Int64(epoch)))
    }
  }

  /// The batches of one epoch, from number `first` on, prepared ahead.
  public func epoch(_ epoch: Int, from first: Int = 0) -> BatchStream {
    epochs(epoch..<(epoch + 1), from: first)
  }

  /// The batches of several epochs without a pause between them, prepared ahead by one thread.
  ///
  /// - Parameters:
  ///   - epochs: the epochs.
  ///   - first: the number of the first batch in the first epoch.
  ///   - ahead: how many finished batches may wait.
  public func epochs(_ epochs: Range<Int>, from first: Int = 0, ahead: Int = 2) -> BatchStream {
    BatchStream(self, epochs: epochs, from: first, ahead: ahead)
  }

  /// Gathers and converts one batch.
  ///
  /// - Parameter order: the order of the epoch's samples.
  func batch(_ number: Int, epoch: Int, order: [Int], buffers: BatchBuffers) -> Batch {
    let start = number * size
    let indices = Array(order[start..<min(start + size, order.count)])
    let inputs = buffers.array([indices.count] + sampleShape, .float32)
    let targetShape = [indices.count] + dataSet.targets.shape.dropFirst()
    let targets = buffers.array(targetShape, dataSet.targets.dtype)
    if let augmenter {
      augmenter.fill(inputs.storage.base, indices, epoch: epoch)
    } else {
      gather.fillInputs(inputs.storage.base, indices)
    }
    gather.fillTargets(targets.storage.base, indices)
    return Batch(inputs: inputs, targets: targets, indices: indices, epoch: epoch, number: number)
  }
}
