import Agnesi
import Foundation
import TestSupport
import Testing

/// Whole photos with the mean colour beside them.
@Suite struct PaddingTests {
  @Test func theMeanColourIsZeroForTheFirstLayer() throws {
    // As `TinyNetwork` subtracts it.
    #expect(try TinyNetwork(seed: 1).model().meanColour(on: .cpu) == [120, 110, 100])
    let pixels = Tensor.input("pixels", [1, 3, 8, 8])
    let scaling = PixelScaling(
      order: .bgr, mean: [103.939, 116.779, 123.68], deviation: [1, 1, 1])
    let maps = Scope.seeded(1) {
      Convolution2D(filters: 3, kernel: 3, name: "conv")(scaling(pixels))
    }
    let logits = maps.mean(axes: [2, 3])
    let model = Model(functions: [
      "classify": .init(
        inputs: [pixels],
        outputs: [("probabilities", softmax(logits, axis: 1)), ("logits", logits)])
    ])
    #expect(try PictureModel(model).meanColour(on: .cpu) == [124, 117, 104])
  }

  @Test func photosArePaddedInTheirProportions() throws {
    let model = try TinyNetwork(seed: 1).model().showingWholePhotos(on: .cpu)
    #expect(model.preprocessing.cropWidth == 12)
    let wide = Picture(
      width: 24, height: 12, channels: 3, samples: [UInt8](repeating: 7, count: 864))
    let seen = try model.preprocessing(wide)
    #expect(seen.width == 12 && seen.height == 12)
    for y in 0..<12 {
      let expected: [UInt8] = (3..<9).contains(y) ? [7, 7, 7] : [120, 110, 100]
      #expect((0..<12).allSatisfy { seen.pixel(x: $0, y: y) == expected }, "row \(y)")
    }
    let small = try model.preprocessing(wide.cropped(x: 0, y: 0, width: 3, height: 6))
    #expect(small.pixel(x: 2, y: 5) == [120, 110, 100])
    #expect((3..<9).allSatisfy { small.pixel(x: $0, y: 5) == [7, 7, 7] })
    // It is kept where the preprocessing is kept.
    let data = try JSONEncoder().encode(model.preprocessing)
    let read = try JSONDecoder().decode(PicturePreprocessing.self, from: data)
    #expect(read == model.preprocessing)
  }
}
