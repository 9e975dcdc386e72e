import Agnesi
import Foundation
import TestSupport
import Testing

/// `agnesi transfer`, from photos to a model that `agnesi classify` uses.
@Suite struct TransferCommandTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    for name in ["tall", "wide"] { _ = try folder.makeFolder("photos/\(name)") }
    try DrawnPictures.write(60, validation: nil, to: folder)
    try DrawnPictures.taughtModel().write(to: folder.path("old.safetensors"))
  }

  private func agnesi(_ arguments: String...) throws -> BuildProducts.Outcome {
    let command = try #require(BuildProducts.path("agnesi"), "the command was not built")
    return try BuildProducts.run(command, arguments, environment: ["AGNESI_THREADS": "1"])
  }

  private struct Last: Decodable {
    var accuracy: Double
    var classes: [String]
    var training: Int
    var validation: Int
  }

  private func last(_ output: String) throws -> Last {
    let line = try #require(output.split(separator: "\n").last)
    return try JSONDecoder().decode(Last.self, from: Data(line.utf8))
  }

  @Test func theHeadAloneAsJSON() throws {
    let (model, page) = (folder.path("new.safetensors"), folder.path("report.html"))
    let outcome = try agnesi(
      "transfer", folder.path("old.safetensors"), folder.path("photos"), "--head-only", "--json",
      "--seed", "3", "--output", model, "--report", page)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let last = try last(outcome.output)
    #expect(last.classes == ["tall", "wide"])
    #expect(last.training == 48 && last.validation == 12)
    #expect(last.accuracy >= 0.9)
    // Each line is an object; a hundred epochs, two phases, the end.
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.count == 103)
    for line in lines {
      #expect(try JSONSerialization.jsonObject(with: Data(line.utf8)) is [String: Any])
    }
    let report = String(decoding: try folder.read("report.html"), as: UTF8.self)
    #expect(report.contains("Validation error") && report.contains("Confusion matrix"))
    #expect(report.contains("<dt>validation loss</dt>") && !report.contains("test loss"))
    #expect(report.contains("phase “head”, epoch 100 of 100, kept"))
    #expect(!report.contains("class=\"broken\""))

    let classified = try agnesi("classify", model, folder.path("photos/tall"), "--json")
    #expect(classified.status == 0, "\(classified.errors)")
    #expect(classified.output.split(separator: "\n").count == 30)
    #expect(classified.output.contains("\"name\":\"tall\""))
    // Equal runs save equal bytes.
    let again = try agnesi(
      "transfer", folder.path("old.safetensors"), folder.path("photos"), "--head-only", "--seed",
      "3", "--output", folder.path("again.safetensors"))
    #expect(again.status == 0, "\(again.errors)")
    #expect(try folder.read("again.safetensors") == folder.read("new.safetensors"))
    #expect(again.output.hasPrefix("validation accuracy "))
  }

  /// The test part is counted in the end, and nothing is chosen by it.
  @Test func aTestPartIsCountedInTheEnd() throws {
    for name in ["tall", "wide"] {
      _ = try folder.makeFolder("photos/train")
      try FileManager.default.moveItem(
        atPath: folder.path("photos/\(name)"), toPath: folder.path("photos/train/\(name)"))
      _ = try folder.makeFolder("photos/test/\(name)")
      let files = try FileManager.default.contentsOfDirectory(
        atPath: folder.path("photos/train/\(name)"))
      for file in files.sorted().prefix(5) {
        try FileManager.default.moveItem(
          atPath: folder.path("photos/train/\(name)/\(file)"),
          toPath: folder.path("photos/test/\(name)/\(file)"))
      }
    }
    try folder.write([1], to: "photos/test/tall/broken.png")
    _ = try folder.makeFolder("photos/test/thin")
    try folder.write([1], to: "photos/test/thin/broken.png")
    let page = folder.path("report.html")
    let outcome = try agnesi(
      "transfer", folder.path("old.safetensors"), folder.path("photos"), "--head-only", "--json",
      "--output", folder.path("new.safetensors"), "--report", page)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(
      outcome.errors.hasPrefix(
        "\(folder.path("photos")): 50 training photos in train, 12 test photos in test; 3 classes: "
          + "tall 25 + 6, thin 0 + 1, wide 25 + 5\n"))
    #expect(
      outcome.errors.contains(
        "warning: the class thin has no training samples, but 1 test sample: it cannot be told rightly\n"
      ))
    #expect(
      outcome.errors.contains("warning: the only test photo of the class thin cannot be read\n"))
    let line = try #require(outcome.output.split(separator: "\n").last)
    let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
    let last = try #require(object as? [String: Any])
    #expect(last["training"] as? Int == 40 && last["validation"] as? Int == 10)
    #expect(last["test"] as? Int == 10)
    let accuracy = try #require(last["testAccuracy"] as? Double)
    let right = Int((accuracy * 10).rounded())
    let interval = BinomialInterval(10 - right, of: 10).complement
    #expect(interval.isNear(last["testAccuracyInterval"]))
    #expect((last["accuracyInterval"] as? [Double])?.count == 2)
    let report = String(decoding: try folder.read("report.html"), as: UTF8.self)
    #expect(report.contains("Test error") && report.contains("of 10 wrong"))
    #expect(report.contains("warning: 10 test photos say little: "))
  }

  /// Cut at feature maps, the new end sees the mean of each.
  @Test func cutAtAnotherLayer() throws {
    let path = folder.path("new.safetensors")
    let outcome = try agnesi(
      "transfer", folder.path("old.safetensors"), folder.path("photos"), "--head-only", "--cut",
      "layer4", "--output", path, "--json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try last(outcome.output).validation == 12)
    let model = try Model(reading: path)
    #expect(model.information["cut"] == "layer4")
    #expect(try PictureModel(model).layer("layer8") == nil)
  }

  @Test func everythingAndFromScratch() throws {
    let outcome = try agnesi(
      "transfer", folder.path("old.safetensors"), folder.path("photos"), "--epochs", "2",
      "--rate", "0.01", "--batch", "12", "--json", "--output", folder.path("new.safetensors"))
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("\"phase\":\"everything\""))
    _ = try last(outcome.output)
    let scratch = try agnesi(
      "transfer", "8C3p1 BN MP2 16C3p1 BN GAP", folder.path("photos"), "--from-scratch",
      "--no-augment", "--size", "24", "--epochs", "6", "--rate", "0.02", "--batch", "12",
      "--output", folder.path("scratch.safetensors"))
    #expect(scratch.status == 0, "\(scratch.errors)")
    #expect(scratch.output.contains("model saved in \(folder.path("scratch.safetensors"))"))
    let model = try PictureModel(try Model(reading: folder.path("scratch.safetensors")))
    #expect(model.classNames == ["tall", "wide"])
  }

  /// What the head led to has its report where everything then fails.
  @Test func aLossThatExplodes() throws {
    let page = folder.path("report.html")
    let outcome = try agnesi(
      "transfer", folder.path("old.safetensors"), folder.path("photos"), "--epochs", "3", "--rate",
      "1e30", "--body-rate", "3e-5", "--output", folder.path("new.safetensors"), "--report", page)
    #expect(outcome.status == 1)
    #expect(outcome.errors.hasSuffix("\n  report in \(page)\n"), "\(outcome.errors)")
    let report = String(decoding: try folder.read("report.html"), as: UTF8.self)
    #expect(report.contains("Training ended before its last epoch: the loss "))
    #expect(report.contains("phase “everything”, epoch 1 of 1, kept"))
    #expect(report.contains("<dd>3e-05</dd>"))
  }

  /// Runs the command until it says `words`, and presses Ctrl-C.
  private func interrupted(at words: String, _ arguments: [String]) throws -> (
    status: Int32, errors: String
  ) {
    let process = Process()
    let command = try #require(BuildProducts.path("agnesi"), "the command was not built")
    process.executableURL = URL(fileURLWithPath: command)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment
      .merging(["AGNESI_THREADS": "1"]) { $1 }
    try folder.write([], to: "errors")
    process.standardError = FileHandle(forWritingAtPath: folder.path("errors"))
    process.standardOutput = FileHandle.nullDevice
    func said() throws -> String { String(decoding: try folder.read("errors"), as: UTF8.self) }
    try process.run()
    defer { if process.isRunning { process.terminate() } }
    while try !said().contains(words) {
      try #require(process.isRunning, "it ended")
      Thread.sleep(forTimeInterval: 0.001)
    }
    process.interrupt()
    process.waitUntilExit()
    return (process.terminationStatus, try said())
  }

  @Test func stoppedBeforeAnythingWasLearned() throws {
    let model = folder.path("new.safetensors")
    let outcome = try interrupted(
      at: "compute features",
      ["transfer", folder.path("old.safetensors"), folder.path("photos"), "--output", model])
    #expect(outcome.status == 130)
    #expect(outcome.errors.contains("stopped before anything was learned"))
    #expect(!FileManager.default.fileExists(atPath: model))
  }

  @Test func stoppedWithTheHead() throws {
    let model = folder.path("new.safetensors")
    // The photos of the second phase are read for a while after the head's is over.
    let outcome = try interrupted(
      at: "read the photos",
      ["transfer", folder.path("old.safetensors"), folder.path("photos"), "--output", model])
    #expect(outcome.status == 130)
    #expect(outcome.errors.contains("stopped; "))
    #expect(try PictureModel(Model(reading: model)).classNames == ["tall", "wide"])
  }

  @Test func stoppedAndResumed() throws {
    let (old, photos) = (folder.path("old.safetensors"), folder.path("photos"))
    let (model, whole) = (folder.path("new.safetensors"), folder.path("whole.safetensors"))
    let arguments = [
      "transfer", old, photos, "--epochs", "40", "--patience", "40", "--rate", "0.01", "--batch",
      "4",
    ]
    let page = folder.path("report.html")
    let outcome = try interrupted(
      at: "epoch  2/40", arguments + ["--output", model, "--report", page])
    let checkpoint = folder.path("new.checkpoint.safetensors")
    #expect(outcome.status == 130)
    #expect(
      outcome.errors.hasSuffix("stopped; go on with the same command and --resume \(checkpoint)\n"))
    #expect(try PictureModel(Model(reading: model)).classNames == ["tall", "wide"])

    // What was learned until then has its report, and the run that goes on writes it again.
    let early = String(decoding: try folder.read("report.html"), as: UTF8.self)
    #expect(early.contains("Training was stopped; this is what it led to until then."))
    try FileManager.default.removeItem(atPath: page)
    let other = try agnesi("transfer", old, photos, "--resume", checkpoint, "--batch", "5")
    #expect(other.status == 1)
    #expect(
      other.errors.hasSuffix(
        """
        transfer: --batch is 5, the run that goes on was begun with 4
          hint: leave it out; \(checkpoint) holds the settings

        """))

    // Options that are the run's own may be said again.
    let resumed = try agnesi(
      "transfer", old, photos, "--resume", checkpoint, "--json", "--batch", "4", "--output", model)
    #expect(resumed.status == 0, "\(resumed.errors)")
    let command = try #require(BuildProducts.path("agnesi"), "the command was not built")
    let straight = try BuildProducts.run(
      command, arguments + ["--output", whole, "--json"], environment: ["AGNESI_THREADS": "1"])
    #expect(straight.status == 0, "\(straight.errors)")
    #expect(try last(resumed.output).accuracy == last(straight.output).accuracy)
    #expect(try folder.read("new.safetensors") == folder.read("whole.safetensors"))
    let late = String(decoding: try folder.read("report.html"), as: UTF8.self)
    #expect(!late.contains("Training was stopped") && late.contains("95 % interval"))
    #expect(late.contains("--epochs 40 ") && !late.contains("--resume"))

    let longer = try agnesi(
      "transfer", old, photos, "--resume", checkpoint, "--epochs", "41", "--json")
    #expect(longer.status == 0, "\(longer.errors)")
    #expect(longer.output.contains("\"epoch\":41,"))
    let shorter = try agnesi("transfer", old, photos, "--resume", checkpoint, "--epochs", "3")
    #expect(shorter.errors.contains("--epochs is 3, the run that goes on is in epoch 41 of 41"))
  }

  /// A data set of its own for `agnesi train`, and a network that other commands then take.
  @Test func photosAreADataSet() throws {
    let model = folder.path("trained.safetensors")
    let outcome = try agnesi(
      "train", folder.path("photos"), "--size", "24", "--network", "8C3p1 BN MP2 16C3p1 BN GAP 2FC",
      "--epochs", "12", "--batch", "9", "--rate", "0.02", "--optimizer", "adam", "--output", model)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(
      outcome.errors.contains(
        "60 photos, no parts; 2 classes: tall 30, wide 30; as 24×24 pixels\n"))
    let evaluation = try agnesi("evaluate", model, folder.path("photos"), "--json")
    #expect(evaluation.status == 0, "\(evaluation.errors)")
    let object = try JSONSerialization.jsonObject(with: Data(evaluation.output.utf8))
    let found = try #require(object as? [String: Any])
    #expect(found["count"] as? Int == 60)
    #expect(try #require(found["error"] as? Double) < 0.2)
    // Without --network the last layer has as many units as there are classes.
    let usual = try agnesi(
      "train", folder.path("photos"), "--size", "24", "--epochs", "1", "--output",
      folder.path("usual.safetensors"), "--report", folder.path("usual.html"))
    #expect(usual.status == 0, "\(usual.errors)")
    let page = String(decoding: try folder.read("usual.html"), as: UTF8.self)
    #expect(page.contains("20C5 MP2 50C5 MP2 256FC D0.5 2FC"))
    let isPerfect = !page.contains("Worst mistakes")
    #expect(isPerfect || page.contains(#/<span class="file">(tall|wide)\//#))
    let untouched = try agnesi(
      "train", folder.path("photos"), "--network", "10FC", "--output", folder.path("x.safetensors"))
    #expect(untouched.status == 1)
    #expect(untouched.errors.contains("as in 2FC"))
  }

  @Test func wrongUse() throws {
    func errors(_ arguments: String...) throws -> String {
      let command = try #require(BuildProducts.path("agnesi"), "the command was not built")
      let outcome = try BuildProducts.run(
        command, ["transfer", folder.path("old.safetensors"), folder.path("photos")] + arguments)
      #expect(outcome.status != 0)
      return outcome.errors
    }
    #expect(try errors("--cut", "nothing").contains("it names no such layer"))
    // Before the features of all photos are computed.
    let frozen = try errors("--freeze", "nothing")
    #expect(frozen.contains("none before the cut has that name"))
    #expect(!frozen.contains("compute features"))
    #expect(
      try errors("--freeze", "layer4", "--head-only").contains(
        "--freeze is for training everything, not for --head-only"))
    #expect(try errors("--head-only", "--from-scratch").contains("forgets it"))
    #expect(try errors("--rate", "-1").contains("it must be positive"))
    #expect(
      try errors("--from-scratch").contains("does not say how its first values were drawn"))
    let missing = try agnesi("transfer", "no-such-network", folder.path("photos"))
    #expect(missing.status == 1)
    #expect(missing.errors.contains("the zoo has no network of that name"))
  }
}
