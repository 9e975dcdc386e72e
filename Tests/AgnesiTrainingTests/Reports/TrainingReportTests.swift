import AgnesiArrays
import AgnesiImages
import AgnesiTraining
import Foundation
import TestSupport
import Testing

@Suite struct TrainingReportTests {
  /// A report in which everything is present, with `text` in the place of all names.
  private func full(_ text: String = "name") throws -> TrainingReport {
    var report = TrainingReport(title: text, dataSet: text)
    report.notation = text
    report.command = text
    report.layers = [
      .init(
        name: text, outputShape: [20, 24, 24], parameters: 520, multiplyAdds: 288_000,
        receptiveField: 5),
      .init(name: "10FC", outputShape: [10], parameters: 2570),
    ]
    report.settings = [.init(text, text)]
    report.machine = .init(processor: text, cores: 4, threads: 2, system: text)
    report.timing = .init(total: 52.4, firstStep: 0.14, samplesPerSecond: 13_119.6)
    report.history = [
      EpochRecord(
        epoch: 1, trainingLoss: 0.9, trainingAccuracy: 0.7, validationLoss: 0.8,
        validationAccuracy: 0.75, seconds: 4.25, learningRate: 0.05),
      EpochRecord(
        epoch: 2, trainingLoss: 0.5, trainingAccuracy: 0.8, validationLoss: 0.6,
        validationAccuracy: 0.8125, seconds: 4),
    ]
    report.bestEpoch = 2
    report.testLoss = 0.61
    report.confusion = try ConfusionMatrix(counts: [[8, 2], [1, 9]])
    report.classNames = [text, "other"]
    report.firstLayer = FirstLayer(weights: NDArray(filled: 0.5, shape: [2, 1, 3, 3]))
    report.mistakes = [
      .init(
        image: NDArray(zeros: [28, 28], .uint8), actual: 0, predicted: 1, probability: 0.999,
        index: 17)
    ]
    report.notes = [text]
    report.modelFile = text
    report.version = text
    return report
  }

  /// What is validation is not called test, phases are told apart, and samples with names go by these.
  @Test func partsPhasesAndNames() throws {
    var report = try full()
    report.judgedPart = "validation"
    report.phase = "head"
    report.mistakes[0].name = "ants/<7>.jpg"
    let page = report.html
    for text in [
      "<dt>validation loss</dt>", "phase “head”, epoch 2 of 2, kept", "Of the phase “head”.",
      "<dt>time per epoch, phase “head”</dt>", "<span class=\"file\">ants/&lt;7&gt;.jpg</span>",
      "Validation sample ants/&lt;7&gt;.jpg: name, taken for other", "s name.",
    ] {
      #expect(page.contains(text), "\(text) is missing")
    }
    #expect(!page.contains("test loss") && !page.contains("#17"))
    #expect(MarkupCheck.problem(in: page) == nil)
  }

  @Test func everythingIsOnThePage() throws {
    let page = try full().html
    let expected = [
      "<!DOCTYPE html>", "<title>name · Agnesi</title>", "15.00 %",
      "3 of 20 wrong, 95 % interval 3.2 to 37.9 %; accuracy 85.00 %",
      "81.25 %", "epoch 2 of 2, kept", "3,090",
      "288 k multiply-adds a sample", "52.4 s", "first step after 0.14 s", "13,120",
      "on 2 threads", "Learning curves", "Most often: <b>name</b> taken for <b>other</b>",
      "(2); <b>other</b>", "Worst mistakes", "name, taken for other with 99.9 %", "#17",
      "The 2 kernels of 3 × 3", "20 × 24 × 24", "5 × 5", "To repeat it", "time per epoch", "4.1 s",
      "test loss", "0.6100", "<span class=\"tag\">kept</span>",
    ]
    for text in expected { #expect(page.contains(text), "\(text) is missing") }
    #expect(MarkupCheck.problem(in: page) == nil)
  }

  @Test func nothingComesFromElsewhereAndNothingRuns() throws {
    let page = try full().html
    for text in ["<script", "<link", "http:", "https:", "url(", "@import", "onload", "<iframe"] {
      #expect(!page.contains(text), "\(text)")
    }
    let sources = page.components(separatedBy: "src=\"").dropFirst()
    #expect(sources.count == 3)
    for source in sources {
      let address = source.prefix { $0 != "\"" }
      #expect(address.hasPrefix("data:image/png;base64,"))
      let file = try #require(Data(base64Encoded: String(address.dropFirst(22))))
      let picture = try DecodedPNG([UInt8](file))
      #expect(picture.width == 28 || picture.width == 3)
    }
  }

  @Test func namesCannotChangeThePage() throws {
    let page = try full("</style><script>alert('x')</script>\"&").html
    #expect(!page.contains("<script"))
    #expect(!page.contains("alert('"))
    #expect(
      page.contains("&lt;/style&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;"))
    #expect(MarkupCheck.problem(in: page) == nil)
  }

