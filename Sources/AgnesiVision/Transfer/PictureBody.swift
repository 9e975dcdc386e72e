import AgnesiArrays
import AgnesiExpressions

/// A picture model without its end: everything up to one of its layers, with the parameters that it
/// has learned.
public struct PictureBody: Sendable {
  /// The model that was cut.
  public let model: PictureModel
  /// The last layer that is kept.
  public let layer: String
  /// What that layer says, as in training: `[batch, n]` or `[batch, channels, height, width]`.
  public let output: Tensor

  /// - Parameter layer: the last one that is kept; by default `features`, what the last dense layer
  ///   of a classifier reads.
  /// - Throws: ``TransferError`` where the model has no such layer, or its output is neither rows of
  ///   numbers nor feature maps.
  public init(_ model: PictureModel, cutAt layer: String = "features") throws {
    guard let output = model.layer(layer) else {
      let known = model.layers.map(\.name).joined(separator: ", ")
      throw TransferError(
        "the model cannot be cut at \"\(layer)\", it names no such layer",
        hint: NearestNames.question(layer, in: model.layers.map(\.name))
          ?? (known.isEmpty ? nil : "it names \(known)"))
    }
    let sizes = output.shape.dropFirst().compactMap(\.known)
    guard output.rank == 2 || output.rank == 4, sizes.count == output.rank - 1,
      output.dtype == .float32
    else {
      throw TransferError(
        "the layer \"\(layer)\" is \(output.type)",
        hint: "a head reads float32[batch, n] or float32[batch, channels, height, width]")
    }
    self.model = model
    self.layer = layer
    self.output = output
  }

  /// What the body says when nothing in it learns: batch normalisation uses the averages that it has,
  /// dropout does nothing.
  public var frozen: Tensor { output.specialized(for: .inference) }

  /// The layers that are kept, in the model's order.
  var layers: [(name: String, tensor: Tensor)] {
    let nodes = Set([output].topologicalNodes())
    return model.layers.filter { nodes.contains($0.tensor.node) }
  }

  /// The output where the layers up to `last` stay as they are and those behind it learn.
  ///
  /// - Parameter learnsAverages: whether batch normalisation of the layers that learn is that of the
  ///   mini-batch, and its averages follow; else they stay as they are.
  /// - Throws: ``TransferError`` where no layer before the cut has that name.
  func output(frozenThrough last: String?, learnsAverages: Bool) throws -> Tensor {
    let purpose = learnsAverages ? Purpose.training : .fineTuning
    guard let tensor = try layer(frozenThrough: last) else {
      return output.specialized(for: purpose)
    }
    let learning = [output, tensor].specialized(for: purpose)
    return learning[0].replacing([learning[1]: tensor.specialized(for: .inference)])
  }

  /// - Throws: ``TransferError`` where no layer before the cut has that name.
  func check(frozenThrough last: String?) throws { _ = try layer(frozenThrough: last) }

  /// The output of the last layer that stays as it is; nil where all learn.
  private func layer(frozenThrough last: String?) throws -> Tensor? {
    guard let last else { return nil }
    if let tensor = layers.first(where: { $0.name == last })?.tensor { return tensor }
    throw TransferError(
      "the layers up to \"\(last)\" cannot be frozen, none before the cut has that name",
      hint: NearestNames.question(
        last, in: layers.map(\.name),
        otherwise: "there are \(layers.map(\.name).joined(separator: ", "))"))
  }

  /// The parameters that stay as they are when the layers up to `last` do.
  func parameters(through last: String?) -> [Tensor] {
    guard let last, let tensor = layers.first(where: { $0.name == last })?.tensor else { return [] }
    return tensor.parameters()
  }
}
