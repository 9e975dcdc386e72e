import Agnesi
import Foundation
import TestSupport
import Testing

/// `agnesi explain` from a model's file to pictures and page.
@Suite struct ExplainCommandTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try TinyNetwork(seed: 30).plainModel().write(to: folder.path("tiny.safetensors"))
    for number in 0..<11 {
      try folder.write(TinyNetwork.photo(seed: UInt64(number)).png, to: "photo\(number).png")
    }
  }

  private func agnesi(_ arguments: String...) throws -> BuildProducts.Outcome {
    let command = try #require(BuildProducts.path("agnesi"), "the command was not built")
    return try BuildProducts.run(
      command, ["explain", folder.path("tiny.safetensors")] + arguments,
      environment: ["AGNESI_THREADS": "1"])
  }

  /// A picture of the page never takes the place of the photo, or of what is no picture.
  @Test func replacesNothing() throws {
    _ = try folder.makeFolder("own")
    let photo = try folder.write(TinyNetwork.photo(seed: 5).png, to: "own/photo.png")
    let own = try agnesi(photo, "--methods", "gradient", "--output", folder.path("own"))
    #expect(own.status == 1)
    #expect(
      own.errors.hasSuffix(
        """
        explain: --output \(photo) is what the command reads
          hint: name another folder

        """), "\(own.errors)")
    _ = try folder.makeFolder("other")
    try folder.write(Array("notes".utf8), to: "other/index.html")
    let other = try agnesi(photo, "--methods", "gradient", "--output", folder.path("other"))
    #expect(
      other.errors.hasSuffix(
        """
        explain: --output \(folder.path("other"))/index.html is there already, and is no page
          hint: name another folder

        """), "\(other.errors)")
  }

  @Test func writesPicturesAndAPage() throws {
    let outcome = try agnesi(
      folder.path("photo5.png"), "--layer", "edges", "--map", "2", "--output", folder.path("out"))
    #expect(outcome.status == 0, "\(outcome.errors)")
    let files = outcome.output.split(separator: "\n").map(String.init)
    let names = ExplanationMethod.all.map { "\($0.name).png" }
    let expected =
      ["photo.png"] + names + [
        "activations.png", "patches.png", "kernels.png", "gabor.png", "index.html",
      ]
    #expect(files == expected.map { "\(folder.path("out"))/\($0)" })
    for file in expected.dropLast() {
      let decoded = try DecodedPNG(try folder.read("out/\(file)"))
      #expect(decoded.channels == 3)
    }
    let page = String(decoding: try folder.read("out/index.html"), as: UTF8.self)
    for method in ExplanationMethod.all {
      #expect(page.contains(HTML.escaped(method.meaning)) && page.contains(method.title))
    }
    #expect(!page.contains("class=\"broken\"") && !page.contains("<script"))
    #expect(page.contains("photo5.png"))
    // What the network says, on standard error: three classes and what each method found.
    #expect(outcome.errors.contains("Integrated gradients"))
    #expect(["cat", "dog", "bird"].allSatisfy(outcome.errors.contains))
  }

  @Test func gaborFiltersAnswer() throws {
    let outcome = try agnesi(
      folder.path("photo5.png"), "--gabor", "--methods", "gradient", "--output",
      folder.path("waves"))
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("\(folder.path("waves"))/gabor-answers.png\n"))
    #expect(try DecodedPNG(try folder.read("waves/gabor-answers.png")).width > 40)
    let page = String(decoding: try folder.read("waves/index.html"), as: UTF8.self)
    #expect(page.contains("What Gabor filters answer"))
  }

  @Test func explainsTheClassAskedFor() throws {
    let outcome = try agnesi(
      folder.path("photo5.png"), "--class", "dog", "--methods", "gradient,gradcam", "--output",
      folder.path("dog"))
    #expect(outcome.status == 0, "\(outcome.errors)")
    let page = String(decoding: try folder.read("dog/index.html"), as: UTF8.self)
    #expect(page.contains("Why “dog”"))
    #expect(!outcome.output.contains("occlusion.png"))
    let explainer = Explainer(try TinyNetwork(seed: 30).model(), on: .cpu)
    let explanation = try explainer.explain(
      TinyNetwork.photo(seed: 5), by: .gradient, classIndex: 1)
    let decoded = try DecodedPNG(try folder.read("dog/gradient.png"))
    #expect(decoded.samples == (try explanation.drawn()).samples)
  }

  @Test func showsTheStrongestOfAFolder() throws {
    try folder.write(Array("no photo".utf8), to: "broken.jpg")
    let outcome = try agnesi(
      folder.path(""), "--layer", "edges", "--map", "1", "--output", folder.path("map"))
    #expect(outcome.status == 0, "\(outcome.errors)")
    let page = String(decoding: try folder.read("map/index.html"), as: UTF8.self)
    #expect(page.components(separatedBy: "<figure>").count == 10)
    #expect(outcome.errors.contains("1 of 12 photos could not be read"))
    #expect(outcome.errors.contains("broken.jpg"))
  }

  static let mistakes: [([String], String)] = [
    (["photo5.png", "--methods", "magic"], "--methods magic, there are occlusion, gradcam"),
    (["photo5.png", "--map", "2"], "--map needs --layer"),
    (["photo5.png", "--layer", "conv9"], "no layer is called \"conv9\""),
    (["photo5.png", "--class", "fish"], "no class is called \"fish\""),
    (["nowhere.jpg"], "nowhere.jpg"),
    ([""], "is a folder\n  hint: name a photo in it"),
  ]

  @Test(arguments: mistakes) func mistakesAreSaid(arguments: [String], text: String) throws {
    let first = folder.path(arguments[0])
    let output = ["--output", folder.path("none")]
    let command = try #require(BuildProducts.path("agnesi"))
    let outcome = try BuildProducts.run(
      command,
      ["explain", folder.path("tiny.safetensors"), first] + arguments.dropFirst() + output,
      environment: ["AGNESI_THREADS": "1"])
    #expect(outcome.status != 0)
    #expect(outcome.errors.contains(text), "\(outcome.errors)")
    #expect(!FileManager.default.fileExists(atPath: folder.path("none")))
  }
}