  @Test func whatIsMissingIsLeftOut() {
    let page = TrainingReport(title: "empty", dataSet: "none").html
    #expect(!page.contains("<section>"))
    #expect(!page.contains("<img"))
    #expect(!page.contains("class=\"tiles\""))
    #expect(MarkupCheck.problem(in: page) == nil)
  }

  @Test func aPictureThatCannotBeMadeCostsNothingElse() throws {
    var report = try full()
    report.mistakes[0].image = NDArray(zeros: [2, 28, 28])
    report.firstLayer = FirstLayer(weights: NDArray(zeros: [10, 3]))
    let page = report.html
    #expect(page.contains("cannot show a float32 array of shape [2, 28, 28] as a picture"))
    #expect(page.contains("cannot show a float32 array of shape [10, 3] as a picture"))
    #expect(page.contains("said other"))
    #expect(MarkupCheck.problem(in: page) == nil)
  }

  @Test func aClassThatIsNeverPredictedIsNamed() throws {
    var report = TrainingReport(title: "t", dataSet: "d")
    report.confusion = try ConfusionMatrix(counts: [[5, 0], [1, 0]])
    report.classNames = ["common", "rare"]
    #expect(
      report.html.contains("Never predicted, although present in the test set: “rare”."))
  }

  @Test func aTestErrorThatIsGivenWins() throws {
    var report = try full()
    report.testError = 0.0779
    #expect(report.html.contains("7.79 %"))
  }

  @Test func aPerfectNetworkIsSaidToBeOne() throws {
    var report = TrainingReport(title: "t", dataSet: "d")
    report.confusion = try ConfusionMatrix(counts: [[5, 0], [0, 5]])
    #expect(report.html.contains("No test sample was classified wrongly."))
  }
}

@Suite struct KernelPicturesTests {
  @Test func denseWeightsAreReadByUnit() throws {
    // Unit 1 of two sees only the last of four inputs.
    let weights = NDArray([0, 0, 0, 0, 0, 0, 0.5, 1] as [Float], shape: [4, 2])
    let kernels = try KernelPictures(FirstLayer(weights: weights))
    #expect(kernels.total == 2)
    #expect(kernels.kernelShape == [1, 2, 2])
    #expect(kernels.limit == 1)
    #expect(kernels.pictures[1].pixel(x: 1, y: 1) == [176, 28, 44])
    #expect(kernels.pictures[0].pixel(x: 1, y: 1) == [243, 160, 134])
    #expect(kernels.pictures[1].pixel(x: 0, y: 1) == [250, 250, 250])
  }

  @Test func colourKernelsAreShownInColour() throws {
    let kernels = try KernelPictures(
      FirstLayer(weights: NDArray([1, 0, -1] as [Float], shape: [1, 3, 1, 1])))
    #expect(
      kernels.pictures == [Picture(width: 1, height: 1, channels: 3, samples: [255, 128, 0])])
  }

  @Test func otherChannelsStandSideBySide() throws {
    let kernels = try KernelPictures(FirstLayer(weights: NDArray(zeros: [3, 2, 4, 4])), most: 2)
    #expect(kernels.pictures.count == 2)
    #expect(kernels.total == 3)
    #expect(kernels.pictures[0].width == 9)
    #expect(kernels.pictures[0].height == 4)
  }

  @Test func aGivenInputShapeMustFit() throws {
    let weights = NDArray(zeros: [6, 1])
    #expect(
      try KernelPictures(FirstLayer(weights: weights, inputShape: [1, 2, 3])).kernelShape
        == [1, 2, 3])
    #expect(
      try KernelPictures(FirstLayer(weights: weights, inputShape: [2, 3])).kernelShape
        == [1, 2, 3])
    #expect(throws: PictureError.self) {
      try KernelPictures(FirstLayer(weights: weights, inputShape: [1, 2, 2]))
    }
    #expect(throws: PictureError.self) { try KernelPictures(FirstLayer(weights: weights)) }
    let colour = FirstLayer(weights: NDArray(zeros: [12, 1]))
    #expect(try KernelPictures(colour).kernelShape == [3, 2, 2])
  }
}

@Suite struct MachineTests {
  @Test func systemFilesAreRead() {
    let text = "model\t\t: 49\nmodel name\t: Some CPU @ 2 GHz\nPRETTY_NAME=\"Debian 13\"\nEMPTY=\n"
    func value(_ key: String, _ separator: Character) -> String? {
      TrainingReport.Machine.value(of: key, in: text, separator: separator)
    }
    #expect(value("model name", ":") == "Some CPU @ 2 GHz")
    #expect(value("PRETTY_NAME", "=") == "Debian 13")
    #expect(value("EMPTY", "=") == nil)
    #expect(value("other", "=") == nil)
    #expect(TrainingReport.Machine.current(threads: 3).cores >= 1)
  }
}
