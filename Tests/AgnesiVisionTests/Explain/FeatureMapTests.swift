import Agnesi
import Foundation
import TestSupport
import Testing

@Suite struct FeatureMapTests {
  let network = TinyNetwork(seed: 30)
  let explainer: Explainer

  init() throws { explainer = Explainer(try network.model(), on: .cpu) }

  private func maps(_ photo: Picture) -> Maps {
    let pass = network.forward(TinyNetwork.planes(photo))
    return pass.inner.map { $0.map { $0.map { min(max($0, 0), 1) } } }
  }

  @Test func activationsAreThoseOfLoops() throws {
    let photo = TinyNetwork.photo(seed: 5)
    let found = try explainer.activations(of: photo)
    #expect(found.layer == "maps")
    #expect(found.maps.shape == [5, 4, 4])
    #expect(difference(found.maps.doubles, maps(photo)) < 1e-5)
    #expect(explainer.layerNames == ["edges", "maps"])
    let edges = try explainer.activations(of: photo, layer: "edges")
    // Four maps of 12 pixels, four times as large, two in a row.
    #expect(try edges.drawn().width == 4 * 12 * 2 + 2)
  }

  @Test func theStrongestPlacesOfAFolderAreFound() throws {
    let photos = (0..<6).map { (name: "photo \($0)", picture: TinyNetwork.photo(seed: $0)) }
    let found = try explainer.strongestPatches(of: 2, layer: "edges", in: photos, count: 4)
    let peaks = photos.map { photo -> (name: String, value: Double) in
      let edges = network.forward(TinyNetwork.planes(photo.picture)).edges[2]
      return (photo.name, edges.joined().max() ?? 0)
    }.sorted { $0.value > $1.value }
    #expect(found.map(\.name) == peaks.prefix(4).map(\.name))
    #expect(difference(found.map(\.activation), peaks.prefix(4).map(\.value)) < 1e-5)
    for patch in found {
      let edges = network.forward(TinyNetwork.planes(patch.picture)).edges[2]
      #expect(abs(edges[patch.row][patch.column] - patch.activation) < 1e-4)
      // A 3×3 kernel with one pixel of padding.
      #expect(patch.rows == max(patch.row - 1, 0)..<min(patch.row + 2, 12))
      #expect(patch.columns == max(patch.column - 1, 0)..<min(patch.column + 2, 12))
    }
  }

  /// One value alone goes back: through the switches, past rectifiers, by the flipped kernels.
  @Test func theReconstructionIsThatOfLoops() throws {
    let photo = TinyNetwork.photo(seed: 5)
    let pass = network.forward(TinyNetwork.planes(photo))
    for map in 0..<5 {
      let values = maps(photo)[map].joined().map { $0 }
      let best = values.indices.max { values[$0] < values[$1] } ?? 0
      var seed: Maps = Array(
        repeating: Array(repeating: [0, 0, 0, 0], count: 4), count: 5)
      seed[map][best / 4][best % 4] = values[best]
      let expected = network.back(seed, pass, .deconvolution)
        .map { $0.map { $0.map { $0 / network.deviation } } }
      let patch = try #require(
        try explainer.strongestPatches(of: map, layer: "maps", in: [("a", photo)]).first)
      // Several places may stand at the bound; then the first is as good as any.
      guard values.count(where: { $0 == values[best] }) == 1 else { continue }
      #expect(patch.row == best / 4 && patch.column == best % 4)
      #expect(difference(patch.reconstruction.doubles, expected) < 1e-4)
    }
  }

  /// Nothing outside of what the place can see is reached; at "maps" that is 8 × 8 pixels: a window
  /// of 3 in maps of half the size, and one more pixel on each side.
  @Test func reconstructionsStayInTheirFields() throws {
    let photo = TinyNetwork.photo(seed: 5)
    for map in 0..<5 {
      let patch = try #require(
        try explainer.strongestPatches(of: map, layer: "maps", in: [("a", photo)]).first)
      #expect(patch.rows == max(2 * patch.row - 1, 0)..<min(2 * patch.row + 7, 12))
      #expect(patch.columns == max(2 * patch.column - 1, 0)..<min(2 * patch.column + 7, 12))
      for (index, value) in patch.reconstruction.doubles.enumerated() where value != 0 {
        #expect(patch.rows.contains(index / 12 % 12) && patch.columns.contains(index % 12))
      }
      #expect(patch.patch.width == patch.columns.count)
      #expect(try patch.drawnReconstruction().height == patch.rows.count)
    }
    let patches = try explainer.strongestPatches(of: 0, layer: "maps", in: [("a", photo)])
    #expect(try FeaturePatch.sheet(patches) != nil)
    #expect(try FeaturePatch.sheet([]) == nil)
  }

  @Test func aMapThatIsNotThereIsAMistake() {
    #expect(
      errorText { _ = try explainer.strongestPatches(of: 5, layer: "maps", in: []) }
        == """
        feature map: map 5 of the layer "maps", which has 5
          hint: maps are counted from 0
        """)
  }

  /// What a kernel sees of pixels, scaling included: the gradient of its answer.
  @Test func firstKernelsAreInPixels() throws {
    let layer = try #require(try explainer.firstLayer())
    let expected = network.first.values.map { $0.map { $0.map { $0.map { $0 / 60 } } } }
    #expect(difference(layer.weights.doubles, expected.flatMap { $0 }) < 1e-5)
  }

  @Test func firstKernelsOfReversedColoursAreTurnedBack() throws {
    let pixels = Tensor.input("pixels", [.batch, 3, 6, 6])
    let kernels = NDArray((0..<12).map { Float($0) }, shape: [1, 3, 2, 2])
    let scaled = (pixels.flipped([1]) - 100) / 2
    let logits = convolution2D(scaled, .constant(kernels)).mean(axes: [2, 3])
    let model = try PictureModel(
      Model(functions: [
        "classify": .init(
          inputs: [pixels],
          outputs: [("probabilities", softmax(logits, axis: 1)), ("logits", logits)])
      ]))
    let layer = try #require(try Explainer(model, on: .cpu).firstLayer())
    #expect(layer.weights.doubles == [4, 4.5, 5, 5.5, 2, 2.5, 3, 3.5, 0, 0.5, 1, 1.5])
  }
}
