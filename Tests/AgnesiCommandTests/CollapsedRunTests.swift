import Agnesi
import Foundation
import TestSupport
import Testing

/// Runs whose network says the same of every sample, and the options that prevent it.
struct CollapsedRunTests {
  private let workplace: Workplace
  init() throws { workplace = try Workplace() }

  /// Samples that are all the same, of two classes.
  private func zeros() throws -> String {
    let folder = try workplace.folder.makeFolder("zeros")
    for (part, count) in [("train", 200), ("test", 30)] {
      try NPYFile.write(
        NDArray(zeros: [count, 4], .float32), to: "\(folder)/\(part)-inputs.npy")
      try NPYFile.write(
        NDArray((0..<count).map { Int32($0 % 3 == 0 ? 1 : 0) }),
        to: "\(folder)/\(part)-labels.npy")
    }
    return folder
  }

  @Test func endsWithASentence() throws {
    let (data, model) = (try zeros(), workplace.path("zeros.safetensors"))
    let report = workplace.path("zeros.html")
    let outcome = try workplace.agnesi(
      "train", data, "--network", "4FC 2FC", "--epochs", "3", "--no-standardize", "--output",
      model, "--report", report)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let sentence = """
      the model takes all 30 test samples for class "0": try a learning rate ten times smaller, \
      0.005 instead of 0.05, and see whether the inputs differ
      """
    #expect(outcome.errors.hasSuffix("\n\(sentence)\n"), "\(outcome.errors)")
    let page = String(decoding: try workplace.folder.read("zeros.html"), as: UTF8.self)
    #expect(page.contains("the model takes all 30 test samples for class"))
    let evaluation = try workplace.agnesi("evaluate", model, data)
    #expect(
      evaluation.errors.hasSuffix("\nthe model takes all 30 test samples for class \"0\"\n"))
  }

  @Test func soundRunsEndAsBefore() throws {
    let outcome = try workplace.train("bars.safetensors")
    #expect(!outcome.errors.contains("samples for class"))
  }

  /// What the user gives is honoured; what is no norm is refused.
  @Test func clipOption() throws {
    func model(_ name: String, _ clip: String...) throws -> [UInt8] {
      let outcome = try workplace.agnesi(workplace.training(name) + clip)
      try #require(outcome.status == 0, "\(outcome.errors)")
      return try workplace.folder.read(name)
    }
    let usual = try model("usual.safetensors")
    #expect(try model("one.safetensors", "--clip", "1") == usual)
    let free = try model("free.safetensors", "--clip", "none")
    let tight = try model("tight.safetensors", "--clip", "0.01")
    #expect(tight != usual && tight != free)
    try workplace.expect(
      "train: the gradient is clipped to a norm of -1.0, it must be positive",
      from: workplace.training("wrong.safetensors") + ["--clip", "-1"])
    let word = try workplace.agnesi(workplace.training("wrong.safetensors") + ["--clip", "off"])
    #expect(word.status == 64)
    #expect(word.errors.contains("--clip"))
  }

  /// Without `--batch` a small set has small mini-batches: 180 samples to learn from, 10 at a time.
  @Test func smallSetsHaveSmallBatches() throws {
    let data = try zeros()
    func model(_ name: String, _ batch: String...) throws -> [UInt8] {
      let outcome = try workplace.agnesi(
        [
          "train", data, "--network", "2FC", "--epochs", "1", "--no-standardize", "--output",
          workplace.path(name),
        ] + batch)
      try #require(outcome.status == 0, "\(outcome.errors)")
      return try workplace.folder.read(name)
    }
    let usual = try model("usual.safetensors")
    #expect(try model("ten.safetensors", "--batch", "10") == usual)
    #expect(try model("hundred.safetensors", "--batch", "100") != usual)
  }
}
