import AgnesiExpressions
import AgnesiLayers
import AgnesiTraining

/// A new end for a network: what it is to say, and the layers that say it.
public enum Head: Codable, Hashable, Sendable {
  /// One of so many classes: a dense layer over the features, or over the mean of feature maps.
  case classes(Int)
  /// So many numbers, in the same way (regression).
  case values(Int)
  /// Where something is, as left, top, width and height in 0...1.
  ///
  /// Over feature maps: so many ``SpatialPoints``, of which a dense layer makes the four numbers,
  /// through the sigmoid. A point knows where it is whatever place it was learned at, which a dense
  /// layer over all places has to learn for each. Over rows of numbers: a dense layer of `hidden`
  /// units, then that of four.
  case boxes(hidden: Int = 64)
  /// The class of each pixel of the picture, out of so many: a convolution of 1×1 over feature maps,
  /// whose scores are enlarged to the picture's size by linear interpolation. Pixels with the label
  /// `ignored` do not count.
  case masks(Int, ignored: Int? = nil)

  /// How the head's output is compared with what is right.
  public var goal: Goal {
    switch self {
    case .classes: .classes
    case .values: .values
    case .boxes: .boxes
    case .masks(_, let ignored): .masks(ignored: ignored)
    }
  }

  /// What is wrong with it over these features, if anything.
  func mistake(over features: Tensor) -> String? {
    switch self {
    case .classes(let count), .values(let count), .boxes(let count):
      return count < 1 ? "a head of \(count) units" : nil
    case .masks(let count, _):
      if count < 1 { return "a head of \(count) classes" }
      return features.rank == 4
        ? nil : "masks need feature maps [batch, channels, height, width], got \(features.type)"
    }
  }

  /// The head's expressions with new parameters.
  ///
  /// - Parameters:
  ///   - features: `[batch, n]` or `[batch, channels, height, width]`.
  ///   - size: rows and columns of the picture.
  func build(on features: Tensor, size: (height: Int, width: Int)) -> Output {
    switch self {
    case .classes(let count), .values(let count):
      let pooled = features.rank == 4 ? features.mean(axes: [2, 3]) : features
      // Nothing has to be told apart as in hidden layers, so the first values may be 0, and a head
      // alone ends where it ends whatever the seed.
      let dense = Dense(units: count, weight: .zeros, name: "dense")
      return Output(output: dense(pooled), read: pooled)
    case .boxes(let hidden):
      let inner =
        features.rank == 4
        ? SpatialPoints(count: hidden, name: "points")(features)
        : Dense(units: hidden, activation: .relu, name: "dense")(features)
      return Output(output: sigmoid(Dense(units: 4, name: "box")(inner)), read: inner)
    case .masks(let count, _):
      let scores = Convolution2D(filters: count, kernel: 1, name: "scores")(features)
      return Output(
        output: interpolated(scores, height: size.height, width: size.width), read: features)
    }
  }

  /// What a head says, and what its last layer reads.
  struct Output {
    var output: Tensor
    var read: Tensor
  }
}
