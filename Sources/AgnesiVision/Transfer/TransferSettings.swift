import AgnesiLayers
import AgnesiTraining

/// How a network is transferred to other pictures. The defaults are made for some hundred photos.
public struct TransferSettings: Codable, Hashable, Sendable {
  /// Where the network is cut: the last layer that is kept.
  public var layer: String
  /// Of the head's first values, the order of photos, augmentation, and the part held out.
  public var seed: UInt64
  /// Passes over the features when the head is trained alone.
  public var headEpochs: Int
  /// The weight of the sum of the head's squared weights when it is trained alone, on features of
  /// deviation 1. Features are many and photos few, so it is needed.
  public var headPenalty: Double
  /// Passes over the photos when everything is trained; 0 trains the head alone.
  public var epochs: Int
  /// Photos of a mini-batch when everything is trained.
  public var batchSize: Int
  /// The largest rate of the head when everything is trained.
  public var rate: Double
  /// The largest rate of the layers that have learned before.
  public var bodyRate: Double
  /// Epochs without a better one after which training ends; nil for none.
  public var patience: Int?
  /// The layers up to this one stay as they are, the averages of batch normalisation included; nil
  /// for none.
  public var frozenLayer: String?
  /// Whether batch normalisation is that of the mini-batch when everything is trained, and its
  /// averages follow. Of few photos and small mini-batches they become worse than those of before, by
  /// which the network has learned to see; a network that knows nothing has no other.
  public var learnsAverages: Bool
  /// What happens to the training photos when everything is trained; nil for nothing.
  public var augmentation: PhotoAugmentation?

  /// Settings with these numbers. The two rates, for Adam, are those of the talk's tutorial.
  public init(
    layer: String = "features", seed: UInt64 = 0, headEpochs: Int = 100,
    headPenalty: Double = 0.05, epochs: Int = 6, batchSize: Int = 32, rate: Double = 3e-4,
    bodyRate: Double = 3e-5, patience: Int? = 4, frozenLayer: String? = nil,
    learnsAverages: Bool = false, augmentation: PhotoAugmentation? = .usual
  ) {
    self.layer = layer
    self.seed = seed
    self.headEpochs = headEpochs
    self.headPenalty = headPenalty
    self.epochs = epochs
    self.batchSize = batchSize
    self.rate = rate
    self.bodyRate = bodyRate
    self.patience = patience
    self.frozenLayer = frozenLayer
    self.learnsAverages = learnsAverages
    self.augmentation = augmentation
  }

  /// The same with so many epochs.
  func with(epochs: Int) -> TransferSettings {
    var result = self
    result.epochs = epochs
    return result
  }

  /// How the head alone is trained. Adam takes features as they come; the rate falls to almost 0, since
  /// the problem is convex and has one end.
  var headTraining: TrainingSettings {
    TrainingSettings(
      epochs: headEpochs, batchSize: 32, seed: seed, optimizer: .adam(), rate: 2e-3,
      schedule: .cosine(), weightPenalty: headPenalty, clip: .none)
  }

  /// How everything is trained.
  func training(_ network: TransferNetwork, augmentation: Augmentation?) -> TrainingSettings {
    TrainingSettings(
      epochs: epochs, batchSize: batchSize, seed: seed, optimizer: .adam(), rate: rate,
      schedule: .cosine(warmUp: 0.1), clip: .none, patience: patience,
      rateFactors: network.rateFactors(body: bodyRate / rate, frozenThrough: frozenLayer),
      augmentation: augmentation)
  }
}

/// Random changes to training photos, as parts of what a network sees: the sizes follow from it.
public struct PhotoAugmentation: Codable, Hashable, Sendable {
  /// Cut out at a random place of a photo that is prepared an eighth larger or more.
  public var crops: Bool
  /// Left and right exchanged in half of the draws.
  public var mirrors: Bool
  /// Turned by up to so many degrees.
  public var rotation: Double
  /// Enlarged or made smaller by a factor of up to 1 + zoom.
  public var zoom: Double
  /// See `Augmentation.colorDeviation`.
  public var colorDeviation: Double

  /// Nothing unless said.
  public init(
    crops: Bool = false, mirrors: Bool = false, rotation: Double = 0, zoom: Double = 0,
    colorDeviation: Double = 0
  ) {
    self.crops = crops
    self.mirrors = mirrors
    self.rotation = rotation
    self.zoom = zoom
    self.colorDeviation = colorDeviation
  }

  /// Crops, mirrors and colours as in the talk's tutorial, with a little turning and zooming.
  public static let usual = PhotoAugmentation(
    crops: true, mirrors: true, rotation: 8, zoom: 0.1, colorDeviation: 0.1)

  /// The same for pictures of this size.
  func augmentation(height: Int, width: Int) -> Augmentation {
    Augmentation(
      cropHeight: crops ? height : nil, cropWidth: crops ? width : nil, mirrors: mirrors,
      rotation: rotation, zoom: zoom, colorDeviation: colorDeviation)
  }
}
