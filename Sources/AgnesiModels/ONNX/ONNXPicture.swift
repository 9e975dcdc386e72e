import AgnesiArrays
import AgnesiExpressions

/// The input of pictures of a graph that others made.
struct ONNXPicture {
  private let image: Tensor
  private let hasChannelsLast: Bool

  /// Nil where the inputs are not one picture.
  init?(_ inputs: [Tensor]) {
    guard inputs.count == 1, let image = inputs.first, image.rank == 4,
      image.dtype.isFloating || image.dtype == .uint8
    else { return nil }
    func isColours(_ size: Size) -> Bool { size.known == 3 || size.known == 1 }
    guard isColours(image.shape[1]) || isColours(image.shape[3]) else { return nil }
    self.image = image
    hasChannelsLast = !isColours(image.shape[1])
  }

  /// What is computed of pixels, float32 `[batch, channels, height, width]`, 0...255.
  func function(_ scores: ONNXScores, _ scaling: PixelScaling?) -> Model.Function {
    let axes = hasChannelsLast ? [0, 3, 1, 2] : [0, 1, 2, 3]
    let pixels = Tensor.input("pixels", axes.map { image.shape[$0] })
    var values = pixels
    if image.dtype != .uint8 || scaling != nil {
      values = (scaling ?? (pixels.shape[1].known == 3 ? .torchvision : .unit))(pixels)
    }
    if hasChannelsLast { values = values.transposed([0, 2, 3, 1]) }
    if image.dtype != values.dtype { values = values.cast(to: image.dtype) }
    let outputs = scores.outputs.map(\.tensor).replacing([image: values])
    return Model.Function(
      inputs: [pixels], outputs: zip(scores.outputs, outputs).map { (name: $0.name, tensor: $1) })
  }
}

extension Model.Function {
  /// The input and the probabilities of a function of one input that classifies, `[batch, classes]`: its
  /// output of that name, or what the scores among its outputs are; nil where it does not.
  package var classification: (input: Tensor, probabilities: Tensor)? {
    guard inputs.count == 1 else { return nil }
    let named = outputs.first { $0.name == "probabilities" && $0.tensor.rank == 2 }?.tensor
    guard let probabilities = named ?? ONNXScores(outputs.map(\.tensor))?.probabilities,
      probabilities.shape[1].known != nil
    else { return nil }
    return (inputs[0], probabilities)
  }
}

/// The scores of a graph that others made, as `[batch, classes]` of float32.
struct ONNXScores {
  let probabilities: Tensor
  let logits: Tensor
  private let features: Tensor?

  /// The first matrix of floats among the outputs, else the first of floats with one axis of classes
  /// and others of size 1; nil where there is neither.
  init?(_ outputs: [Tensor]) {
    let floats = outputs.filter(\.dtype.isFloating)
    guard
      let scores = floats.first(where: { $0.rank == 2 })
        ?? floats.first(where: { Self.classAxis($0) != nil }),
      let axis = Self.classAxis(scores)
    else { return nil }
    func matrix(_ tensor: Tensor) -> Tensor {
      let shaped =
        tensor.rank == 2 ? tensor : tensor.reshaped([tensor.shape[0], tensor.shape[axis]])
      return shaped.dtype == .float32 ? shaped : shaped.cast(to: .float32)
    }
    let isProbability = scores.isKind("softmax")
    let raw = isProbability ? scores.node.operands[0] : scores
    logits = matrix(raw)
    probabilities = isProbability ? matrix(scores) : softmax(logits, axis: 1)
    features = Self.denseOperand(of: raw).map {
      $0.dtype == .float32 ? $0 : $0.cast(to: .float32)
    }
  }

  var outputs: [(name: String, tensor: Tensor)] {
    let all: [(name: String, tensor: Tensor)] = [
      ("probabilities", probabilities), ("logits", logits),
    ]
    return features.map { all + [("features", $0)] } ?? all
  }

  /// The axis behind the first that is not of size 1, of which there may be one.
  private static func classAxis(_ tensor: Tensor) -> Int? {
    guard tensor.rank >= 2 else { return nil }
    let axes = (1..<tensor.rank).filter { tensor.shape[$0].known != 1 }
    if axes.count > 1 { return nil }
    return axes.first ?? 1
  }

  /// What the last dense layer reads.
  static func denseOperand(of logits: Tensor) -> Tensor? {
    var tensor = logits
    if type(of: tensor.node.operation).name == "add" { tensor = tensor.node.operands[0] }
    guard tensor.node.operation is MatMul, tensor.node.operands[0].rank == 2 else { return nil }
    return tensor.node.operands[0]
  }
}
