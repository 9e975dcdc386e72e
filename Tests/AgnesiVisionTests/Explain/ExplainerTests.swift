import Agnesi
import Foundation
import TestSupport
import Testing

@Suite struct ExplainerTests {
  let network = TinyNetwork(seed: 30)
  let photo = TinyNetwork.photo(seed: 5)
  let explainer: Explainer
  let pass: TinyNetwork.Pass

  init() throws {
    explainer = Explainer(try network.model(), on: .cpu)
    pass = network.forward(TinyNetwork.planes(photo))
  }

  private func gradients(_ label: Int, _ rule: TinyNetwork.Rule) -> Maps {
    let scaled = network.back(network.gradientsAtMaps(pass, of: label), pass, rule)
    return scaled.map { $0.map { $0.map { $0 / network.deviation } } }
  }

  /// The test means something: both rectifiers are on in some places, off or saturated in others.
  @Test func theNetworkHasAllCases() throws {
    let inner = pass.inner.joined().joined()
    #expect(inner.contains { $0 < 0 } && inner.contains { $0 > 0 && $0 < 1 })
    #expect(inner.contains { $0 > 1 })
    for label in 0..<3 {
      #expect(gradients(label, .guided).joined().joined().contains { $0 > 0 })
    }
    let probabilities = try explainer.probabilities(of: photo).map(Double.init)
    #expect(difference(probabilities, pass.probabilities) < 1e-5)
  }

  static let rules: [(ExplanationMethod, TinyNetwork.Rule)] = [
    (.gradient, .own), (.guidedBackpropagation, .guided), (.deconvolution, .deconvolution),
  ]

  @Test(arguments: rules, [0, 1, 2])
  func gradientsAreThoseOfLoops(
    method: (ExplanationMethod, TinyNetwork.Rule), label: Int
  ) throws {
    let explanation = try explainer.explain(photo, by: method.0, classIndex: label)
    let expected = gradients(label, method.1)
    #expect(difference(try #require(explanation.gradients).doubles, expected) < 1e-4)
    let heat = (0..<144).map { pixel in expected.map { abs($0[pixel / 12][pixel % 12]) }.max() ?? 0
    }
    #expect(difference(explanation.heat.doubles, heat) < 1e-4)
    #expect(explanation.className == ["cat", "dog", "bird"][label])
  }

  @Test func theThreeRulesDiffer() throws {
    let all = try Self.rules.map { try explainer.explain(photo, by: $0.0, classIndex: 1) }
    let gradients = all.compactMap(\.gradients).map(\.doubles)
    #expect(difference(gradients[0], gradients[1]) > 0.05)
    #expect(difference(gradients[1], gradients[2]) > 0.05)
  }

