import AgnesiArrays
import AgnesiExpressions
import AgnesiImages

/// What a layer says about a picture.
public struct Activations: Sendable {
  /// The layer's name.
  public let layer: String
  /// `[maps, height, width]`, float32.
  public let maps: NDArray

  /// The first maps side by side, all on one scale: dark is 0, pale the largest; where there are
  /// negative values, they are blue and positive ones red.
  ///
  /// - Parameters:
  ///   - most: at most this many maps.
  ///   - side: maps are enlarged to about this many pixels.
  public func drawn(most: Int = 64, side: Int = 56) throws -> Picture {
    let limit = Explanation.most(of: maps, 0.998)
    let isSigned = maps.doubles.contains { $0 < 0 }
    let factor = max(side / max(maps.shape[2], 1), 1)
    let pictures = try (0..<min(most, maps.shape[0])).map { index in
      let map = maps[rows: index..<(index + 1)]
      let picture =
        try isSigned
        ? Picture.diverging(map, limit: limit) : Picture.heat(map, limit: limit)
      return picture.enlarged(by: factor)
    }
    return try Self.grid(pictures, of: layer)
  }

  private static func grid(_ pictures: [Picture], of layer: String) throws -> Picture {
    guard let grid = Picture.grid(pictures, gap: 2) else {
      throw ExplanationError("activations", "the layer \"\(layer)\" has no maps")
    }
    return grid
  }
}

/// The place of a picture where a feature map is strongest, and what the map saw there.
public struct FeaturePatch: Sendable {
  /// What the caller calls the picture, such as its file.
  public let name: String
  /// The picture as the network saw it.
  public let picture: Picture
  /// The map's largest value.
  public let activation: Double
  /// Its place in the map.
  public let row: Int
  public let column: Int
  /// The pixels that this place can see.
  public let rows: Range<Int>
  public let columns: Range<Int>
  /// `[channels, height, width]` of the whole picture: the value sent back through the network.
  public let reconstruction: NDArray

  /// The pixels that the map saw.
  public var patch: Picture { cropped(picture) }

  /// What the map responds to, as colours around mid-grey.
  public func drawnReconstruction() throws(PictureError) -> Picture {
    let limit = max(Explanation.most(of: reconstruction, 0.9995), .leastNormalMagnitude)
    return cropped(try Picture(reconstruction, range: -limit...limit))
  }

  private func cropped(_ picture: Picture) -> Picture {
    picture.cropped(
      x: columns.lowerBound, y: rows.lowerBound, width: columns.count, height: rows.count)
  }
}

extension Explainer {
  /// The names of the layers that have feature maps, in the model's order.
  public var layerNames: [String] {
    model.layers.filter { PictureGraph.hasMaps($0.tensor) }.map(\.name)
  }

  /// What a layer says about a picture.
  ///
  /// - Parameter layer: by name; by default the last one that has feature maps.
  public func activations(of picture: Picture, layer: String? = nil) throws -> Activations {
    let maps = try graph.featureMaps(layer, "activations")
    let function = try function("activations.\(maps.name)") { ([self.model.pixels], [maps.tensor]) }
    let values = try function(pixels(of: picture))
    return Activations(layer: maps.name, maps: values.reshaped(Array(values.shape.dropFirst())))
  }

  /// Where among pictures a feature map is strongest, and what it saw there: for each picture the
  /// largest value of the map, sent back alone to the pixels, past rectifiers as DeconvNet does.
  ///
  /// - Parameters:
  ///   - map: of the layer, from 0.
  ///   - pictures: by name, read one after the other; only the best are kept.
  ///   - count: how many to return.
  /// - Returns: the strongest first, one for a picture.
  /// - Source: Zeiler & Fergus, *Visualizing and understanding convolutional networks*, 2014, §2.1
  ///   and fig. 2.
  public func strongestPatches(
    of map: Int, layer: String, in pictures: some Sequence<(name: String, picture: Picture)>,
    count: Int = 9
  ) throws -> [FeaturePatch] {
    let maps = try graph.featureMaps(layer, "feature map")
    guard let mapCount = maps.tensor.shape[1].known, (0..<mapCount).contains(map) else {
      throw ExplanationError(
        "feature map",
        "map \(map) of the layer \"\(layer)\", which has "
          + "\(maps.tensor.shape[1])", hint: "maps are counted from 0")
    }
    var best: [Peak] = []
    for (name, picture) in pictures {
      best.append(try peak(name, picture, map, maps))
      best.sort { $0.value > $1.value }
      if best.count > count { best.removeLast() }
    }
    return try best.map { try patch(of: $0, map, maps) }
  }

  private struct Peak {
    let name: String
    let picture: Picture
    let value: Double
    let place: Int
    let width: Int
  }

  private typealias Layer = (name: String, tensor: Tensor)

  private func peak(
    _ name: String, _ picture: Picture, _ map: Int, _ layer: Layer
  ) throws -> Peak {
    let index = Tensor.input("map", [1], .int32)
    let function = try function("peak.\(layer.name)") {
      ([self.model.pixels, index], [layer.tensor.gathered(index, axis: 1)])
    }
    let values = try function(pixels(of: picture), NDArray([Int32(map)]))
    let numbers = values.doubles
    let place = numbers.indices.max { numbers[$0] < numbers[$1] } ?? 0
    return Peak(
      name: name, picture: picture, value: numbers[place], place: place, width: values.shape[3])
  }

  private func patch(of peak: Peak, _ map: Int, _ layer: Layer) throws -> FeaturePatch {
    let batch = model.pixels.shape[0]
    let function = try function("project.\(layer.name)") {
      let index = Tensor.input("map", [1], .int32)
      let place = Tensor.input("place", [batch], .int32)
      let maps = [layer.tensor].passingRectifiers(by: .deconvolution)[0]
      let row = maps.gathered(index, axis: 1)
      let value = row.reshaped([batch, row.shape[2] * row.shape[3]]).picked(place, axis: 1)
      // All other values are left out, and this one is what goes back.
      let seed = (value * stopGradient(value)).sum()
      let gradients = gradient(of: seed, withRespectTo: [self.model.pixels], disconnected: .zero)[0]
      return ([self.model.pixels, index, place], [gradients])
    }
    let gradients = try function(
      pixels(of: peak.picture), NDArray([Int32(map)]), NDArray([Int32(peak.place)]))
    let (row, column) = peak.place.quotientAndRemainder(dividingBy: peak.width)
    var fields = ReceptiveFields(in: model.pixels)
    fields.add([layer.tensor].topologicalNodes())
    let field = fields[layer.tensor]
    let (height, width) = (peak.picture.height, peak.picture.width)
    return FeaturePatch(
      name: peak.name, picture: peak.picture, activation: peak.value, row: row, column: column,
      rows: field?.rows.range(at: row, of: height) ?? 0..<height,
      columns: field?.columns.range(at: column, of: width) ?? 0..<width,
      reconstruction: gradients.reshaped(Array(gradients.shape.dropFirst())))
  }
}
