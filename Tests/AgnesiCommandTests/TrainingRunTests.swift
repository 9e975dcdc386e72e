import Agnesi
import Foundation
import TestSupport
import Testing

/// From data to predictions, as a user goes.
struct TrainingRunTests {
  let workplace: Workplace

  init() throws { workplace = try Workplace() }

  @Test func trainsEvaluatesAndReports() throws {
    let (model, report) = (workplace.path("bars.safetensors"), workplace.path("report.html"))
    let arguments = workplace.training("bars.safetensors") + ["--report", report]
    let training = try workplace.agnesi(arguments)
    try #require(training.status == 0, "\(training.errors)")

    let evaluation = try workplace.agnesi(
      "evaluate", model, workplace.data, "--json")
    #expect(evaluation.status == 0)
    let found = try JSONDecoder().decode(Found.self, from: Data(evaluation.output.utf8))
    #expect(evaluation.output.filter { $0 == "\n" }.count == 1)
    #expect(found.count == 200)
    #expect(found.error == Double(found.mistakes) / 200)
    let interval = BinomialInterval(found.mistakes, of: 200)
    #expect(found.errorInterval == interval.ends)
    let warning = try #require(
      BinomialInterval.warning(mistakes: found.mistakes, of: 200, "test samples"))
    #expect(evaluation.errors == workplace.dataNote + warning + "\n")
    #expect(training.errors.hasSuffix(warning + "\n"))
    // The wrong labels, 29 of 200, are all that a network cannot know.
    #expect(found.mistakes >= 29 && found.mistakes < 60)

