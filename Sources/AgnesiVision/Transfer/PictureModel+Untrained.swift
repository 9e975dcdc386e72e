import AgnesiArrays
import AgnesiExpressions
import AgnesiImages
import AgnesiLayers
import AgnesiLoops
import AgnesiModels
import Foundation

extension PictureModel {
  /// A network of layers that has learned nothing yet, as a body for a new head: what to compare a
  /// transferred network with.
  ///
  /// Its layers are called `layer1`, `layer2` … and the last one, as rows of numbers, `features`.
  ///
  /// - Parameters:
  ///   - network: layers over pictures; none for the classes.
  ///   - size: rows and columns of the pictures, whose shorter side is made as long.
  ///   - seed: of the first values and dropout.
  /// - Throws: `GraphError` where the layers do not fit such pictures.
  public init(untrained network: Chain, size: Int, seed: UInt64) throws {
    let pixels = Tensor.input("pixels", [.batch, 3, Size(size), Size(size)])
    // Mean and deviation of photos, about: what is left over the first layers take up.
    let scaling = PixelScaling(mean: [124, 116, 104], deviation: [58, 57, 57])
    let outputs = Scope.seeded(seed) { network.outputs(scaling(pixels)) }
    let last = outputs.last ?? scaling(pixels)
    if let failure = last.failure { throw failure }
    let features = last.rank == 2 ? last : Flatten().build(last)
    var named = outputs.enumerated().map { (name: "layer\($0.offset + 1)", tensor: $0.element) }
    named.append((name: "features", tensor: features))
    let preprocessing = PicturePreprocessing(
      resizing: .shortSide(size), cropWidth: size, cropHeight: size)
    let text = try JSONText.encoded(preprocessing)
    // The features stand for the scores of classes that nobody has named yet.
    let model = Model(
      functions: [
        Self.functionName: .init(
          inputs: [pixels],
          outputs: [("probabilities", softmax(features, axis: 1)), ("logits", features)] + named)
      ], information: ["preprocessing": text])
    try self.init(model)
  }
}
