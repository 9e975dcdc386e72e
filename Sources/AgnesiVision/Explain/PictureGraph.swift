import AgnesiArrays
import AgnesiExpressions

/// Places in the graph of a picture model that explanations need to know.
struct PictureGraph {
  let model: PictureModel

  /// The picture as the first layer sees it: scaled, channels in the network's order, of the shape of
  /// the pixels; 0 is the mean colour there. The pixels themselves where no such place is found.
  var scaledPixels: Tensor {
    let readers = [model.logits].topologicalNodes(stoppingAt: [])
      .filter { ["convolution", "matmul"].contains($0.operation.label) }
    // Networks read from files may stand in composites, whose insides are no places of this graph.
    guard var place = readers.first(where: { dependsOnPixels($0.operands[0]) })?.operands[0]
    else { return model.pixels }
    while place.type != model.pixels.type {
      guard let next = place.node.operands.first(where: dependsOnPixels) else {
        return model.pixels
      }
      place = next
    }
    let cut = model.logits.replacing([place: .input("", place.shape, place.dtype)])
    return cut.inputs.contains(model.pixels) ? model.pixels : place
  }

  private func dependsOnPixels(_ tensor: Tensor) -> Bool { tensor.inputs.contains(model.pixels) }

  /// What a name of a layer means, or the last one that has feature maps where there is no name.
  ///
  /// - Throws: ``ExplanationError`` for a layer that does not exist, or has no feature maps.
  func featureMaps(_ name: String?, _ subject: String) throws -> (name: String, tensor: Tensor) {
    guard let name else {
      if let last = lastFeatureMaps { return last }
      throw ExplanationError(subject, "no layer of the model has feature maps")
    }
    guard let tensor = model.layer(name) else {
      let known = model.layers.map(\.name).joined(separator: ", ")
      throw ExplanationError(
        subject, "no layer is called \"\(name)\"",
        hint: NearestNames.question(name, in: model.layers.map(\.name))
          ?? (known.isEmpty ? nil : "the model names \(known)"))
    }
    guard Self.hasMaps(tensor) else {
      throw ExplanationError(
        subject,
        "the layer \"\(name)\" is \(tensor.type), no feature maps "
          + "[batch, channels, height, width]")
    }
    return (name, tensor)
  }

  /// The last named layer before the logits that has feature maps, else the last tensor of such a
  /// shape.
  private var lastFeatureMaps: (name: String, tensor: Tensor)? {
    let nodes = Set([model.logits].topologicalNodes())
    let named = model.layers.last { Self.hasMaps($0.tensor) && nodes.contains($0.tensor.node) }
    if let named { return named }
    let last = [model.logits].topologicalNodes().flatMap(\.results).last { tensor in
      Self.hasMaps(tensor) && tensor.dtype == .float32 && dependsOnPixels(tensor)
    }
    return last.map { ("last feature maps", $0) }
  }

  /// Whether this is `[batch, channels, height, width]` of more than one place.
  static func hasMaps(_ tensor: Tensor) -> Bool {
    guard tensor.rank == 4 else { return false }
    return tensor.shape[2].known != 1 || tensor.shape[3].known != 1
  }
}