    let percent = String(format: "%.2f", 100 - found.error * 100)
    let lines = training.output.split(separator: "\n").map(String.init)
    try #require(lines.count == 3)
    #expect(
      lines[0] == "test accuracy \(percent) % (\(found.mistakes) of 200 wrong; "
        + "\(interval.complement.text))")
    #expect(
      ["1", "2"].map { "model of epoch \($0) saved in \(model)" }.contains(lines[1]))
    #expect(lines[2] == "report in \(report)")
    #expect(training.errors.hasPrefix(workplace.dataNote + "epoch 1/2  loss "))

    let page = String(decoding: try workplace.folder.read("report.html"), as: UTF8.self)
    #expect(page.hasPrefix("<!DOCTYPE html>"))
    #expect(page.contains("16FC 10FC"))
    #expect(
      workplace.folder.names == [
        "bars", "bars.checkpoint.safetensors", "bars.safetensors", "report.html",
      ])
  }

  /// Small pictures, for which there is no room for two convolutions.
  @Test func withoutANetworkTheDataDecide() throws {
    let page = workplace.path("report.html")
    let outcome = try workplace.agnesi(
      "train", workplace.data, "--epochs", "1", "--output", workplace.path("bars.safetensors"),
      "--report", page)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let text = String(decoding: try workplace.folder.read("report.html"), as: UTF8.self)
    #expect(text.contains("<code>256FC D0.5 10FC</code>"))
    #expect(text.contains("<dd>0.05</dd>"))
  }

  private struct Found: Decodable {
    var count: Int
    var mistakes: Int
    var error: Double
    var errorInterval: [Double]
    var loss: Double
  }

  @Test func evaluationAsTextAgreesWithJSON() throws {
    try workplace.train("bars.safetensors")
    let model = workplace.path("bars.safetensors")
    let text = try workplace.agnesi("evaluate", model, workplace.data)
    let json = try workplace.agnesi("evaluate", model, workplace.data, "--json")
    let found = try JSONDecoder().decode(Found.self, from: Data(json.output.utf8))
    let percent = String(format: "%.2f", found.error * 100)
    let loss = String(format: "%.4f", found.loss)
    #expect(
      text.output.hasPrefix(
        "\(found.mistakes) of 200 wrong, \(percent) %, "
          + "\(BinomialInterval(found.mistakes, of: 200).text)\nmean cross-entropy \(loss) nats\n"))
    #expect(text.output.matches(of: #/\n  \d+ × \d taken for \d/#).count == 5)

    let training = try workplace.agnesi(
      "evaluate", model, workplace.data, "--part", "train", "--json")
    let learned = try JSONDecoder().decode(Found.self, from: Data(training.output.utf8))
    #expect(learned.count == 1000)
    #expect(learned.error < 0.1)
  }

  @Test func predictsFromDataSetsAndFiles() throws {
    try workplace.train("bars.safetensors")
    let model = workplace.path("bars.safetensors")
    let text = try workplace.agnesi("predict", model, workplace.data, "--index", "3", "14")
    let lines = text.output.split(separator: "\n")
    try #require(lines.count == 2, "\(text.errors)")
    #expect(lines[0].hasPrefix("3: 3 0.") && lines[0].split(separator: ",").count == 3)
    #expect(lines[1].hasPrefix("14: 4 0."))

    let json = try workplace.agnesi(
      "predict", model, workplace.data, "--index", "3", "--json", "--top", "10")
    let prediction = try JSONDecoder().decode(Prediction.self, from: Data(json.output.utf8))
    #expect(prediction.index == 3)
    #expect(prediction.classes[0].name == "3")
    #expect(Set(prediction.classes.map(\.name)).count == 10)
    #expect(abs(prediction.classes.reduce(0) { $0 + $1.probability } - 1) < 1e-5)

    // The same pictures as a NumPy file, as an IDX file, and as floats that are scaled already.
    let images = Bars.arrays(200, "t10k").images
    try NPYFile.write(images, to: workplace.path("pictures.npy"))
    let scaled = images.cast(to: .float32).scalars(as: Float.self).map { $0 / 255 }
    try NPYFile.write(NDArray(scaled, shape: images.shape), to: workplace.path("scaled.npy"))
    let idx = "\(workplace.data)/t10k-images-idx3-ubyte"
    for file in [workplace.path("pictures.npy"), workplace.path("scaled.npy"), idx] {
      let outcome = try workplace.agnesi("predict", model, file, "--index", "3", "14")
      #expect(outcome.output == text.output, "\(file): \(outcome.errors)")
    }
    // One picture alone.
    try NPYFile.write(
      images[rows: 3..<4].contiguous().reshaped([12, 12]), to: workplace.path("one.npy"))
    let one = try workplace.agnesi("predict", model, workplace.path("one.npy"))
    #expect(one.output == "0" + lines[0].dropFirst() + "\n")
  }

  private struct Prediction: Decodable {
    struct Class: Decodable {
      var name: String
      var probability: Double
    }
    var index: Int
    var classes: [Class]
  }

  @Test(
    .enabled(if: RealData.source != nil, "neither AGNESI_TEST_DATA nor Fashion-MNIST is here"))
  func learnsRealPictures() throws {
    let folder = try workplace.folder.makeFolder("real")
    try RealData.writeSubset(to: folder, training: 2000, test: 500)
    let model = workplace.path("real.safetensors")
    let training = try workplace.agnesi(
      "train", folder, "--network", "64FC 10FC", "--epochs", "3", "--output", model)
    try #require(training.status == 0, "\(training.errors)")
    let evaluation = try workplace.agnesi("evaluate", model, folder, "--json")
    let found = try JSONDecoder().decode(Found.self, from: Data(evaluation.output.utf8))
    #expect(found.count == 500)
    #expect(found.error < 0.35)
    #expect(training.output.contains("(\(found.mistakes) of 500 wrong; "))
  }
}

/// MNIST where AGNESI_TEST_DATA has it, else Fashion-MNIST where Debian puts it.
enum RealData {
  static let source: String? = ["\(TestData.path("mnist"))", "/usr/share/datasets/fashion-mnist"]
    .first { FileManager.default.fileExists(atPath: "\($0)/\(file("train-images", 3))") }

  private static func file(_ part: String, _ rank: Int) -> String {
    "\(part)-idx\(rank)-ubyte.gz"
  }

  /// The first samples, as a folder of NumPy arrays.
  static func writeSubset(to folder: String, training: Int, test: Int) throws {
    let source = try #require(source)
    for (part, name, count) in [("train", "train", training), ("t10k", "test", test)] {
      let images = try IDXFile.read("\(source)/\(file("\(part)-images", 3))")
      let labels = try IDXFile.read("\(source)/\(file("\(part)-labels", 1))")
      let pixels = images[rows: 0..<count].contiguous().reshaped([count, 1, 28, 28])
      try NPYFile.write(pixels, to: "\(folder)/\(name)-inputs.npy")
      try NPYFile.write(labels[rows: 0..<count].contiguous(), to: "\(folder)/\(name)-labels.npy")
    }
  }
}
