import Agnesi
import AgnesiTraining
import Foundation
import TestSupport
import Testing

/// What a run that goes on keeps, what may be changed then, and what is refused.
struct ResumedRunTests {
  let workplace: Workplace

  init() throws { workplace = try Workplace() }

  private var checkpoint: String { workplace.path("bars.checkpoint.safetensors") }

  private func train(_ output: String, epochs: Int, _ others: String...) throws {
    let outcome = try workplace.agnesi(
      workplace.training(output, epochs: epochs) + ["--schedule", "constant"] + others)
    try #require(outcome.status == 0, "\(outcome.errors)")
  }

  private static func command(in page: String) throws -> Substring {
    let pattern = #/<h3>To repeat it</h3>.*?</pre>/#.dotMatchesNewlines()
    return try #require(page.firstMatch(of: pattern)).output
  }

  /// With rates that do not depend on the length, a run that is made longer is the long run.
  @Test func moreEpochsAndTheReportThatWasAskedFor() throws {
    let report = workplace.path("report.html")
    try train("bars.safetensors", epochs: 2, "--report", report, "--mirror", "--patience", "9")
    try FileManager.default.removeItem(atPath: report)
    let longer = try workplace.agnesi("train", "--resume", checkpoint, "--epochs", "4")
    try #require(longer.status == 0, "\(longer.errors)")
    #expect(longer.errors.contains("going on after epoch 2 of 4\n"))
    #expect(longer.output.hasSuffix("report in \(report)\n"))
    let page = String(decoding: try workplace.folder.read("report.html"), as: UTF8.self)
    #expect(page.contains("epoch 4"))
    // What repeats the run is the command that began it, and the one that made it longer.
    let begun = "train \(workplace.data) --network &#39;16FC 10FC&#39; --epochs 2 "
    #expect(page.contains(begun) && page.contains("train --resume \(checkpoint) --epochs 4</code>"))
    try train("whole.safetensors", epochs: 4, "--mirror", "--patience", "9")
    let whole = try workplace.folder.read("whole.safetensors")
    #expect(try workplace.folder.read("bars.safetensors") == whole)
    // Elsewhere if it is said.
    let other = workplace.path("other.html")
    let again = try workplace.agnesi("train", "--resume", checkpoint, "--report", other)
    #expect(again.output.hasSuffix("report in \(other)\n"), "\(again.errors)")
    #expect(
      again.errors.contains("all 4 epochs are done; --epochs 5 or more makes the run longer\n"))
    let second = String(decoding: try workplace.folder.read("other.html"), as: UTF8.self)
    #expect(second.contains(begun) && !second.contains("--report \(other)</code>"))
    #expect(try Self.command(in: second) == Self.command(in: page))
  }

  @Test func whatWouldBeIgnoredIsRefused() throws {
    try train("bars.safetensors", epochs: 2)
    let before = try workplace.folder.read("bars.checkpoint.safetensors")
    try workplace.expect(
      """
      --batch cannot be given together with --resume: the run goes on as it was begun
        hint: leave it out; \(checkpoint) holds the settings
      """, from: ["train", "--resume", checkpoint, "--batch", "7"], status: 64)
    try workplace.expect(
      """
      --seed, --no-standardize and --output cannot be given together with --resume: the run goes on \
      as it was begun
        hint: leave them out; \(checkpoint) holds the settings
      """,
      from: [
        "train", "--seed=3", "--no-standardize", "--resume", checkpoint, "--output",
        workplace.path("x.safetensors"),
      ], status: 64)
    try workplace.expect(
      """
      train: --epochs is 1, the run that goes on is in epoch 2 of 2
        hint: --epochs is the number of all epochs, those that are done included
      """, from: ["train", "--resume", checkpoint, "--epochs", "1"])
    for (option, value, text) in [
      ("--epochs", "0", "--epochs is 0, it must be at least 1"),
      ("--rate", "-1", "--rate is -1.0, it must be positive"),
    ] {
      let outcome = try workplace.agnesi("train", "--resume", checkpoint, option, value)
      #expect(outcome.status == 64)
      #expect(outcome.errors.contains(text))
    }
    #expect(try workplace.folder.read("bars.checkpoint.safetensors") == before)
  }

  /// Checkpoints of before requests were kept.
  @Test func oldCheckpointsAreRead() throws {
    try train("bars.safetensors", epochs: 1, "--report", workplace.path("report.html"))
    let file = try SafetensorsFile(reading: checkpoint)
    var metadata = file.metadata
    let key = "agnesi.training"
    let state = try JSONSerialization.jsonObject(with: Data(try #require(metadata[key]).utf8))
    var fields = try #require(state as? [String: Any])
    #expect(fields.removeValue(forKey: "requests") != nil)
    metadata[key] = String(
      decoding: try JSONSerialization.data(withJSONObject: fields), as: UTF8.self)
    try SafetensorsFile(tensors: file.tensors, metadata: metadata).write(to: checkpoint)
    let outcome = try workplace.agnesi("train", "--resume", checkpoint, "--epochs", "2")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(!outcome.output.contains("report in"))
  }
}

/// Parts and labels of folders, as `agnesi train` reads them.
struct PartsAndLabelsTests {
  let workplace: Workplace
  private let folder: String

  init() throws {
    workplace = try Workplace()
    folder = try workplace.folder.makeFolder("parts")
  }

  private func write(_ part: String, _ count: Int, adding: UInt8 = 0) throws {
    let (images, labels) = Bars.arrays(count, "train")
    try NPYFile.write(images.reshaped([count, 1, 12, 12]), to: "\(folder)/\(part)-inputs.npy")
    let moved = labels.scalars(as: UInt8.self).map { $0 + adding }
    try NPYFile.write(NDArray(moved), to: "\(folder)/\(part)-labels.npy")
  }

  private func train(_ others: String...) throws -> BuildProducts.Outcome {
    try workplace.agnesi(
      ["train", folder, "--epochs", "1", "--output", workplace.path("m.safetensors")] + others)
  }

  /// What is printed is called as the part is that it is of.
  @Test func validationIsNotCalledTest() throws {
    try write("Train", 200)
    try write("VAL", 50)
    let page = workplace.path("r.html")
    let two = try train("--network", "10FC", "--report", page)
    #expect(two.output.hasPrefix("validation accuracy "), "\(two.errors)")
    #expect(
      two.errors.hasPrefix("200 training and 50 validation samples in \(folder), 10 classes\n"))
    let report = String(decoding: try workplace.folder.read("r.html"), as: UTF8.self)
    #expect(report.contains("Validation error") && !report.contains("Test error"))
    #expect(report.contains("warning: 50 validation samples say little: "))
    try write("Testing", 40)
    let three = try train("--network", "10FC")
    #expect(three.output.hasPrefix("test accuracy "))
    #expect(three.output.contains(" of 40 wrong; 95 % interval "))
    let own = try train("--network", "10FC", "--validation", "10")
    #expect(own.status == 1)
    #expect(own.errors.contains("it has 50 samples for validation already"))
  }

  @Test func labelsThatDoNotMatchAreSaidBeforeTraining() throws {
    try write("train", 200, adding: 1)
    let shifted = try train("--network", "10FC")
    #expect(shifted.status == 1)
    #expect(
      shifted.errors.hasSuffix(
        "\n  hint: labels are numbers from 0, these are 1 to 10: subtract 1 from each\n"))
    let more = try train("--network", "11FC")
    #expect(more.status == 0)
    #expect(
      more.errors.contains(
        "\nwarning: the labels are 1 to 10, no sample has the label 0: labels count from 0, "))
    try write("train", 200)
    try write("test", 40, adding: 1)
    let beyond = try train("--network", "10FC")
    #expect(beyond.status == 1)
    #expect(
      beyond.errors.contains(
        "cannot use the test samples of parts: 4 of 40 have labels beyond the classes, up to 10; "))
    #expect(!beyond.errors.contains("epoch"))
    try workplace.folder.write(
      (0..<12).flatMap { Array("c\($0)\n".utf8) }, to: "parts/classes.txt")
    let named = try train("--network", "12FC")
    #expect(named.status == 0, "\(named.errors)")
    #expect(
      named.errors.contains(
        "warning: the class c10 has no training samples, but 4 test samples: they cannot be told"
          + " rightly\nwarning: the class c11 has no samples in any part\n"))
  }

  @Test func evaluationSaysHowManyLabelsAreBeyond() throws {
    try workplace.train("bars.safetensors")
    try write("train", 20)
    try write("test", 40, adding: 1)
    try workplace.expect(
      """
      \(workplace.path("bars.safetensors")) knows 10 classes, parts has 11; 4 of 40 samples are of \
      the others
        hint: the labels seem to begin at 1: subtract 1 from each
      """, from: ["evaluate", workplace.path("bars.safetensors"), folder],
      after: "20 training and 40 test samples in \(folder), 11 classes\n")
  }
}