  /// Central differences of the loops, in double precision, at pixels where no kink is near.
  @Test func gradientsAreCentralDifferences() throws {
    let found = try #require(
      try explainer.explain(photo, by: .gradient, classIndex: 2).gradients
    ).doubles
    let scale = found.map(abs).max() ?? 0
    var agreeing = 0
    for pixel in stride(from: 0, to: 432, by: 7) {
      let (c, y, x) = (pixel / 144, pixel / 12 % 12, pixel % 12)
      func logit(_ step: Double) -> Double {
        var planes = TinyNetwork.planes(photo)
        planes[c][y][x] += step
        return network.forward(planes).logits[2]
      }
      let gradient = (logit(1e-4) - logit(-1e-4)) / 2e-4
      if abs(gradient - found[pixel]) < 1e-4 * scale { agreeing += 1 }
    }
    #expect(agreeing >= 61)
  }

  @Test func occlusionIsThatOfLoops() throws {
    let explanation = try explainer.explain(
      photo, by: .occlusion(box: 5, stride: 2), classIndex: 0)
    var sums = [Double](repeating: 0, count: 144)
    var counts = sums
    // The strides end at 6; the last box touches the border.
    for top in [0, 2, 4, 6, 7] {
      for left in [0, 2, 4, 6, 7] {
        var masked = pass.scaled
        for c in 0..<3 { for y in 0..<5 { for x in 0..<5 { masked[c][top + y][left + x] = 0 } } }
        let fall = pass.probabilities[0] - network.forward(scaled: masked).probabilities[0]
        for y in top..<(top + 5) {
          for x in left..<(left + 5) {
            sums[y * 12 + x] += fall
            counts[y * 12 + x] += 1
          }
        }
      }
    }
    #expect(difference(explanation.heat.doubles, zip(sums, counts).map { $0 / $1 }) < 1e-4)
    #expect(explanation.facts.map(\.label).contains("boxes"))
  }

  @Test(arguments: [(224, 224, 121, 64, 16), (500, 375, 324, 107, 26)])
  func boxesAreThoseOfTheLiterature(
    width: Int, height: Int, count: Int, side: Int, stride: Int
  ) throws {
    let boxes = try OcclusionBoxes(width: width, height: height, box: nil, stride: nil)
    #expect(boxes.side == side)
    #expect(boxes.stride == stride)
    #expect(width != 224 || boxes.places.count == count)
    let map = boxes.map(of: [Double](repeating: 3, count: boxes.places.count))
    #expect(map.doubles.allSatisfy { $0 == 3 })
  }

  @Test func gradCAMIsTheFormula() throws {
    let explanation = try explainer.explain(photo, by: .gradCAM(), classIndex: 1)
    let gradients = network.gradientsAtMaps(pass, of: 1)
    let weights = gradients.map { $0.joined().reduce(0, +) / 16 }
    let map = (0..<16).map { place in
      let sum = (0..<5).reduce(0.0) { total, filter in
        total + weights[filter] * min(max(pass.inner[filter][place / 4][place % 4], 0), 1)
      }
      return max(sum, 0)
    }
    #expect(map.contains { $0 > 0 })
    let large = Plane(map, width: 4, height: 4).resized(width: 12, height: 12)
    #expect(difference(explanation.heat.doubles, large.values) < 1e-4)
    #expect(explanation.facts.map(\.value) == ["maps, 4 × 4"])
  }

  @Test func gradCAMLooksAtAnyLayer() throws {
    let explanation = try explainer.explain(photo, by: .gradCAM(layer: "edges"), classIndex: 1)
    let gradients = network.gradientsAtEdges(network.gradientsAtMaps(pass, of: 1), pass, .own)
    let weights = gradients.map { $0.joined().reduce(0, +) / 144 }
    let map = (0..<144).map { place in
      max(
        (0..<4).reduce(0.0) { $0 + weights[$1] * max(pass.edges[$1][place / 12][place % 12], 0) }, 0
      )
    }
    #expect(difference(explanation.heat.doubles, map) < 1e-4)
    #expect(explanation.facts.map(\.value) == ["edges, 12 × 12"])
  }

  @Test func guidedGradCAMIsTheProduct() throws {
    let product = try explainer.explain(photo, by: .guidedGradCAM(), classIndex: 1)
    let map = try explainer.explain(photo, by: .gradCAM(), classIndex: 1).heat.doubles
    let expected = gradients(1, .guided).map { plane in
      plane.enumerated().map { y, row in
        row.enumerated().map { x, value in value * map[y * 12 + x] }
      }
    }
    #expect(difference(try #require(product.gradients).doubles, expected) < 1e-4)
  }

  /// As over a network whose weights were pruned so far that no gradient comes back.
  @Test func whatIsGreySaysWhy() throws {
    let pixels = Tensor.input("pixels", [.batch, 3, 12, 12])
    let logits = concatenated(
      [relu(-pixels - 1).mean(axes: [2, 3]), relu(-pixels - 1).mean(axes: [2, 3])], axis: 1)
    let model = Model(functions: [
      "classify": .init(
        inputs: [pixels],
        outputs: [("probabilities", softmax(logits, axis: 1)), ("logits", logits)])
    ])
    let explainer = Explainer(try PictureModel(model), on: .cpu)
    let grey = try explainer.explain(TinyNetwork.photo(seed: 1), by: .gradient, classIndex: 1)
    #expect(
      grey.facts.contains {
        $0.label == "grey"
          && $0.value
            == "the gradient is exactly 0 at every pixel, since nothing passes the rectifiers"
      })
  }
}
