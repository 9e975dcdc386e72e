import Agnesi
import AgnesiArrays
import TestSupport
import Testing

@Suite struct ExplanationTests {
  let network = TinyNetwork(seed: 30)
  let photo = TinyNetwork.photo(seed: 5)

  @Test func namesAreUniqueAndFound() {
    #expect(Set(ExplanationMethod.all.map(\.name)).count == ExplanationMethod.all.count)
    for method in ExplanationMethod.all {
      #expect(ExplanationMethod(name: method.name) == method)
      #expect(!method.meaning.isEmpty && !method.source.isEmpty && !method.title.isEmpty)
    }
    #expect(ExplanationMethod(name: "magic") == nil)
  }

  @Test func theLikeliestClassIsExplained() throws {
    let explainer = Explainer(try network.model(), on: .cpu)
    let logits = network.forward(TinyNetwork.planes(photo)).logits
    let best = logits.indices.max { logits[$0] < logits[$1] }
    #expect(try explainer.explain(photo, by: .gradient).classIndex == best)
  }

  /// What a file does not keep, own gradients of composites, is not needed.
  @Test func modelsFromFilesAreExplainedAlike() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("tiny.safetensors")
    try network.plainModel().write(to: path)
    let read = Explainer(try PictureModel(try Model(reading: path)), on: .cpu)
    let built = Explainer(try network.model(), on: .cpu)
    for method in ExplanationMethod.all {
      let first = try built.explain(photo, by: method, classIndex: 1).heat.doubles
      let second = try read.explain(photo, by: method, classIndex: 1).heat.doubles
      #expect(difference(second, first) < 1e-5, "\(method.name)")
    }
  }

  @Test func everyMethodIsDrawn() throws {
    let explainer = Explainer(try network.model(), on: .cpu)
    for method in ExplanationMethod.all {
      let explanation = try explainer.explain(photo, by: method, classIndex: 1)
      let picture = try explanation.drawn()
      #expect(picture.width == 12 && picture.height == 12 && picture.channels == 3)
      #expect(Set(picture.samples).count > 20, "\(method.name)")
      #expect(try explanation.details().count == (method == .gradient ? 2 : 0))
    }
  }

  @Test func whatDoesNotFitIsSaid() throws {
    let explainer = Explainer(try network.model(), on: .cpu)
    func text(_ body: () throws -> Void) -> String { errorText(body) }
    #expect(
      text { _ = try explainer.explain(photo, by: .gradCAM(layer: "conv9"), classIndex: 0) }
        == """
        Grad-CAM: no layer is called "conv9"
          hint: the model names edges, maps
        """)
    #expect(
      text { _ = try explainer.explain(photo, by: .gradient, classIndex: 3) }
        == "explain: class 3 of 3\n  hint: classes are 0 to 2")
    let small = Picture(width: 5, height: 5, channels: 3, samples: [UInt8](repeating: 0, count: 75))
    #expect(
      text { _ = try explainer.explain(small, by: .gradient, classIndex: 0) }
        == """
        explain: the picture is 5 × 5 pixels, the model takes 12 × 12
          hint: bring it to that size by the model's preprocessing
        """)
    #expect(
      text { _ = try explainer.explain(photo, by: .occlusion(box: 13), classIndex: 0) }
        == """
        occlusion: a box of 13 pixels that moves by 3, over 12 × 12
          hint: the box fits into the picture, and moves by at most its own side
        """)
    #expect(
      text { _ = try explainer.explain(photo, by: .smoothGrad(samples: 0), classIndex: 0) }
        == "smoothGrad: 0 samples with noise of 0.15")
  }
}
